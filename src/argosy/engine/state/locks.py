"""Locks between processes of one home, held by a file descriptor: the kernel gives them back when their holder dies."""

import fcntl
import hashlib
import os
from pathlib import Path


class FileLock:
    """An exclusive lock on the file *path*."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if nobody holds it. Returns whether it is held now."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Mutexes:
    """The named mutexes of one home. A holder takes all of its locks or none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, dict[str, FileLock]] = {}

    def try_acquire(self, holder: str, names: tuple[str, ...]) -> bool:
        """Take all of *names* for *holder*, or none."""
        taken: dict[str, FileLock] = {}
        for name in names:
            lock = FileLock(self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.lock")
            if not lock.try_acquire():
                for other in taken.values():
                    other.release()
                return False
            taken[name] = lock
        self._held[holder] = taken
        return True

    def release(self, holder: str) -> None:
        """Give back what *holder* holds."""
        for lock in self._held.pop(holder, {}).values():
            lock.release()
