"""The port to the model store: folders that never change once they are there.

What a folder holds, and whether its digest is the one that was approved, is the caller's to check; a store only promises that a folder is
there whole or not at all.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class StoredFolder:
    """A folder that a store has, whole."""

    name: str
    uri: str
    at: datetime.datetime
    """When it was put last, by the store's clock."""


class Artifacts(Protocol):
    """Folders kept under names."""

    def put(self, folder: Path, name: str) -> str:
        """Store *folder* under *name* (such as ``models/<model>/<hex>``) and return its URI, which ends in a slash.

        Putting equal content again is no error, and makes it the newest: it was needed just now. Raises Misconfigured where other
        content has that name, or where the folder holds anything but plain files and folders; TryAgain where the store fails.
        """

    def get(self, uri: str, into: Path) -> None:
        """Copy the folder at *uri* to *into*, whole or not at all; *into* must not exist yet, or be empty.

        Raises Misconfigured where nothing is there or where *uri* is not this store's; TryAgain where the store fails.
        """

    def folders(self, prefix: str) -> Iterator[StoredFolder]:
        """The folders whose names begin with *prefix*, a folder's name and a slash, by name. Those that come or go meanwhile may be missed.

        Raises TryAgain where the store fails.
        """

    def read(self, name: str, path: str) -> bytes | None:
        """The file *path* of the folder *name*; None where there is no such file. Raises TryAgain where the store fails."""

    def remove(self, name: str) -> None:
        """Remove the folder *name*: no reader sees half of it. Nothing there is no error. Raises TryAgain where the store fails."""
