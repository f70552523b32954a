"""Finds what no run, no cached answer and no memory of this machine's home refers to any more, and removes it.

Runs hold the lock :data:`LOCK` together for as long as they last, a sweep holds it alone: what a run is about to name never goes.
What cannot be read stops the sweep, for it might refer to anything.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from argosy.engine.state import locks, runs, trees

LOCK = "objects.lock"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


def old_answers(home: Path, before: float) -> list[Path]:
    """The cached and remembered answers of steps that were written before *before*, seconds since 1970."""
    found = (path for kept in ("cache", "memory") for path in (home / kept).rglob("*") if path.is_file())
    return sorted(path for path in found if path.stat().st_mtime < before)


def unused_objects(home: Path, without: frozenset[Path] = frozenset()) -> list[Path]:
    """The objects that nothing refers to, were the answers *without* gone. Raises Misconfigured where something cannot be read."""
    used = {digest for text in _texts(home, without) for digest in _DIGEST.findall(text)}
    objects = (
        path for path in (home / "objects").glob("[0-9a-f][0-9a-f]/*") if re.fullmatch("[0-9a-f]{64}", path.name)
    )
    return sorted(path for path in objects if path.name not in used)


def size(path: Path) -> int:
    """The bytes of the file or folder *path*."""
    files = trees.walk(path) if trees.is_folder(path) else iter((path,))
    return sum(each.lstat().st_size for each in files if not trees.is_folder(each))


def sweep(home: Path, before: float) -> list[Path] | None:
    """Remove answers written before *before*, then each object that nothing refers to; those objects. None where a run is under way."""
    with locks.alone(home / LOCK) as free:
        # An engine of an earlier version holds its run's lock and not this one.
        if not free or any(folder.is_locked() for folder in runs.newest_first(home)):
            return None
        for answer in old_answers(home, before):
            answer.unlink(missing_ok=True)
        unused = unused_objects(home)
        for path in unused:
            trees.remove(path)
        return unused


def _texts(home: Path, without: frozenset[Path]) -> Iterator[str]:
    """All that may refer to an object, as text: whatever looks like a digest there counts."""
    for folder in runs.newest_first(home):
        if (manifest := folder.path / runs.MANIFEST).exists():
            yield _read(manifest)
        meta, nodes = folder.state()
        yield from meta.values()
        yield from (json.dumps(node.to_json()) for node in nodes.values())
    for kept in ("cache", "memory"):
        for path in (home / kept).rglob("*"):
            if path.is_file() and path not in without:
                yield _read(path)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
