"""The port to the prediction log: a server's record of each answer, read back to measure drift.

Writing never blocks an answer and never fails it: what cannot be kept is counted. Personal columns and plain ids do not get this far;
leaving them out is the server's work. How records reach a disk or an object store is an adapter's.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a server writes records and should not wait for what only readers need
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class ServedRelease:
    """The release that gave the answers of one log."""

    model: str
    environment: str
    version: int | None
    """None for a bundle that was never registered."""
    digest: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answered row."""

    time: float
    """When it was answered: seconds since 1970, UTC."""
    request_id: str
    row: int
    """Place of the row in its request, from 0."""
    entity: str | None
    """Keyed hash of the join keys; None where the request named none."""
    features: Mapping[str, float | str | None]
    """Without personal columns; a level that the model does not know is :data:`OTHER`."""
    score: Sequence[float]
    decision: str | None
    """The class decided for; None for a regression."""


OTHER = "\N{HORIZONTAL ELLIPSIS}other"
"""Stands for every level that the model does not know: what a caller typed there is nobody's business."""


@dataclass(frozen=True, slots=True)
class LogCounts:
    """Counts of the records that a log was given."""

    pending: int
    """Taken but not yet with the operating system: what a crash of this process would lose."""
    written: int
    dropped: Mapping[str, int]
    """Records not kept, by reason."""


class PredictionLog(Protocol):
    """Takes records of one release."""

    def append(self, predictions: Sequence[Prediction]) -> None:
        """Take *predictions*. Returns at once and never raises; what cannot be kept is counted as dropped."""

    def standing(self) -> LogCounts:
        """The numbers of records that are pending, written and dropped."""

    def close(self) -> None:
        """Write what is pending and stop. Nothing may be appended afterwards."""


@dataclass(frozen=True, slots=True)
class Logged:
    """Records of one release, in columns."""

    served: ServedRelease
    table: "pa.Table"
    """Columns: ``time`` (timestamp, microseconds, UTC), ``request_id``, ``row``, ``entity``, ``score`` (list of float64), ``decision``,
    and ``features`` (a struct with a float64 or string for each feature)."""
    damaged: int = 0
    """Parts of the log that could not be read, such as the torn end a crash leaves."""


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """A part of the log that nobody writes any more: records of one hour (UTC, by their time) and one release."""

    model: str
    environment: str
    version: int | None
    digest: str
    """Of the model."""
    hour: datetime.datetime
    name: str
    """By its content: equal names, equal records."""
    sealed: bool = True
    """False where a server of this machine still writes it: its records are read anew each time, and its name says nothing of them."""


class PredictionHistory(Protocol):
    """Reads records back, those of a server that still runs included."""

    def segments(
        self,
        model: str,
        environment: str,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Iterator[SegmentRef]:
        """The segments of the hours that hold a moment from *since* (inclusive) to *until* (exclusive), in no order.

        Raises TryAgain when the store fails.
        """

    def read_segment(self, ref: SegmentRef) -> Logged:
        """The records of *ref*: none, and one damaged part, where it cannot be read. Raises TryAgain when the store fails."""

    def read(
        self,
        model: str,
        environment: str,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Iterator[Logged]:
        """The records of *model* in *environment* from *since* (inclusive) to *until* (exclusive), a batch at a time, in no order.

        Each record comes once. Raises TryAgain when the store fails.
        """
