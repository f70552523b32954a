"""A stamp of files and folders that changes when anything in them does, made of names, sizes and times without reading a file.

It tells that something may have changed, never what: a database that was only packed anew has another stamp, too.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

COMES_AND_GOES = "-shm"
"""The end of the name of a file that readers of an SQLite database make and remove."""


def of(paths: Iterable[Path]) -> str:
    """The stamp of all that is at *paths*, which may be nothing. Raises OSError where a folder cannot be listed."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path}\n".encode())
        for line in sorted(_lines(path)):
            digest.update(f"{line}\n".encode("utf-8", errors="surrogateescape"))
    return digest.hexdigest()


def _lines(path: Path) -> Iterator[str]:
    try:
        pending = [str(path)] if path.is_dir() and not path.is_symlink() else []
        if not pending:
            yield _line("", path.lstat())
    except FileNotFoundError:
        return
    while pending:
        folder = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif not entry.name.endswith(COMES_AND_GOES):
                    yield _line(os.path.relpath(entry.path, path), entry.stat(follow_symlinks=False))


def _line(name: str, found: os.stat_result) -> str:
    # An empty file is a lock, or a log that was taken in: whoever only reads touches those.
    when = f"{found.st_ino} {found.st_mtime_ns} {found.st_ctime_ns}" if found.st_size else ""
    return f"{name}\0{found.st_mode} {found.st_size} {when}"
