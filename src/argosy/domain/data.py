"""The documents about a run's data: snapshot, lineage, rejected rows, feature schema, validation result."""

from typing import Literal

from pydantic import AwareDatetime

from argosy.domain.documents import Document
from argosy.domain.model_settings import EntitySplit, TimeSplit
from argosy.domain.source_settings import ColumnType


class ReachedPlace(Document):
    """How far a source with a `watermark` was read: what a later run needs to know to read on from here.

    Of a timestamp the values are microseconds since 1970.
    """

    contract: str
    """Digest of the settings that its rows were read by: by others they have to be read anew."""
    until: int | None = None
    """The newest value of the column; None of a topic."""
    settled: int | None = None
    """What is older than this does not come any more."""
    set_aside: int = 0
    """How many of the rows that are older than that a rule kept aside, so that they are not in the table."""
    partitions: str | None = None
    """Of a folder: digest of the paths and sizes of the partitions that are older than that."""
    offsets: dict[str, int] | None = None
    """Of a topic: by partition the offset of the first message that is not in the table."""


class TableManifest(Document):
    """One table of a snapshot."""

    source: str
    path: str
    digest: str
    rows: int
    bytes: int
    columns: dict[str, ColumnType]
    reached: ReachedPlace | None = None
    """None of a source that is read whole at each run."""


class SnapshotManifest(Document):
    """``manifest.json`` of a snapshot: its content and nothing else, so equal data gives an equal digest."""

    model: str
    tables: list[TableManifest]
    as_of: AwareDatetime | None = None
    """The moment at which it was known; None where it is all that the sources had."""

    def table(self, source: str) -> TableManifest:
        """The table of *source*."""
        return next(table for table in self.tables if table.source == source)


class EarlierRef(Document):
    """``earlier.json``: which snapshot was accepted last."""

    snapshot_digest: str | None = None
    """None where none was yet."""


class SourceReading(Document):
    """One reading of a source that is no file: what was asked, when, and at which state of the server."""

    asked: str
    """The query as it was sent."""
    at: str
    """When it began, RFC 3339, by this machine's clock."""
    position: dict[str, str] = {}
    """What the server says of the state that it answered from: its time, snapshot, place in the log; by its own names."""


class Increment(Document):
    """What of a source with a `watermark` one run read, and what it took from an earlier snapshot."""

    since: str | None = None
    """The value, or the offsets, from which on rows were read; None: all were."""
    until: str | None = None
    """The newest value that was read, or the offsets up to which messages were."""
    snapshot: str | None = None
    """The snapshot that the rest was taken from."""
    rows_taken: int = 0
    """The rows of it that are in this one."""
    whole: str | None = None
    """Why all rows were read, where they were."""


class SourceLineage(Document):
    """The lineage of one table: its source file, and the rows read, kept and rejected."""

    source: str
    location: str
    location_digest: str
    rows_read: int
    rows_kept: int
    rows_rejected: int
    rejected_by_reason: dict[str, int]
    rows_unknown: int | None = None
    """Rows that were not yet known at the moment as of which the run looks; they are not among those read. None where it looks from now."""
    bytes_read: int
    seconds: float
    reading: SourceReading | None = None
    """None of a file, whose digest says it all."""
    read_as: str | None = None
    """How the file was found to be written, where the settings do not say it."""
    partitions: int | None = None
    """Files of a folder of partitions; None of one file."""
    absent: str | None = None
    """What of the contract some partitions do not have, in words."""
    increment: Increment | None = None
    """None of a source that is read whole at each run. Otherwise *rows_read* counts what was read, and *rows_kept* the whole table."""


class Lineage(Document):
    """``lineage.json``: the answer to "which exact data made this model, read when, by which code?"."""

    snapshot_digest: str
    ingested_at: str
    as_of: AwareDatetime | None = None
    """The moment as of which the sources were looked at; None: as of that of the reading."""
    code_version: str
    sources: list[SourceLineage]

    @property
    def anomaly_rate(self) -> float:
        """Share of the rows read that were kept aside."""
        read = sum(source.rows_read for source in self.sources)
        return sum(source.rows_rejected for source in self.sources) / read if read else 0.0


Layer = Literal["schema", "statistical", "business"]


class ExpectationResult(Document):
    """The result of one expectation, as ``validation.json`` holds it."""

    layer: Layer
    source: str
    expectation: str
    column: str | None = None
    critical: bool
    passed: bool
    observed: str
    unexpected_count: int = 0
    examples: list[str] = []
    """A few offending values; withheld (empty) where the column is personal data."""
    explanation: str
    asked_by: Literal["duckdb", "great-expectations"] | None = None
    """Who asked: together with others in passes over the file, or Great Expectations itself; None of Argosy's own checks."""


class ValidationResult(Document):
    """``validation.json``: every expectation of the three suites."""

    snapshot_digest: str
    results: list[ExpectationResult]

    @property
    def critical_failures(self) -> list[ExpectationResult]:
        """The failures that stop the run."""
        return [result for result in self.results if result.critical and not result.passed]


class FeatureColumn(Document):
    """One model feature."""

    name: str
    type: Literal["number", "category"]
    levels: list[str] | None = None
    """Of a category, sorted: those present in the training side. A level not listed is missing to the model."""
    view: str
    personal: bool = False
    """Personal data by the contract: never logged with a prediction."""
    nullable: bool = True
    """True where null is a value to expect: the contract allows it, or examples had none for a row (a join found nothing)."""


class TakenColumn(Document):
    """A feature as a view takes it."""

    name: str
    column: str
    """The column of the source."""
    type: Literal["number", "category"]


class FeatureViewShape(Document):
    """How features were looked up in one source, so that others can look them up again without the library that defines them."""

    source: str
    keys: list[str]
    time: str
    created: str | None = None
    lifetime_microseconds: int | None = None
    """How old a row may be; None: any age."""
    unambiguous: bool
    columns: list[TakenColumn]


class FeatureSchema(Document):
    """``schema.json`` beside ``rows.parquet``: which column is what.

    The columns of ``rows.parquet``: the join keys (as in the settings), ``event_timestamp`` (UTC, microseconds), each feature
    (float64 for a number, string for a category), each context column (sensitive attributes and slices that are no features),
    ``label`` (int64 class index, float64 for regression), ``side`` ("train", "holdout", "recent", or "older" for rows that nothing is
    made of), and for each view the time of the row that its features are of (int64 microseconds after 1970 began; null where there is
    none), which the online store keeps. Rows are sorted by the join keys.
    """

    features: list[FeatureColumn]
    context: list[str]
    join_keys: list[str]
    rows_train: int
    rows_holdout: int
    rows_recent: int = 0
    """Of the side ``recent``: the newest labelled rows, kept for judging."""
    recent_after: AwareDatetime | None = None
    """The moment after which they lie; None where none are kept."""
    recent_until: AwareDatetime | None = None
    """The newest of them."""
    trained_from: AwareDatetime | None = None
    """The oldest row of the training side."""
    trained_until: AwareDatetime | None = None
    """The newest row of the training side."""
    online_digest: str
    online_until: AwareDatetime | None = None
    """The newest row in the online store, of whatever side; None from an earlier Argosy."""
    views: list[FeatureViewShape] = []
    """Where the features come from; empty from an earlier Argosy."""
    as_of: AwareDatetime | None = None
    """The moment as of which the data was looked at; None where it is all that the sources had."""
    split: EntitySplit | TimeSplit | None = None
    """How the rows were split, where a run as of an early moment could not be split as the settings say."""
