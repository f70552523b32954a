"""The port to the prediction log: a server's record of each answer, read back to measure drift.

Writing never blocks an answer and never fails it: what cannot be kept is counted. Plain ids do not get this far, and of personal
columns nothing that has a name; leaving them out is the server's work. How records reach a disk or an object store is an adapter's.
"""

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, overload

if TYPE_CHECKING:  # a server writes records and should not wait for what only readers need
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Scores = Sequence[Sequence[float]] | npt.NDArray[np.float64]


def shadows_of(environment: str) -> str:
    """The environment under which the answers of shadows in *environment* are logged: nobody got them, so who reads what the environment
    answered never meets them."""
    return f"{environment}.shadow"


def judged_of(environment: str) -> str:
    """The environment under which it is logged what a judge says of a sample of the answers in *environment*: a judgement is no answer."""
    return f"{environment}.judged"


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


@dataclass(frozen=True, eq=False)
class FeatureWords:
    """The features that a log keeps of one release, in order, and what each may say."""

    names: Sequence[str]
    words: Sequence[Sequence[str] | None]
    """A feature each: None for a number; of a category its levels, and :data:`OTHER` behind them."""
    places: "npt.NDArray[np.intp] | None" = None
    """Where an array has these features, which has others besides that nobody may keep; None where it has these alone."""

    def chosen(self, array: "npt.NDArray[np.float64]") -> "npt.NDArray[np.float64]":
        """The rows of *array* that are of these features."""
        return array if self.places is None else array[self.places]


class CodedFeatures(Mapping[str, Sequence[float | str | None]]):
    """The features of rows in one array. What it means is read from it only for who asks for a feature by its name, and what may not be
    kept by nobody: it is left out for many requests at once, since for each it would cost as much as all that is logged of a row."""

    __slots__ = ("array", "meaning")

    def __init__(self, meaning: FeatureWords, array: "npt.NDArray[np.float64]") -> None:
        """*array*: a row a feature; a number as it is, a category as the place of its word, NaN for null."""
        self.meaning = meaning
        self.array = array

    def __getitem__(self, name: str) -> Sequence[float | str | None]:
        if name not in self.meaning.names:
            raise KeyError(name)
        place = self.meaning.names.index(name)
        words, given = self.meaning.words[place], self.meaning.chosen(self.array)[place].tolist()
        return [None if math.isnan(value) else value if words is None else words[int(value)] for value in given]

    def __iter__(self) -> Iterator[str]:
        return iter(self.meaning.names)

    def __len__(self) -> int:
        return len(self.meaning.names)


class AnsweredRows(Sequence[Prediction]):
    """The rows of one request, in columns: a log that keeps columns makes no object of each."""

    __slots__ = ("decisions", "entities", "features", "request_id", "scores", "time")

    def __init__(
        self,
        time: float,
        request_id: str,
        *,
        entities: Sequence[str | None] | None,
        features: Mapping[str, Sequence[float | str | None]],
        scores: "Scores",
        decisions: Sequence[str | None],
    ) -> None:
        """See :class:`Prediction`; each sequence has a value a row. *entities*: None where no row has one.

        Arrays and tuples rather than lists of lists, and :class:`CodedFeatures` above all: what many requests hold at once, Python's
        garbage collector walks again and again.
        """
        self.time = time
        self.request_id = request_id
        self.entities = entities
        self.features = features
        self.scores = scores
        self.decisions = decisions

    def __len__(self) -> int:
        return len(self.scores)

    @overload
    def __getitem__(self, place: int) -> Prediction: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Prediction]: ...
    def __getitem__(self, place: int | slice) -> Prediction | Sequence[Prediction]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        row = range(len(self))[place]
        features = {name: values[row] for name, values in self.features.items()}
        entity = None if self.entities is None else self.entities[row]
        return Prediction(
            self.time, self.request_id, row, entity, features, list(self.scores[row]), self.decisions[row]
        )


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
    shipped: int = 0
    """Records that the store has, those that earlier processes left on this machine included."""
    waiting_bytes: int = 0
    """Size of what is on this machine and not in the store."""
    oldest_seconds: float = 0.0
    """Age of the oldest of it; 0 where nothing waits."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """Attempts to ship that failed, by the kind of the error; they are made again."""
    damaged: int = 0
    """Places on this machine where records were damaged, and are lost."""
    strange: int = 0
    """Files where segments lie that nobody can read: they wait for a person."""


class PredictionLog(Protocol):
    """Takes records of one release."""

    def append(self, predictions: Sequence[Prediction]) -> None:
        """Take *predictions*. Returns at once and never raises; what cannot be kept is counted as dropped."""

    def standing(self) -> LogCounts:
        """The numbers of records that are pending, written and dropped."""

    def close(self) -> None:
        """Write what is pending, ship what there is time for, and stop. Nothing may be appended afterwards.

        What was not shipped stays on this machine, and the next log here ships it.
        """


@dataclass(frozen=True, slots=True)
class Logged:
    """Records of one release, in columns."""

    served: ServedRelease
    table: "pa.Table"
    """Columns: ``time`` (timestamp, microseconds, UTC), ``request_id``, ``row``, ``entity``, ``score`` (list of float64), ``decision``,
    and ``features`` (a struct with a float64 or string for each feature)."""
    damaged: int = 0
    """Parts of the log that could not be read, such as the torn end a crash leaves."""

    def between(self, since: datetime.datetime | None, until: datetime.datetime | None) -> "Logged":
        """The records from *since* (inclusive) to *until* (exclusive)."""
        import pyarrow.compute as pc  # noqa: PLC0415 - only readers wait for it

        table = self.table
        if since is not None:
            table = table.filter(pc.greater_equal(table["time"], since))
        if until is not None:
            table = table.filter(pc.less(table["time"], until))
        return replace(self, table=table)


class BatchLog(Protocol):
    """Takes records that are there all at once, of a table that was scored; what it has taken is with the store."""

    def put(self, found: Logged, identity: str) -> None:
        """Keep *found*, which is never empty, of one hour. *identity*: what is put again under the same is kept once.

        Raises TryAgain when the store fails, and the others that :class:`argosy.ports.objects.Objects` names.
        """


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """The records of one release and one hour (UTC, by their own time) that one server shipped together."""

    model: str
    environment: str
    version: int | None
    digest: str
    """Model digest of the release."""
    hour: datetime.datetime
    """When the hour begins."""
    name: str
    """Content-addressed: the same name is always the same records, so what was made of them need not be made again."""
    sealed: bool = True
    """False for records that are still on this machine: once shipped they come again under another name, with others, so what is made of
    them may be used and not kept."""

    def reaches_into(self, since: datetime.datetime | None, until: datetime.datetime | None) -> bool:
        """True where its hour has a moment from *since* (inclusive) to *until* (exclusive); None: no end on that side."""
        ends = self.hour + datetime.timedelta(hours=1)
        return (until is None or self.hour < until) and (since is None or ends > since)


class PredictionHistory(Protocol):
    """Reads records back, those of a server of this machine that still runs included. Each verb raises TryAgain when the store fails."""

    def segments(
        self,
        model: str,
        environment: str,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Iterator[SegmentRef]:
        """The segments with an hour that reaches into *since* (inclusive) to *until* (exclusive), by hour.

        Of one call, each record is in one segment.
        """

    def read_segment(self, ref: SegmentRef) -> Logged:
        """The records of *ref*, which :meth:`segments` gave: none, and one damaged part, where it cannot be read or is gone."""

    def read(
        self,
        model: str,
        environment: str,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Iterator[Logged]:
        """The records of *model* in *environment* from *since* (inclusive) to *until* (exclusive), a batch at a time, in no order.

        Each record comes once.
        """

    def prune(self, before: datetime.datetime) -> int:
        """Delete the segments of every model and environment whose hour ended *before*, or then; returns how many."""
