"""The port to files of rows, below one root: the tables that are scored, and what comes of them.

Names are parts with slashes between (``date=2026-01-31/customers.parquet``), as whoever wrote the tables chose them. Whether the root is a
folder or a prefix of a bucket is an adapter's. An instance can be sent to another process.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol, Self


class TableFiles(Protocol):
    """Files below one root.

    Each verb raises TryAgain when the store fails, LocalDisk where a disk of this machine takes no more, and Misconfigured where somebody
    has to act first: no bucket, no right.
    """

    @property
    def uri(self) -> str:
        """The root, as people write it."""

    def below(self, folder: str) -> Self:
        """The files of *folder*, one part, of this root."""

    def names(self) -> list[str]:
        """The names of all files, sorted; of a root that is one file its own. Raises Misconfigured where there is no such root."""

    def version(self, name: str) -> str | None:
        """What says whether the file *name* is still the same, cheaply; None where there is none."""

    def fingerprint(self, name: str) -> str:
        """What says whether the content of the file *name*, which is there, was ever the same, for years."""

    def open(self, name: str, version: str | None) -> BinaryIO:
        """The file *name*, of which any place can be read; in *version*, unless that is None.

        Raises TryAgain, then or while it is read, where it is another version now, or gone.
        """

    def draft(self, name: str) -> AbstractContextManager[Path]:
        """A place on this machine where the content of the file *name* may be written, and nobody else does. It goes with the block."""

    def keep(self, name: str, draft: Path, over: str | None) -> bool:
        """Keep what was written at *draft* as the file *name*, whole or not at all.

        *over*: the version that it takes the place of, None for a new file. False, and nothing was done, where something else is there.
        """

    def get(self, name: str) -> bytes | None:
        """The content of the small file *name*; None where there is none."""

    def put(self, name: str, content: bytes) -> None:
        """Keep *content* as the small file *name*, whatever is there."""

    def remove(self, name: str) -> None:
        """Remove the file *name*; nothing there is no error."""
