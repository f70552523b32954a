"""Copies of the state folder: made while it is in use, checked, and put back whole or not at all.

What refers is copied before what it refers to, and nothing that is referred to goes meanwhile: a copy is a state that once was. Databases
that may be written are copied by SQLite itself. ``manifest.json`` comes last; without it a folder is no copy.
"""

import contextlib
import hashlib
import json
import os
import re
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from argosy import errors
from argosy.cli import state_format
from argosy.engine.state import disk, locks, object_store, sweeping, trees

FORMAT = 1
MANIFEST, FILES = "manifest.json", "files"
LIVE = re.compile(r"(registry|search|loop)/[^/]+\.db|runs/[^/]+/journal\.sqlite")
"""Databases that somebody may be writing; every other one is content that never changes."""
LEFT_OUT = re.compile(r".*\.(lock|partial)|.*\.(db|sqlite)-(wal|shm|journal)|(.*/)?\.[^/]+\.(partial|deleted)(/.*)?")
"""Locks, and what is only being made."""
REFERS = (
    re.compile(r"forge/.*(?<!/objects)/(refs|logs)/.*|forge/[^/]+/(packed-refs|HEAD|config)"),
    LIVE,
    re.compile("spool/.*"),
)
"""What is copied first, in this order."""


@dataclass(frozen=True)
class CopiedPath:
    """One file, folder or link of a copy."""

    path: str
    digest: str
    """SHA-256 of its content, or of the text of a link; empty for a folder."""
    size: int
    mode: int
    kind: Literal["file", "folder", "link"] = "file"


@dataclass(frozen=True)
class Copy:
    """A copy of a state folder, as its manifest says."""

    folder: Path
    home: str
    """The folder that it is of: addresses in it name that one."""
    made: str
    argosy: str
    state_format: int
    entries: tuple[CopiedPath, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries)


def make(home: Path, folder: Path) -> Copy:
    """Copy the state folder *home* to *folder*, which must not be there yet. Raises UsageError where that makes no sense."""
    if not home.is_dir() or not any(home.iterdir()):
        raise errors.UsageError(f"there is no state folder at {home}; ARGOSY_HOME says where yours is")
    if folder.exists():
        raise errors.UsageError(
            f"{folder} is there already; name a new folder, such as {folder}-{datetime.now(UTC):%Y%m%d}"
        )
    if folder.absolute().is_relative_to(home):
        raise errors.UsageError(
            f"{folder} lies in the state folder {home}, and would be lost with it; name a place outside"
        )
    with disk.guarded("write the copy"), locks.shared(home / sweeping.LOCK):
        folder.mkdir(parents=True, mode=0o700)  # it holds the keys
        entries = [entry for path in _ordered(home) if (entry := _copied(home, path, folder / FILES))]
        _remove_strange(folder / FILES, {entry.path for entry in entries})
        made = Copy(
            folder=folder,
            home=str(home),
            made=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            argosy=state_format.version(),
            state_format=state_format.FORMAT,
            entries=tuple(entries),
        )
        said = {
            **{name: value for name, value in vars(made).items() if name not in ("folder", "entries")},
            "format": FORMAT,
        }
        disk.write_atomically(folder / MANIFEST, json.dumps({**said, "entries": [asdict(each) for each in entries]}))
    return made


def read(folder: Path) -> Copy:
    """The copy in *folder*. Raises UsageError where there is none, Misconfigured where a newer version made it or it is damaged."""
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if said["format"] > FORMAT or said["state_format"] > state_format.FORMAT:
            raise errors.Misconfigured(
                f"{folder} was made by argosy {said['argosy']}, and this version does not know its format: install that version"
            )
        entries = tuple(CopiedPath(**each) for each in said["entries"])
        return Copy(folder, said["home"], said["made"], said["argosy"], said["state_format"], entries)
    except (FileNotFoundError, NotADirectoryError):
        raise errors.UsageError(
            f"{folder} is no copy of a state folder, or one that was cut off: it has no {MANIFEST}"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise errors.Misconfigured(f"{folder / MANIFEST} is damaged ({error}); take another copy") from error


def problems(copy: Copy) -> Iterator[str]:
    """What is wrong with *copy*: files that are lost, changed or too many, databases and repositories that are damaged."""
    root = copy.folder / FILES
    known = {entry.path for entry in copy.entries}
    for entry in copy.entries:
        if not _is_inside(entry.path):
            yield f"{entry.path}: leads out of the copy"
            return
        if said := _difference(root / entry.path, entry):
            yield f"{entry.path}: {said}"
    yield from (f"{path}: is not of this copy" for path in sorted(_paths(root)) if path not in known)
    yield from _of_databases(root, known)
    yield from _of_repositories(root)


def put_back(copy: Copy, home: Path) -> None:
    """Make *home*, which must be empty or not there, what *copy* is of. Raises UsageError where it is another place or in use."""
    if str(home) != copy.home:
        raise errors.UsageError(
            f"{copy.folder} is of {copy.home}, and addresses of models in it name that folder; set ARGOSY_HOME={copy.home} (which may be a "
            f"link to another place)"
        )
    if home.exists() and any(home.iterdir()):
        raise errors.UsageError(f"{home} is in use; move it away first: mv {home} {home}.before")
    incoming = home.with_name(f".{home.name}.restoring")
    with disk.guarded("put the copy back"):
        trees.remove(incoming)
        incoming.mkdir(parents=True)
        for entry in copy.entries:
            _put(copy.folder / FILES / entry.path, incoming / entry.path, entry)
        for entry in copy.entries:
            if entry.kind == "folder":
                (incoming / entry.path).chmod(entry.mode)
        if home.exists():
            home.rmdir()
        incoming.rename(home)


def _ordered(home: Path) -> list[str]:
    """The paths in *home*, those first that refer to others."""
    paths = sorted(_paths(home))
    rank = {
        path: next((number for number, kind in enumerate(REFERS) if kind.fullmatch(path)), len(REFERS))
        for path in paths
    }
    return sorted(paths, key=lambda path: (rank[path], path))


def _paths(root: Path) -> Iterator[str]:
    """The files, folders and links below *root*, a folder before what is in it."""
    for path in trees.walk(root) if root.is_dir() else ():
        relative = path.relative_to(root).as_posix()
        with contextlib.suppress(FileNotFoundError):
            if not trees.is_special(path) and not LEFT_OUT.fullmatch(relative):
                yield relative


def _remove_strange(root: Path, known: set[str]) -> None:
    """Remove what was made for files that were gone when they were to be copied."""
    for path in list(_paths(root)):
        if path not in known:
            trees.remove(root / path)


def _copied(home: Path, path: str, root: Path) -> CopiedPath | None:
    """Copy the file *path* of *home* below *root*; None where it is gone by now, as a run that was deleted is."""
    source, target = home / path, root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if source.is_symlink():
            target.symlink_to(source.readlink())
            text = os.fsencode(source.readlink())
            return CopiedPath(path, f"sha256:{hashlib.sha256(text).hexdigest()}", len(text), 0o777, "link")
        mode = stat.S_IMODE(source.stat().st_mode)
        if source.is_dir():
            target.mkdir(exist_ok=True)
            return CopiedPath(path, "", 0, mode, "folder")
        if LIVE.fullmatch(path):
            _copy_database(source, target)
            digest = object_store.digest_of(target)
        else:
            digest = object_store.copy(source, target)
    except FileNotFoundError:
        target.unlink(missing_ok=True)
        return None
    target.chmod(mode)
    return CopiedPath(path, digest, target.stat().st_size, mode)


def _copy_database(source: Path, target: Path) -> None:
    if not source.exists():
        raise FileNotFoundError(source)
    # No mode=ro: a log that a killed writer left is to be taken in.
    with contextlib.closing(sqlite3.connect(source)) as live, contextlib.closing(sqlite3.connect(target)) as kept:
        live.backup(kept)
        kept.execute("PRAGMA journal_mode = DELETE")


def _difference(path: Path, entry: CopiedPath) -> str | None:
    try:
        if entry.kind == "folder":
            return None if trees.is_folder(path) else "is no folder"
        if entry.kind == "link":
            text = os.fsencode(path.readlink())
            return None if f"sha256:{hashlib.sha256(text).hexdigest()}" == entry.digest else "is another link"
        if path.is_symlink() or object_store.digest_of(path) != entry.digest:
            return "is not what was copied"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None


def _of_databases(root: Path, known: set[str]) -> Iterator[str]:
    for path in sorted(filter(LIVE.fullmatch, known)):
        try:
            with contextlib.closing(
                sqlite3.connect(f"{(root / path).absolute().as_uri()}?immutable=1", uri=True)
            ) as database:
                said = database.execute("PRAGMA integrity_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            said = str(error)
        if said != "ok":
            yield f"{path}: the database is damaged: {said}"


def _of_repositories(root: Path) -> Iterator[str]:
    for repository in sorted((root / "forge").glob("*.git")):
        done = subprocess.run(
            ["git", f"--git-dir={repository}", "fsck", "--no-dangling", "--no-progress"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            yield f"{repository.relative_to(root)}: {errors.first_line(RuntimeError(done.stderr or done.stdout))}"


def _put(source: Path, target: Path, entry: CopiedPath) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if entry.kind == "folder":
        target.mkdir(exist_ok=True)
        return
    if entry.kind == "link":
        target.symlink_to(source.readlink())
        return
    if object_store.copy(source, target) != entry.digest:
        raise errors.Misconfigured(f"{source} is not what was copied; nothing was put back")
    target.chmod(entry.mode)
    disk.sync(target)


def _is_inside(path: str) -> bool:
    return bool(path) and not path.startswith("/") and ".." not in path.split("/")
