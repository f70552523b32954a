"""Folders below a root in which several processes keep files, and from which each removes what it emptied.

Between one process making a folder and writing into it another may have deleted the folder's last file, and the folder with it.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

ATTEMPTS = 20
"""Each is lost only to one more deletion in the moment between making the folder and writing into it."""

Written = TypeVar("Written")


def write_inside(folder: Path, write: Callable[[], Written]) -> Written:
    """What *write* returns, called with *folder* there, and again where it raised FileNotFoundError because *folder* went meanwhile.

    Raises OSError: what *write* raises, and FileExistsError or NotADirectoryError where a file stands in the place of *folder* or above it.
    """
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(FileNotFoundError):
            if _is_made(folder):
                return write()
    folder.mkdir(parents=True, exist_ok=True)
    return write()


def remove_emptied(folder: Path, root: Path) -> None:
    """Remove *folder* and those above it, up to *root*, as far as nothing is in them."""
    with contextlib.suppress(OSError):  # not empty, or another process was first
        while folder != root and folder.is_relative_to(root):
            folder.rmdir()
            folder = folder.parent


def _is_made(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        # Also where the folder was there and is gone when mkdir looks what it is. A file that stays is for the caller to hear of.
        if folder.exists() and not folder.is_dir():
            raise
        return False
    return True
