"""Reads sources that are no files of a folder: rows of a database, as files that the reader of tables takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from argosy.domain.data import SourceReading
from argosy.domain.source_settings import Source


@dataclass(frozen=True)
class Fetched:
    """The rows of one source on this machine."""

    file: Path
    location: str
    """Where they were read from, for people and lineage; it holds no password."""
    reading: SourceReading | None = None


class SourceReader(Protocol):
    """Reads the rows of sources to files."""

    def fetch(self, sources: Sequence[Source], into: Path) -> Mapping[str, Fetched]:
        """Read *sources* to files ``file_name`` in the folder *into*, by name; those of one server at one state of it.

        Memory does not grow with the rows, and a file is there whole or not at all. Raises Misconfigured where somebody has to act: no
        address, no driver, no right, no such table; TryAgain where the server fails or breaks off, LocalDisk where there is no room. No
        message holds a password.
        """
