"""Turns joined predictions into arrays, and arrays into what ``score_intervals`` and ``estimated_performance`` take.

One row a prediction, with its label where it has one. What is below a gate is not decided here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from argosy.domain.bundle import Histogram
from argosy.domain.model_settings import Task
from argosy.ml import bins, estimated_performance, score_intervals
from argosy.ml.score_intervals import Labelled, ScoreInterval

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

DAY = 86_400_000_000
"""Microseconds."""
MOST_VALUES = 50
"""Values of a sliced feature that are measured, those of most rows: more is a table that nobody reads."""
_CELLS = (("true_negative", "false_positive"), ("false_negative", "true_positive"))
"""Name of an outcome by label and decision."""


@dataclass(frozen=True)
class LiveAnswers:
    """Predictions in arrays of one length."""

    task: Task
    release: npt.NDArray[np.int32]
    times: npt.NDArray[np.int64]
    """Microseconds since 1970, UTC."""
    labels: Array
    """NaN where there is none."""
    predictions: Array
    """NaN where a version gave another number of scores than the settings have classes now."""
    decisions: npt.NDArray[np.int64]
    """-1 where it is none of the classes."""
    outcomes: Mapping[str, Array]
    """By name, NaN where there is none."""
    slices: Mapping[str, tuple[npt.NDArray[np.int64], list[str]]]
    """By feature: the number of each row's value, and the values."""

    def __len__(self) -> int:
        return len(self.times)

    def only(self, rows: Mask) -> "LiveAnswers":
        """Those *rows*; this, where all of them are wanted: of millions a copy is felt."""
        if rows.all():
            return self
        return replace(
            self,
            release=self.release[rows],
            times=self.times[rows],
            labels=self.labels[rows],
            predictions=self.predictions[rows],
            decisions=self.decisions[rows],
            outcomes={name: values[rows] for name, values in self.outcomes.items()},
            slices={name: (codes[rows], values) for name, (codes, values) in self.slices.items()},
        )

    def of(self, releases: Sequence[int]) -> "LiveAnswers":
        """The rows that *releases* answered, by their places."""
        return self.only(np.isin(self.release, releases))

    @property
    def scored(self) -> Mask:
        """Which rows have scores and a decision that are of the model's classes: others can be held against no label."""
        missing = np.isnan(self.predictions)
        return ~(missing.any(axis=1) if missing.ndim == 2 else missing) & (self.decisions >= 0)

    @property
    def labelled(self) -> Mask:
        """Those of the scored rows that have a label."""
        return ~np.isnan(self.labels) & self.scored

    @property
    def awaited(self) -> Mask:
        """Those of the scored rows that have none."""
        return np.isnan(self.labels) & self.scored


def answers(
    table: pa.Table, task: Task, classes: Sequence[str], outcomes: Mapping[str, str], slices: Mapping[str, str]
) -> LiveAnswers:
    """The rows of *table* (see ``argosy.ports.label_join``). *outcomes*, *slices*: name to its column."""
    return LiveAnswers(
        task=task,
        release=table["release"].to_numpy(),
        times=table["time"].cast(pa.int64()).to_numpy(),
        labels=_numbers(table["label"]),
        predictions=_predictions(table["score"], _width(task, classes)),
        decisions=_decisions(table["decision"], classes, len(table)),
        outcomes={name: _numbers(table[column]) for name, column in outcomes.items()},
        slices={name: _coded(table[column]) for name, column in slices.items()},
    )


def _width(task: Task, classes: Sequence[str]) -> int:
    return len(classes) if task == "multiclass" else 1


def _numbers(column: pa.ChunkedArray) -> Array:
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _predictions(column: pa.ChunkedArray, width: int) -> Array:
    """One row of *width* scores a prediction. A version with other classes gives more or fewer: of those rows all are NaN."""
    fits = np.asarray(pc.fill_null(pc.equal(pc.list_value_length(column), width), False).to_numpy(), dtype=np.bool_)
    found = np.full((len(column), width), np.nan)
    found[fits] = pc.list_flatten(column.filter(pa.array(fits))).to_numpy().reshape(-1, width)
    return found[:, 0] if width == 1 else found


def _decisions(column: pa.ChunkedArray, classes: Sequence[str], count: int) -> npt.NDArray[np.int64]:
    if not classes:
        return np.zeros(count, dtype=np.int64)
    found = pc.index_in(column, value_set=pa.array(classes))
    return np.asarray(pc.fill_null(found, -1).to_numpy(), dtype=np.int64)


def _coded(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], list[str]]:
    coded = pc.fill_null(column, "missing").dictionary_encode().combine_chunks()
    if isinstance(coded, pa.ChunkedArray):  # without rows there is no chunk to combine
        return np.zeros(0, dtype=np.int64), []
    return np.asarray(coded.indices.to_numpy(), dtype=np.int64), [str(value) for value in coded.dictionary.to_pylist()]


def counted_labels(found: LiveAnswers, classes: Sequence[str], reference: Histogram) -> Histogram:
    """The labels of *found* in the bins of *reference*, by the names of *classes* where they are classes."""
    labels = found.labels[~np.isnan(found.labels)]
    if reference.levels is None:
        return bins.count_column(pa.array(labels, pa.float64()), reference)
    return bins.count_column(pa.array(classes, pa.string()).take(pa.array(labels.astype(np.int64))), reference)


def scores(found: LiveAnswers, confidence: float) -> dict[str, ScoreInterval | None]:
    """Every score of the rows of *found* that have a label; nothing where none has."""
    kept = found.labelled
    if not kept.any():
        return {}
    chosen = Labelled(found.labels[kept], found.predictions[kept], found.decisions[kept])
    return score_intervals.measure(found.task, chosen, confidence)


def business(
    found: LiveAnswers, worth: Mapping[str, float], confidence: float
) -> Iterator[tuple[str, int, float, ScoreInterval]]:
    """Name, rows, total and mean of the value of a binary model's decisions at what each is *worth*, and of every outcome."""
    if found.task == "binary" and worth and (kept := found.labelled).any():
        table = np.array([[worth.get(name, 0.0) for name in names] for names in _CELLS])
        labels, decided = found.labels[kept].astype(np.int64), found.decisions[kept]
        values = table[labels, decided]
        yield "value_per_row", len(values), float(values.sum()), score_intervals.mean(values, confidence)
    for name, outcome in found.outcomes.items():
        values = outcome[~np.isnan(outcome)]
        if len(values):
            yield name, len(values), float(values.sum()), score_intervals.mean(values, confidence)


def by_slice(found: LiveAnswers) -> Iterator[tuple[str, str, LiveAnswers]]:
    """(feature, value, its rows), of each feature the values of most rows, sorted."""
    for name, (codes, values) in found.slices.items():
        counts = np.bincount(codes, minlength=len(values))
        frequent = sorted(range(len(values)), key=_by_count(counts, values))[:MOST_VALUES]
        for place in sorted(frequent, key=values.__getitem__):
            if counts[place]:
                yield name, values[place], found.only(codes == place)


def _by_count(counts: npt.NDArray[np.int64], values: Sequence[str]) -> Callable[[int], tuple[int, str]]:
    return lambda place: (-int(counts[place]), values[place])


def by_day(found: LiveAnswers) -> Iterator[tuple[int, LiveAnswers]]:
    """(microseconds since 1970 of its beginning, its rows) for each day, in UTC, that has rows."""
    days = found.times // DAY
    for day in np.unique(days):
        yield int(day) * DAY, found.only(days == day)


def estimate(found: LiveAnswers, confidence: float) -> dict[str, ScoreInterval]:
    """The scores to expect of the rows of *found* without a label; the others calibrate."""
    known, asked = found.only(found.labelled), found.only(found.awaited)
    if found.task == "regression" or not len(asked):
        return {}
    if found.task == "binary":
        probabilities = estimated_performance.calibrated(known.labels, known.predictions, asked.predictions)
    else:
        probabilities = _of_each_class(known, asked)
    return estimated_performance.estimate(found.task, asked.predictions, asked.decisions, probabilities, confidence)


def _of_each_class(known: LiveAnswers, asked: LiveAnswers) -> Array:
    """Each class against the others, together 1."""
    columns = [
        estimated_performance.calibrated(
            (known.labels == index).astype(np.float64), known.predictions[:, index], asked.predictions[:, index]
        )
        for index in range(asked.predictions.shape[1])
    ]
    together = np.column_stack(columns)
    total = together.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(together, total, out=asked.predictions.copy(), where=total > 0), dtype=np.float64)
