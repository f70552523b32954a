"""Counts values in bins that are fixed once, from the training side, so that later counts can be compared and added.

Bins of numbers hold about equally many training values each: a shift anywhere moves counts. How far two counts are apart is
``drift``'s business.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from argosy.domain.bundle import Bins, Histogram
from argosy.domain.model_settings import ModelSettings
from argosy.ml import metrics
from argosy.ml.frames import Examples

PREDICTION = "prediction"

# Fine enough that Kolmogorov-Smirnov on counts sees what it sees on values; coarse enough that an hour's traffic fills the bins.
BINS = 32


def of(examples: Examples, predictions: npt.NDArray[np.floating], settings: ModelSettings) -> Bins:
    """The bins of every feature and of the prediction.

    *predictions* are out of fold, an answer of a model that has not seen the row: that is what predictions in production are compared
    with, and answers on rows a model has learned would look like drift from the first day. Of a multiclass model the prediction is the
    class decided for, and ``mean_prediction`` the mean probability of that class.
    """
    columns = [
        _numbers(feature.name, examples.matrix[:, position])
        if feature.type == "number"
        else _levels(feature.name, feature.levels or [], examples.matrix[:, position])
        for position, feature in enumerate(examples.schema.features)
    ]
    if settings.task == "multiclass":
        decided = metrics.decisions("multiclass", predictions).astype(np.float64)
        prediction = _levels(PREDICTION, settings.label.classes, decided)
        mean = float(predictions.max(axis=1).astype(np.float64).mean())
    else:
        prediction = _numbers(PREDICTION, predictions)
        mean = float(predictions.astype(np.float64).mean())
    return Bins(rows=len(examples), columns=columns, prediction=prediction, mean_prediction=mean)


def edges(values: npt.NDArray[np.floating]) -> list[float]:
    """Edges between bins that hold about equally many of *values*; NaN is left out. No edge where there is one value only."""
    present = np.sort(values[~np.isnan(values)].astype(np.float64))
    distinct = np.unique(present)
    if len(distinct) <= BINS:
        # A bin a value: an edge is where a value's bin begins.
        return [float(edge) for edge in distinct[1:]]
    positions = (np.arange(1, BINS) * len(present)) // BINS
    # An edge at the smallest value would leave an empty bin below it.
    return [float(edge) for edge in np.unique(present[positions]) if edge > present[0]]


def count_numbers(values: npt.NDArray[np.floating], edges: Sequence[float]) -> tuple[list[int], int]:
    """How many *values* fall below the first edge, from one edge on to the next …, from the last edge on; and how many are NaN."""
    present = values[~np.isnan(values)].astype(np.float64)
    positions = np.searchsorted(np.asarray(edges, dtype=np.float64), present, side="right")
    counts = np.bincount(positions, minlength=len(edges) + 1)
    return [int(count) for count in counts], len(values) - len(present)


def count_levels(indices: npt.NDArray[np.floating], levels: int) -> tuple[list[int], int]:
    """How many of *indices* name each level; the last entry, for any other level, is 0 here. And how many are NaN."""
    present = indices[~np.isnan(indices)].astype(np.int64)
    counts = np.bincount(present, minlength=levels)
    return [*(int(count) for count in counts), 0], len(indices) - len(present)


def _numbers(name: str, values: npt.NDArray[np.floating]) -> Histogram:
    fixed = edges(values)
    counts, missing = count_numbers(values, fixed)
    return Histogram(column=name, edges=fixed, counts=counts, missing=missing)


def _levels(name: str, levels: list[str], indices: npt.NDArray[np.floating]) -> Histogram:
    counts, missing = count_levels(indices, len(levels))
    return Histogram(column=name, levels=levels, counts=counts, missing=missing)
