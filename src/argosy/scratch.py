"""Folders of a process among the machine's temporary files, held by a lock that the kernel gives back when the process dies.

What a killed process left is removed by the next process that needs such a folder, or by the next engine. Standard library only: servers of
steps use it too.
"""

import contextlib
import fcntl
import functools
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from argosy import errors

Purpose = Literal[
    "artifact",
    "champion",
    "check",
    "commit",
    "demo",
    "doctor",
    "documents",
    "drift",
    "evidence",
    "features",
    "git",
    "imports",
    "labels",
    "merge",
    "online",
    "policy",
    "saving",
    "score",
    "search",
    "serve",
    "sign",
    "skew",
    "sources",
    "spark",
    "table",
    "view",
    "workers",
]
PURPOSES = get_args(Purpose)
PREFIX = "argosy-"
RESERVE = 64 << 20
"""Bytes of a disk that are left alone, for what else is written there meanwhile."""
YOUNG_SECONDS = 60.0
"""Age up to which a folder that nobody holds may be one that is about to be held."""


@contextlib.contextmanager
def folder(purpose: Purpose) -> Iterator[Path]:
    """A new folder, removed at the end with all that is in it."""
    _clear_once()
    path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-"))
    with held(path):
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def demand_room(place: Path, size: int, subject: str) -> None:
    """Raise LocalDisk where the disk of the folder *place* has no room for the *size* bytes of *subject*, before it is full."""
    free = shutil.disk_usage(place).free
    if size + RESERVE > free:
        raise errors.LocalDisk(
            f"{subject} has {size / 1e6:,.0f} MB, and {place} has room for {max(free - RESERVE, 0) / 1e6:,.0f} MB: make room there, let "
            "TMPDIR name a larger place (on a cluster: the step's storage), or read less"
        )


def place_for_view() -> Path:
    """A new folder to mount a view at. Who :func:`held` it removes it, and never what is in it."""
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}view-"))


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the folder *path*: it is in use for as long as this process lives."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@functools.cache
def _clear_once() -> None:
    clear_left()


def clear_left() -> None:
    """Remove what processes of this user left that are no more."""
    with os.scandir(tempfile.gettempdir()) as entries:
        ours = [Path(entry.path) for entry in entries if entry.name.startswith(PREFIX)]
    for path in ours:
        purpose = path.name.removeprefix(PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):  # another engine was first, it is another user's, or somebody holds it
            if purpose in PURPOSES and _is_left(path):
                _remove(path, purpose)


def _is_left(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        # A folder of the future was made before the clock was set back.
        if found.st_uid != os.geteuid() or abs(time.time() - found.st_mtime) < YOUNG_SECONDS:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    finally:
        os.close(descriptor)


def _remove(path: Path, purpose: str) -> None:
    if purpose != "view":
        shutil.rmtree(path)
        return
    # A view shows the machine's own files: whatever may be in one, only empty folders are removed.
    for inner in path.iterdir():
        inner.rmdir()
    path.rmdir()
