"""Counts values in bins that are fixed once, from the model's holdout, so that later counts can be compared and added.

The holdout and not the training side: a model's answers to rows it has learned are surer than to any others, a level that training never
saw is on its list of levels all the same when it comes from training, and cross-validation's answers are those of other models. Bins of
numbers hold about equally many values each, so that a shift anywhere moves counts; equal values are never in two bins. How far two counts
are apart is ``drift``'s business.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from argosy.domain.bundle import MARGIN, SCALE, Bins, Histogram, Moments
from argosy.domain.data import FeatureColumn

if TYPE_CHECKING:  # who counts a log needs no model
    from argosy.ml.frames import Examples
    from argosy.ml.predictor import Predictor

PREDICTION = "prediction"

BINS = 32
"""At most: fine enough that Kolmogorov-Smirnov on counts sees what it sees on values; an hour's traffic fills them."""
ROWS_A_BIN = 40
"""At least, of the reference: with fewer, chance alone puts as much between two samples as matters."""
FEWEST_BINS = 5


def of(holdout: "Examples", answering: "Predictor") -> Bins:
    """The bins of every feature of *holdout* and of what *answering*, the model that will serve, says to it.

    Counted from the values as a server would log them, not as the model's matrix has them: there a level that training never saw is a
    missing value.
    """
    answers = answering.predict_matrix(holdout.matrix)
    scores = answers if answers.ndim == 1 else answers.max(axis=1)
    return Bins(
        reference="holdout",
        rows=len(holdout),
        columns=[_column(feature, holdout.table.column(feature.name)) for feature in holdout.schema.features],
        prediction=_levels(PREDICTION, answering.signature.classes, pa.array(answering.decide(answers)))
        if answering.signature.task == "multiclass"
        else _numbers(PREDICTION, pa.array(answers)),
        scores=moments(scores),
    )


def edges(values: npt.NDArray[np.floating]) -> list[float]:
    """Edges between bins that hold about equally many of *values*, each between two values; none where there is one value only.

    A value that would fill a bin has one to itself. Where the values are few, each has a bin that is narrow, and what lies between them is
    counted apart: whole numbers that are none any more have moved. NaN and infinity are left out.
    """
    present = values[np.isfinite(values)].astype(np.float64)
    distinct, counts = np.unique(present, return_counts=True)
    if len(distinct) <= BINS:
        margins = np.diff(distinct) / MARGIN
        return [float(edge) for edge in np.column_stack([distinct[:-1] + margins, distinct[1:] - margins]).ravel()]
    starts = _starts(counts)
    return [float(edge) for edge in (distinct[starts - 1] + distinct[starts]) / 2]


def _starts(counts: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Places of the distinct values that a bin begins with, the lowest value's left out."""
    rows = int(counts.sum())
    wanted = int(np.clip(rows // ROWS_A_BIN, FEWEST_BINS, BINS))
    quantile = (np.cumsum(counts) - counts) * wanted // rows
    heavy = counts * wanted >= rows
    return np.flatnonzero((np.diff(quantile) > 0) | heavy[1:] | heavy[:-1]) + 1


def moments(scores: npt.NDArray[np.float64]) -> Moments:
    """Count and exact sums of *scores*."""
    return Moments(count=len(scores), total=_whole_sum(scores), squares=_whole_sum(np.square(scores)))


def _whole_sum(values: npt.NDArray[np.float64]) -> int:
    scaled = np.rint(values * SCALE)
    if len(scaled) and np.abs(scaled).max() * len(scaled) >= 2**62:
        return sum(int(value) for value in scaled)  # numbers of Python's do not overflow
    return int(scaled.astype(np.int64).sum())


def count_column(values: pa.Array | pa.ChunkedArray, histogram: Histogram) -> Histogram:
    """*values* counted in the bins of *histogram*; null and NaN are missing."""
    missing, *counts = np.bincount(cells(values, histogram), minlength=len(histogram.counts) + 1).tolist()
    return histogram.model_copy(update={"counts": counts, "missing": missing})


def cells(values: pa.Array | pa.ChunkedArray, histogram: Histogram) -> npt.NDArray[np.int64]:
    """The cell of each of *values*: 0 for missing, then the bins of *histogram* from 1 on. An edge belongs to the bin above it."""
    if histogram.levels is not None:
        return _cells_of_levels(values.cast(pa.string()), histogram.levels)
    # As the model sees them, in 32 bits: 0.1 lies on another side of an edge at 0.1 otherwise.
    seen = values.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float32).astype(np.float64)
    above = np.searchsorted(np.asarray(histogram.edges or [], dtype=np.float64), seen, side="right")
    return np.where(np.isnan(seen), 0, above + 1)


def _cells_of_levels(values: pa.Array | pa.ChunkedArray, levels: Sequence[str]) -> npt.NDArray[np.int64]:
    listed = pc.index_in(values, value_set=pa.array(levels, pa.string()), skip_nulls=True)
    found = pc.if_else(pc.is_null(values), 0, pc.add(pc.fill_null(listed, len(levels)), 1))
    return np.asarray(
        found.to_numpy(zero_copy_only=False) if isinstance(found, pa.Array) else found.to_numpy(), np.int64
    )


def _column(feature: FeatureColumn, values: pa.ChunkedArray) -> Histogram:
    plain = values.combine_chunks()
    return (
        _numbers(feature.name, plain)
        if feature.type == "number"
        else _levels(feature.name, feature.levels or [], plain)
    )


def _numbers(name: str, values: pa.Array) -> Histogram:
    # In 32 bits, as `cells` has them.
    fixed = edges(values.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float32))
    return count_column(values, Histogram(column=name, edges=fixed, counts=[0] * (len(fixed) + 1), missing=0))


def _levels(name: str, levels: list[str], values: pa.Array) -> Histogram:
    return count_column(values, Histogram(column=name, levels=levels, counts=[0] * (len(levels) + 1), missing=0))
