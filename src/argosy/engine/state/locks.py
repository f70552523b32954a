"""Locks between processes of one home, held by a file descriptor: the kernel gives them back when their holder dies."""

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path


class FileLock:
    """An exclusive lock on the file *path*. A shared one is held for a moment by who only looks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if nobody holds it. Returns whether it is held now."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        while not _take(descriptor, fcntl.LOCK_EX):
            if not _take(descriptor, fcntl.LOCK_SH):
                os.close(descriptor)
                return False
            # Nobody holds it, somebody only looks, and is done in no time.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            time.sleep(0)
        self._descriptor = descriptor
        return True

    def is_held(self) -> bool:
        """True where somebody holds the lock. Whoever wants it meanwhile gets it all the same."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return not _take(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def sign(self) -> None:
        """Leave this process's number in the file, for the one who is refused the lock."""
        if self._descriptor is not None:
            os.truncate(self._descriptor, 0)
            os.write(self._descriptor, str(os.getpid()).encode())

    def holder(self) -> str:
        """The process that signed the lock last, as a number; empty where none did."""
        try:
            return self._path.read_text(encoding="ascii").strip()
        except OSError:
            return ""

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _take(descriptor: int, how: int) -> bool:
    """Take the lock of the open file *how* it is said, if that can be done now."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the lock on the file *path* with others while the block runs; whoever has it alone is waited for, which takes a moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Hold the lock on the file *path* alone while the block runs; False where others hold it, who are not waited for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield _take(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


class Mutexes:
    """The named mutexes and semaphores of one home. A holder takes all of its locks or none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, dict[str, FileLock]] = {}

    def try_acquire(self, holder: str, locks: Mapping[str, int]) -> bool:
        """Take all of *locks* for *holder*, or none. They are names, each with how many may hold it at once."""
        taken: dict[str, FileLock] = {}
        for name, places in locks.items():
            lock = self._free_place(name, places)
            if lock is None:
                for other in taken.values():
                    other.release()
                return False
            taken[name] = lock
        self._held[holder] = taken
        return True

    def _free_place(self, name: str, places: int) -> FileLock | None:
        """One place of the lock *name*, taken; None where all are."""
        digest = hashlib.sha256(name.encode()).hexdigest()[:32]
        files = (self._folder / f"{digest}{f'-{place}' if place else ''}.lock" for place in range(places))
        return next((lock for lock in map(FileLock, files) if lock.try_acquire()), None)

    def release(self, holder: str) -> None:
        """Give back what *holder* holds."""
        for lock in self._held.pop(holder, {}).values():
            lock.release()
