"""The ports to what erases one person's rows: of tables in files, and of the prediction log."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class RowEraser(Protocol):
    """Finds and leaves out the rows of one entity. A table without all of its join keys as columns has none of them."""

    def holds(self, file: Path, entity: Mapping[str, str]) -> int:
        """The number of rows of *file*, Parquet or Avro, that are of *entity*, its join keys as text. Raises Misconfigured or Rejected
        where *file* cannot be read."""

    def leave_out(self, file: Path, entity: Mapping[str, str], into: Path) -> int:
        """Write the rows of *file* but those of *entity* to *into*, in their order; the number that is left. The same bytes each time."""


@dataclass(frozen=True)
class LoggedRows:
    """Logged predictions of one entity in one place."""

    place: str
    rows: int
    open: bool = False
    """True where a server still writes there, so that nothing else may."""


class LogEraser(Protocol):
    """Finds and removes one entity's predictions, whatever environment and version answered them."""

    def erase(self, model: str, hashes: Collection[str], *, delete: bool) -> Iterator[LoggedRows]:
        """The places with predictions of *model* about an entity whose hash is one of *hashes*; where *delete* is set, they are gone there
        when the place is named, unless it is open.

        Raises TryAgain where the store fails: done again, it goes on.
        """
