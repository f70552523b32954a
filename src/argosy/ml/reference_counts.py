"""Counts a model's own rows by season and slice, for what its windows are held against later.

What the model says of the rows it has learned is surer than what it says of any others, so those are answered by the models of
cross-validation. How far the windows of that history were from their own seasons is measured here too: a week's weather is not its
month's, and that is no drift.
"""

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argosy.domain import watch_reference
from argosy.domain.bundle import Bins, Histogram
from argosy.domain.monitor_settings import Monitor, Seasonality
from argosy.domain.tallies import Layout, Tally
from argosy.domain.watch_reference import HOLDOUT, WatchReference
from argosy.ml import bins as binning
from argosy.ml import confidence, counting, frames
from argosy.ml.frames import Examples
from argosy.ml.predictor import Predictions, Predictor
from argosy.ml.usual_distances import UsualDistances

LABEL = "label"


def of(
    answering: Predictor,
    bins: Bins,
    monitor: Monitor,
    *,
    digest: str,
    holdout: Examples,
    train: Examples,
    out_of_fold: Predictions,
) -> WatchReference:
    """The reference of the model *answering*, whose bundle has *bins* and *digest*. *holdout*: the rows that a server would answer."""
    asked = as_logged(answering, holdout, answering.predict_matrix(holdout.matrix))
    answers = _answers(asked, answering)
    slices = [column.column for column in bins.columns if column.column in monitor.slices and column.levels]
    # Without seasons nobody asks for the rows that the model has learned.
    learned = [as_logged(answering, train, out_of_fold)] if monitor.seasonality else []
    history = pa.concat_tables([asked, *learned])
    columns = _wide(history, bins) if monitor.seasonality else []
    prediction, *features = columns or [bins.prediction, *bins.columns]
    layout = Layout(prediction, tuple(features), tuple(answers))
    counts = {HOLDOUT: counting.tallies(asked, layout, slices)}
    seasons = _Seasons(history, layout, slices, monitor, monitor.seasonality) if monitor.seasonality else None
    return WatchReference(
        model=answering.signature.model,
        model_digest=digest,
        answers=answers,
        label=_labels(holdout, answering),
        columns=columns,
        layout=layout.digest,
        seasonality=monitor.seasonality,
        counts=counts | (seasons.counts if seasons else {}),
        **(seasons.usual() if seasons else {}),
    )


def as_logged(answering: Predictor, examples: Examples, answers: Predictions) -> pa.Table:
    """*examples* with *answers* to them as a server would have logged them (see ``argosy.ports.prediction_log.Logged``)."""
    said = np.asarray(answers, np.float64)
    decided = [None] * len(said) if answering.signature.task == "regression" else answering.decide(said)
    names = [feature.name for feature in examples.schema.features]
    columns = [_logged(examples.table.column(feature.name), feature.type) for feature in examples.schema.features]
    return pa.table(
        {
            "time": examples.table.column(frames.TIME).cast(pa.timestamp("us", tz="UTC")),
            "score": _lists(said),
            "decision": pa.array(decided, pa.string()),
            "features": pa.StructArray.from_arrays(columns, names=names),
        }
    )


def _lists(answers: Predictions) -> pa.ListArray:
    width = 1 if answers.ndim == 1 else answers.shape[1]
    offsets = pa.array(np.arange(len(answers) + 1, dtype=np.int32) * width)
    return pa.ListArray.from_arrays(offsets, pa.array(answers.ravel()))


def _logged(values: pa.ChunkedArray, kind: str) -> pa.Array:
    plain = values.combine_chunks()
    return plain.cast(pa.float64() if kind == "number" else pa.string())


def _wide(history: pa.Table, bins: Bins) -> list[Histogram]:
    """The bins of the prediction and of each feature with further edges, as the whole *history* asks for."""
    scores = pa.array(counting.scores(history))
    return [
        _wider(bins.prediction, scores),
        # A column at a time: all of them together are the history once more.
        *(
            _wider(column, pc.struct_field(history["features"], column.column).combine_chunks())
            for column in bins.columns
        ),
    ]


def _wider(histogram: Histogram, values: pa.Array) -> Histogram:
    if histogram.levels is not None:
        return histogram.model_copy(update={"counts": [0] * len(histogram.counts), "missing": 0})
    further = binning.edges(values.to_numpy(zero_copy_only=False).astype(np.float32))
    edges = sorted({*(histogram.edges or []), *further})
    return Histogram(column=histogram.column, edges=edges, counts=[0] * (len(edges) + 1), missing=0)


def _answers(asked: pa.Table, answering: Predictor) -> list[Histogram]:
    """Decision and confidence, counted; of a multiclass model the decision is the prediction itself."""
    task = answering.signature.task
    if task == "regression":
        return []
    scores = counting.scores(asked)
    sure = scores if task == "multiclass" else confidence.of_binary(scores)
    edges = binning.edges(sure.astype(np.float32))
    found = [
        (pa.array(sure), Histogram(column=counting.CONFIDENCE, edges=edges, counts=[0] * (len(edges) + 1), missing=0))
    ]
    if task == "binary":
        classes = answering.signature.classes
        decided = Histogram(column=counting.DECISION, levels=classes, counts=[0] * (len(classes) + 1), missing=0)
        found.insert(0, (asked["decision"].combine_chunks(), decided))
    return [binning.count_column(values, empty) for values, empty in found]


def _labels(holdout: Examples, answering: Predictor) -> Histogram:
    classes = answering.signature.classes
    if answering.signature.task == "regression":
        edges = binning.edges(holdout.labels.astype(np.float32))
        empty = Histogram(column=LABEL, edges=edges, counts=[0] * (len(edges) + 1), missing=0)
        return binning.count_column(pa.array(holdout.labels), empty)
    empty = Histogram(column=LABEL, levels=classes, counts=[0] * (len(classes) + 1), missing=0)
    return binning.count_column(pa.array([classes[int(label)] for label in holdout.labels], pa.string()), empty)


class _Seasons:
    """The rows of a history, by season and by window."""

    def __init__(
        self, history: pa.Table, layout: Layout, slices: Sequence[str], monitor: Monitor, by: Seasonality
    ) -> None:
        self._history, self._layout, self._slices, self._monitor = history, layout, slices, monitor
        hours, self._hour_of_row = np.unique(history["time"].to_numpy().astype("datetime64[h]"), return_inverse=True)
        self._hours = [hour.astype("datetime64[s]").item().replace(tzinfo=datetime.UTC) for hour in hours]
        self._names, self._season_of_hour = np.unique(
            [watch_reference.season_of(hour, by) for hour in self._hours], return_inverse=True
        )
        seasons = self._season_of_hour[self._hour_of_row]
        self.counts = {
            str(name): found
            for name, found in zip(
                self._names, counting.grouped(history, layout, seasons, len(self._names), slices), strict=True
            )
        }

    def usual(self) -> dict[str, Any]:
        """How far each window of the history was from its seasons.

        Windows begin at every half of their length: there are few of them in a year, and the farthest of few is not very far.
        """
        found = UsualDistances(self._layout, self.counts, self._monitor.minimum_rows)
        for window in (each for begin in (0.0, 0.5) for each in self._windows(begin)):
            found.add(window)
        return {"usual": found.distances, "usual_mean": found.means}

    def _windows(self, begin: float) -> list[dict[str, dict[str, Tally]]]:
        """Each window that begins at a multiple of its length and that part of it: season to slice to rows."""
        length = self._monitor.length.total_seconds()
        number = np.array([int(hour.timestamp() / length - begin) for hour in self._hours])
        count = len(self._names)
        places, group_of_hour = np.unique(number * count + self._season_of_hour, return_inverse=True)
        groups = counting.grouped(
            self._history, self._layout, group_of_hour[self._hour_of_row], len(places), self._slices
        )
        found: dict[int, dict[str, dict[str, Tally]]] = {}
        for place, group in zip(places, groups, strict=True):
            found.setdefault(int(place) // count, {})[str(self._names[int(place) % count])] = group
        return list(found.values())
