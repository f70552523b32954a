"""The format of the state folder: an older one is brought up to this version's once, what that changes kept aside; a newer one is refused.

``<home>/state.json`` says which format a folder has, and which argosy wrote that. A folder without it is one of before formats had numbers
(1), or is only being made. What each part of the folder is by itself, such as a run's journal, says its own schema.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from argosy import errors

FILE, LOCK = "state.json", "state.lock"
KEPT = "backups"
"""The folder, below the home, of what migrations took away."""
FORMAT = 2


@dataclass(frozen=True)
class Migration:
    """The way from the format before *to* to that one."""

    to: int
    says: str
    """What it does, for the one whose folder it is."""
    concerns: Callable[[Path], list[Path]]
    """The paths in a home that are not as the format *to* has them. They are moved aside."""


def _former_logs(home: Path) -> list[Path]:
    """The prediction logs of before they were shipped by the hour; nobody reads them any more."""
    days = (path for path in home.glob("predictions/*/*/*") if re.fullmatch(r"open|\d{4}-\d\d-\d\d", path.name))
    return sorted(path for path in days if path.is_dir())


MIGRATIONS = (Migration(2, "prediction logs of earlier versions, which nothing reads any more", _former_logs),)


def adopt(home: Path) -> Iterator[str]:
    """Bring the state folder *home* to this version's format; a line for each thing that was done. Nothing where there is no folder.

    Raises Misconfigured where a newer version wrote it.
    """
    found = _of(home)
    if found == FORMAT or (found is None and not _is_used(home)):
        return
    from argosy.engine.state.locks import FileLock  # hardly ever

    lock = FileLock(home / LOCK)
    try:
        taken = lock.try_acquire()
    except OSError:
        return  # who may not write there only looks, and every older format can be looked at
    if not taken:
        return  # somebody is at it, and moves nothing that is read
    try:
        yield from _migrated(home, _of(home) or 1)
    finally:
        lock.release()


def mark(home: Path) -> None:
    """Say of the state folder *home*, which is there, that it has this version's format, unless it says something already."""
    if not (home / FILE).exists():
        _write(home)


def _migrated(home: Path, found: int) -> Iterator[str]:
    for migration in MIGRATIONS:
        if migration.to > found and (moved := migration.concerns(home)):
            aside = home / KEPT / f"format-{migration.to - 1}"
            for path in moved:
                place = _free(aside / path.relative_to(home))
                place.parent.mkdir(parents=True, exist_ok=True)
                path.rename(place)
            yield f"{home} was brought to format {migration.to}: {migration.says} ({len(moved)}) are in {aside} now"
    _write(home)


def _free(place: Path) -> Path:
    """*place*, or one beside it where something is there: an earlier version may have been at work again."""
    names = (place, *(place.with_name(f"{place.name}.{number}") for number in range(2, 10_000)))
    return next(path for path in names if not path.exists())


def _of(home: Path) -> int | None:
    """The format that *home* says it has; None where it says none. Raises Misconfigured where a newer version wrote it."""
    try:
        text = (home / FILE).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    try:
        said = json.loads(text)
        found, by = int(said["format"]), str(said["argosy"])
    except (ValueError, KeyError, TypeError):
        raise errors.Misconfigured(
            f'{home / FILE} cannot be read; write {{"format": {FORMAT}, "argosy": "?"}} into it if this version has used {home} before, '
            "or set ARGOSY_HOME to another folder"
        ) from None
    if found > FORMAT:
        raise errors.Misconfigured(
            f"the state folder {home} has format {found}, as argosy {by} wrote it, and argosy {version()} knows "
            f"formats up to {FORMAT}: install that version again, or set ARGOSY_HOME to another folder"
        )
    return found


def _is_used(home: Path) -> bool:
    """True where a verb has made something in *home*."""
    return any((home / name).is_dir() for name in ("runs", "registry", "forge", "keys", "predictions", "store"))


def _write(home: Path) -> None:
    from argosy.engine.state import disk

    disk.write_atomically(home / FILE, json.dumps({"format": FORMAT, "argosy": version()}) + "\n")


def version() -> str:
    """The version of argosy."""
    from importlib import metadata  # slow

    return metadata.version("argosy")
