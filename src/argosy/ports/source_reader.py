"""Reads sources that are no files of a folder: rows of a database, as files that the reader of tables takes. Says what a database has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from argosy.domain.data import ReachedPlace, SourceReading
from argosy.domain.source_settings import Source

NOTHING: Mapping[str, ReachedPlace] = MappingProxyType({})


@dataclass(frozen=True)
class Fetched:
    """The rows of one source on this machine."""

    file: Path
    location: str
    """Where they were read from, for people and lineage; it holds no password."""
    reading: SourceReading | None = None
    since: ReachedPlace | None = None
    """From where on they were read; None: all were."""
    unread: int | None = None
    """The rows that were left there since they are settled, as the server counted them; None where it did not."""
    offsets: Mapping[str, int] | None = None
    """Of a topic: by partition the offset of the first message that was not read."""
    sizes: Mapping[str, int] | None = None
    """Of a folder: its partitions with their sizes in bytes, those too that were not read."""


class SourceReader(Protocol):
    """Reads the rows of sources to files."""

    def fetch(
        self, sources: Sequence[Source], into: Path, since: Mapping[str, ReachedPlace] = NOTHING
    ) -> Mapping[str, Fetched]:
        """Read *sources* to files ``file_name`` in the folder *into*, by name; those of one server at one state of it.

        *since*: by name, how far sources were read before. Of these at least what is not settled is read, where that can be asked for.

        Memory does not grow with the rows, and a file is there whole or not at all. Raises Misconfigured where somebody has to act: no
        address, no driver, no right, no such table; TryAgain where the server fails or breaks off, LocalDisk where there is no room. No
        message holds a password.
        """


@dataclass(frozen=True)
class TableOutline:
    """A table of a database that no contract describes yet."""

    columns: tuple[str, ...]
    """Those that a contract can have."""
    others: Mapping[str, str]
    """Columns whose values are no text, number, truth or time, with their type there."""
    key: str | None
    """The column that is the primary key by itself; None where there is none."""
    quoted: Mapping[str, str]
    """Each of *columns* as this database's SQL names it."""
    quoted_table: str


class Database(SourceReader, Protocol):
    """A reader of databases that says what is in them, so that a model can be made of a table."""

    def tables(self, secret: str) -> Sequence[str]:
        """The tables and views of the database whose address is named *secret*. Raises as ``fetch`` does."""

    def outline(self, secret: str, table: str) -> TableOutline:
        """What *table* has, which is one of ``tables`` or a name with its schema. Raises as ``fetch`` does."""
