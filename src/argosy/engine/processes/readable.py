"""The entries of a folder that everybody of this machine may read, as it is now.

A step that has root's rights would read the rest too, so a view shows no more than this.
"""

import os
import stat
import time
from typing import NamedTuple

_FILE = 0o004
_FOLDER = 0o005
_SETTLED = 0.1
"""Seconds after which a change of a folder has another time than the one before, also where clocks of file systems tick slowly."""
State = tuple[int, int] | None


class Folder(NamedTuple):
    """A folder that everybody may read, with the names of the *folders*, *files* and *links* in it that they may read as well. *whole*
    says that nothing in it, at any depth, is for some accounts only, *state* what :func:`state` was before any of it was looked at."""

    mode: int
    state: State
    whole: bool
    folders: "dict[str, Folder]"
    files: list[str]
    links: list[str]


def look(path: str, mode: int = 0o755) -> Folder:
    """The folder at *path*, which has the permissions *mode*. What goes away meanwhile is as if it had never been.

    It is not remembered: a file becomes private without any trace in its folder."""
    before = state(path)
    folders: dict[str, Folder] = {}
    files: list[str] = []
    links: list[str] = []
    whole = True
    for entry in _entries(path):
        if entry.is_symlink():
            links.append(entry.name)
            continue
        try:
            found = entry.stat(follow_symlinks=False).st_mode
        except FileNotFoundError:
            continue
        if not may_read(found):
            whole = False
        elif stat.S_ISDIR(found):
            folders[entry.name] = inner = look(entry.path, stat.S_IMODE(found))
            whole = whole and inner.whole
        elif stat.S_ISREG(found):
            files.append(entry.name)
    return Folder(mode, before, whole, folders, files, links)


def state(path: str) -> State:
    """A value that differs once the folder *path* has another name in it, or other permissions; None where that cannot be told yet."""
    try:
        found = os.stat(path)  # noqa: PTH116 - done for each step
    except FileNotFoundError:
        return None
    return None if abs(time.time() - found.st_ctime) < _SETTLED else (found.st_ino, found.st_ctime_ns)


def held(path: str) -> int | None:
    """The file at *path*, which has no links on the way, held by a descriptor that reads nothing; None where not everybody may go there and
    read it, or there is none."""
    number = os.open("/", os.O_PATH | os.O_CLOEXEC)
    for part in path.split("/")[1:]:
        above = number
        try:
            if not os.fstat(above).st_mode & stat.S_IXOTH:
                return None
            number = os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
        except (FileNotFoundError, NotADirectoryError, PermissionError):  # the last: everybody but this account
            return None
        finally:
            os.close(above)
    mode = os.fstat(number).st_mode
    if stat.S_ISREG(mode) and may_read(mode):
        return number
    os.close(number)
    return None


def may_read(mode: int) -> bool:
    """True where everybody may read a file or folder whose type and permissions are *mode*."""
    wanted = _FOLDER if stat.S_ISDIR(mode) else _FILE
    return mode & wanted == wanted


def _entries(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []
