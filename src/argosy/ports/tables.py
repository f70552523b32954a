"""Tables in files: read by a data contract, and asked for the examples of a model.

Owns no meaning: what a column is and which rows are unwanted comes with each call, from the model's settings.
"""

import datetime
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from argosy.domain.as_of import Knowledge
from argosy.domain.data import ReachedPlace
from argosy.domain.model_settings import Label
from argosy.domain.source_settings import RejectRule, Source

if TYPE_CHECKING:
    import pyarrow as pa

EVENT_TIME = "event_timestamp"
"""The column that a snapshot's table gets where its source has no times but one moment for all rows."""

LABEL = "label"
"""The column of the label among the examples."""

NUMBER = "argosy_row"
"""The column that says which row of a file a row is, so that its order can be had again."""


@dataclass(frozen=True)
class TablePiece:
    """A part of a table, whose rows can be had without those of the others."""

    name: str
    file: Callable[[], Path]
    """Its Parquet file, which may be made only when it is asked for."""
    digest: str | None = None
    """Of its content and of how it is read: where it is equal, so are the rows. None where nobody knows."""

    @classmethod
    def of(cls, file: Path) -> "TablePiece":
        """The Parquet *file*."""
        return cls(str(file), functools.partial(Path, file))


@dataclass(frozen=True)
class Derived:
    """A table of a snapshot with a column more for each of *expressions* (name to DuckDB SQL over its columns), and one for *label*."""

    parts: Sequence[TablePiece]
    """The rows of the first come first."""
    source: Source
    expressions: Mapping[str, str] = field(default_factory=dict)
    label: Label | None = None

    @classmethod
    def of(
        cls,
        files: Sequence[Path],
        source: Source,
        expressions: Mapping[str, str] | None = None,
        label: Label | None = None,
    ) -> "Derived":
        """The table in the Parquet *files*."""
        return cls([TablePiece.of(file) for file in files], source, expressions or {}, label)

    @property
    def files(self) -> list[Path]:
        """Its Parquet files, in the order of the rows."""
        return [part.file() for part in self.parts]


@dataclass(frozen=True)
class Repeated:
    """What is there more than once in a table, by its keys."""

    keys: int
    """How many different ones there are."""
    repeated: int
    """How many of them several rows have."""
    first: "pa.Table"
    """The first of these, in their order."""


@dataclass(frozen=True)
class Taken:
    """A column to take of the row that was found."""

    column: str
    name: str
    """What it is called among the examples."""
    type: Literal["number", "category"]
    """A number is float64, a category text, whatever the column is."""


@dataclass(frozen=True)
class AsOfView:
    """A table of the snapshot in which rows are looked up by their keys, as they were true and known at a moment."""

    source: str
    keys: Sequence[str]
    """Columns of the table and of the examples; a row with a missing one is found by nobody."""
    time: str
    created: str | None
    """The column of the moment at which a row was written down; None where it was known at its time."""
    lifetime: datetime.timedelta | None
    """How old a row may be, to the microsecond; None: any age."""
    unambiguous: bool
    """True where rows of one key and one time are alike. Otherwise the last of the table counts."""
    columns: Sequence[Taken]
    moment: str | None = None
    """What the time of the row that was found is called among the examples: microseconds after 1970 began. None: it is not taken."""

    @property
    def added(self) -> list[str]:
        """The columns that the examples get of it."""
        return [taken.name for taken in self.columns] + ([] if self.moment is None else [self.moment])


@dataclass(frozen=True)
class Earlier:
    """The table of a source in an earlier snapshot, whose settled rows are not read again."""

    table: Path
    reached: ReachedPlace
    unread: int | None = None
    """The rows that its source was not asked for, as it counts them; None where it does not: they are vouched for otherwise."""


@dataclass(frozen=True)
class Progress:
    """How far a source with a watermark was read, by the values of its column."""

    until: int | None
    """None where no row has one."""
    settled: int | None
    set_aside: int
    """Rows older than *settled* that a rule kept aside, those of earlier readings too."""


@dataclass(frozen=True)
class Counts:
    """Counts of the rows of one file: read, kept, rejected by reason."""

    read: int
    rejected: Mapping[str, int]
    """Rows kept aside, by reason, in the order of the rules."""
    left_behind: Sequence[str]
    """Columns of the file that the contract does not name: not read."""
    read_as: str | None = None
    """How the file is written beyond what the settings say of it; None where they say it."""
    unknown: int = 0
    """Rows that were not known at the moment that was asked for: none of those read."""
    first_known: datetime.datetime | None = None
    """The moment at which the first of the file's rows was known; None where nothing was asked about it."""
    absent: str | None = None
    """What of the contract some partitions do not have, in words."""
    parts: int = 0
    """Partitions of a folder; 0 of a file."""
    taken: int = 0
    """Rows of an earlier snapshot that were passed on, too."""
    progress: Progress | None = None
    """None of a source without a watermark, or one of offsets."""

    @property
    def kept(self) -> int:
        """Rows that were passed on."""
        return self.read - sum(self.rejected.values()) + self.taken


class Tables(Protocol):
    """Reads and writes tables."""

    def snapshot(
        self,
        source: Source,
        rules: Sequence[RejectRule],
        file: Path,
        *,
        kept: Path,
        rejected: Path,
        known: Knowledge | None = None,
        earlier: Earlier | None = None,
    ) -> Counts:
        """Read *file*, or the partitions of that folder, as the contract of *source* says, and write two Parquet files with the same bytes
        for the same rows in any order.

        *kept* has the contract's columns, typed, and :data:`EVENT_TIME` where the source has one moment for all rows; times are UTC in
        microseconds; rows are sorted by entity and time. *rejected* has the rows that a rule keeps aside, as they were read, with their
        number and the reason; a rule sees an unreadable value as a missing one. Nothing is written before all rows are checked.

        *known*: rows that were not known then count as if the file did not have them; one that does not say when it was known stays. A
        file of which nothing was known gives two tables without rows.

        *earlier*: *file* has what is not settled there, and maybe more; *kept* gets the settled rows of that table, too, but for those
        whose key comes anew. The bytes are those of a *file* with all rows. Raises DivergedError where the source has other settled rows.

        Raises Rejected where the content breaks the contract and no rule keeps the row aside (values of personal columns are never
        quoted), Misconfigured where *file* is not there or a rule is no condition over the columns, LocalDisk where there is no room.
        """

    def parts(self, source: Source, rules: Sequence[RejectRule], place: Path, into: Path) -> Sequence[TablePiece]:
        """The partitions of the folder *place*, or that file: each becomes a table as :meth:`snapshot` makes one, in the folder *into*,
        when its file is asked for. Together they have the same rows as the folder as a whole, in the order of the partitions.

        One part where a rule looks at several rows, because it may find them in several partitions. Raises, now or when a file is asked
        for, what :meth:`snapshot` raises.
        """

    def examples(
        self, table: Path, source: Source, label: Label, columns: Sequence[str], order: Sequence[str]
    ) -> "Iterator[pa.RecordBatch]":
        """The examples in the snapshot's *table*, a batch at a time: *columns*, :data:`EVENT_TIME` and :data:`LABEL`, sorted by the
        columns *order*, their time, and the source's entity.

        The label is a number: the value, or the index of the class that the expression gives by number, by name or as a condition; -1
        where it gives a name that no class has; null where the expression is. Raises Misconfigured where the expression cannot be asked
        of the table.
        """

    def join(
        self,
        examples: Path,
        snapshot: Path,
        columns: Sequence[str],
        views: Sequence[AsOfView],
        *,
        where: str | None = None,
    ) -> "Iterator[pa.RecordBatch]":
        """The *columns* of the rows of the file *examples*, by its column :data:`NUMBER`, and those of *views*, tables of *snapshot*:
        of the rows with one's keys the newest true and known at its :data:`EVENT_TIME`; null where there is none, or it is too old.

        *where*: the value that the examples' column ``side`` has to have. Memory is bounded, whatever the size of the tables; what does not
        fit waits on disk. Raises Misconfigured where a view's columns are not there or cannot be read as their type, LocalDisk where there
        is no room.
        """

    def in_order(self, file: Path, column: str) -> "Iterator[pa.RecordBatch]":
        """The rows of *file* sorted by *column*; memory and failures as with :meth:`join`."""

    def derive(self, derived: Derived, columns: Sequence[str] | None = None) -> "pa.Table":
        """The table *derived* in memory, or only *columns* of it.

        Raises Misconfigured where an expression cannot be asked of the table, or there is not the memory for it.
        """

    def repeated(self, derived: Derived, keys: Sequence[str], columns: Sequence[str] | None = None) -> Repeated:
        """The *keys* that several rows of *derived* have; *columns*: of rows that are alike in all of these only one counts.

        Memory is bounded, what does not fit waits on disk. Failures as with :meth:`derive`.
        """

    def explain(self, source: Source, expression: str, *, condition: bool) -> str | None:
        """Why *expression* cannot be asked of a table with the contract of *source*, or None; *condition*: it has to be true or false."""
