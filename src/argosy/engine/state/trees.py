"""Trees of files that a step leaves: of any depth and size, with anything in them that a file system may hold.

Only folders and regular files are opened: a pipe would be waited for without end, a device read without end. Whoever asked for a long
piece of work may end it: :func:`interruptible`.
"""

import contextlib
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import IO

PIECE = 1 << 20
"""Bytes that are read and written at once."""


class Halted(Exception):
    """The work was ended before it was done, by whoever asked for it."""


_halt: ContextVar[threading.Event | None] = ContextVar("halt", default=None)


@contextlib.contextmanager
def interruptible(halt: threading.Event) -> Iterator[None]:
    """Work on files here, and in threads that ``asyncio.to_thread`` starts here, ends with Halted once *halt* is set."""
    token = _halt.set(halt)
    try:
        yield
    finally:
        _halt.reset(token)


def go_on() -> None:
    """Raise Halted where the work is to end. Called between pieces of it that take no time worth speaking of."""
    checker()()


def checker() -> Callable[[], None]:
    """:func:`go_on` for a thread that a library starts."""
    halt = _halt.get()

    def check() -> None:
        if halt is not None and halt.is_set():
            raise Halted

    return check


def walk(folder: Path) -> Iterator[Path]:
    """The entries of *folder* and below, each folder before what is in it, by name; links are not followed."""
    open_folders = [_entries(folder)]
    while open_folders:
        entry = next(open_folders[-1], None)
        if entry is None:
            open_folders.pop()
            continue
        go_on()
        yield entry
        if is_folder(entry):
            open_folders.append(_entries(entry))


def _entries(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.iterdir(), key=lambda path: path.name))


def is_folder(path: Path) -> bool:
    """True where *path* itself is a folder, and no link to one. Raises OSError where that cannot be known."""
    return stat.S_ISDIR(path.lstat().st_mode)


def is_special(path: Path) -> bool:
    """True where *path* itself is neither a file, a folder nor a link: a pipe, a socket, a device."""
    mode = path.lstat().st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode))


def read(path: Path) -> Iterator[bytes]:
    """The content of the regular file *path*, or of the one it links to, in pieces. Raises OSError, and where it is no such file."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise NotRegular(path)
    # Whatever takes its place meanwhile is not waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as content:  # noqa: PTH123 - of what is open already
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegular(path)
        while piece := content.read(PIECE):
            go_on()
            yield piece


def save(content: IO[bytes], target: Path) -> None:
    """Write all of *content*, an answer of a server, to the file *target*."""
    # What has come, where a stream can give that: a server may send a byte at a time.
    read = getattr(content, "read1", content.read)
    with target.open("wb") as written:
        while piece := read(PIECE):
            go_on()
            written.write(piece)


class NotRegular(OSError):
    """It is neither a file nor a folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not a regular file or directory")


def remove(path: Path) -> None:
    """Remove the file, link or folder *path*, which need not be there, however deep it is and whatever its folders are closed to."""
    if not os.path.lexists(path):
        return
    if not is_folder(path):
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except (RecursionError, PermissionError):
        _flatten(path)
        shutil.rmtree(path)


def _flatten(folder: Path) -> None:
    """Open every folder below *folder* to its owner, and move it directly into one of *folder*."""
    open_up(folder)
    left, moved = _folders_in(folder), 0
    place = Path(tempfile.mkdtemp(dir=folder))
    while left:
        outer = left.pop()
        open_up(outer)
        for inner in _folders_in(outer):
            open_up(inner)
            moved += 1
            left.append(inner.rename(place / str(moved)))


def open_up(folder: Path) -> None:
    """Let the owner of *folder* list it, and add and remove what is in it."""
    folder.chmod(folder.stat().st_mode | stat.S_IRWXU)


def _folders_in(folder: Path) -> list[Path]:
    return [entry for entry in folder.iterdir() if is_folder(entry)]
