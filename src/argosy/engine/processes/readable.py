"""What everybody of this machine may read in a folder, as it is now.

A step that has root's rights would read the rest too, so a view shows no more than this.
"""

import os
import stat
from typing import NamedTuple

_FILE = 0o004
_FOLDER = 0o005


class Folder(NamedTuple):
    """A folder that everybody may read, with the names of the *folders*, *files* and *links* in it that they may read as well. *whole*
    says that nothing in it, at any depth, is for some accounts only."""

    mode: int
    whole: bool
    folders: "dict[str, Folder]"
    files: list[str]
    links: list[str]


def look(path: str, mode: int = 0o755) -> Folder:
    """The folder at *path*, which has the permissions *mode*. What goes away meanwhile is as if it had never been.

    It is not remembered: a file becomes private without any trace in its folder."""
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
    return Folder(mode, whole, folders, files, links)


def may_read(mode: int) -> bool:
    """Whether everybody may read a file or folder whose type and permissions are *mode*."""
    wanted = _FOLDER if stat.S_ISDIR(mode) else _FILE
    return mode & wanted == wanted


def _entries(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []
