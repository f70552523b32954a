"""Full disks, told apart from every other failure to write."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from argosy import errors


@contextlib.contextmanager
def guarded(what: str) -> Iterator[None]:
    """Turn a full or read-only disk while doing *what* into LocalDisk."""
    try:
        yield
    except OSError as error:
        if not errors.is_disk_full(error):
            raise
        raise errors.LocalDisk(_message(what, error.strerror or "", error.filename)) from error
    except sqlite3.OperationalError as error:
        if not errors.says_disk_full(str(error)):
            raise
        raise errors.LocalDisk(_message(what, str(error), None)) from error


def _message(what: str, reason: str, where: object) -> str:
    place = f" at {where}" if where else ""
    return f"cannot {what}{place}: {reason}. Free space there, then `argosy resume`"


def write_atomically(path: Path, text: str) -> None:
    """Write *text* so that *path* holds all of it or what it held before, whatever happens to the process or the power."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Return once the content of the file or folder *path* is on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
