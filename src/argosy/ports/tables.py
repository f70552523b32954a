"""Tables in files: read by a data contract, and asked for the examples of a model.

Owns no meaning: what a column is and which rows are unwanted comes with each call, from the model's settings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from argosy.domain.model_settings import Label
from argosy.domain.source_settings import RejectRule, Source

if TYPE_CHECKING:
    import pyarrow as pa

EVENT_TIME = "event_timestamp"
"""The column that a snapshot's table gets where its source has no times but one moment for all rows."""

LABEL = "label"
"""The column of the label among the examples."""


@dataclass(frozen=True)
class Counts:
    """Counts of the rows of one file: read, kept, rejected by reason."""

    read: int
    rejected: Mapping[str, int]
    """Rows kept aside, by reason, in the order of the rules."""
    left_behind: Sequence[str]
    """Columns of the file that the contract does not name: not read."""

    @property
    def kept(self) -> int:
        """Rows that were passed on."""
        return self.read - sum(self.rejected.values())


class Tables(Protocol):
    """Reads and writes tables."""

    def snapshot(
        self, source: Source, rules: Sequence[RejectRule], file: Path, *, kept: Path, rejected: Path
    ) -> Counts:
        """Read *file* as the contract of *source* says, and write two Parquet files with the same bytes for the same rows in any order.

        *kept* has the contract's columns, typed, and :data:`EVENT_TIME` where the source has one moment for all rows; times are UTC in
        microseconds; rows are sorted by entity and time. *rejected* has the rows that a rule keeps aside, as they were read, with their
        number and the reason; a rule sees an unreadable value as a missing one. Nothing is written before all rows are checked.

        Raises Rejected where the content breaks the contract and no rule keeps the row aside (values of personal columns are never
        quoted), Misconfigured where *file* is not there or a rule is no condition over the columns, LocalDisk where there is no room.
        """

    def examples(self, table: Path, source: Source, label: Label, columns: Sequence[str]) -> "pa.Table":
        """The examples in the snapshot's *table*: *columns*, :data:`EVENT_TIME` and :data:`LABEL`, sorted by the source's entity and time.

        The label is a number: the value, or the index of the class that the expression gives by number, by name or as a condition; -1
        where it gives a name that no class has; null where the expression is. Raises Misconfigured where the expression cannot be asked
        of the table.
        """

    def derive(
        self, table: Path, source: Source, expressions: Mapping[str, str], label: Label | None = None
    ) -> "pa.Table":
        """The snapshot's *table* with a column more for each of *expressions* (name to DuckDB SQL over its columns), and one for *label*.

        Raises Misconfigured where one cannot be asked of the table.
        """

    def explain(self, source: Source, expression: str, *, condition: bool) -> str | None:
        """Why *expression* cannot be asked of a table with the contract of *source*, or None; *condition*: it has to be true or false."""
