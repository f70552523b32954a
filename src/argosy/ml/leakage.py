"""Finds columns that give the label away: those that alone tell the classes apart better than any honest column would.

A measurement, not a decision: how good is too good is the caller's word.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Numbers = npt.NDArray[np.float64]


def separation(column: pa.ChunkedArray, labels: Numbers) -> float:
    """Leakage: how well *column* alone tells rows with *labels* above zero from the others: the area under its ROC curve, 0.5 to 1.

    A text is scored by the labels of the other half of the rows, so that a name given once tells nothing. Missing is a value of its own.
    """
    positive = labels > 0
    if positive.all() or not positive.any():
        return 0.5
    scores = _numbers(column) if _is_number(column) else _rates(column, positive)
    area = _area(scores, positive)
    return max(area, 1 - area)


def _is_number(column: pa.ChunkedArray) -> bool:
    kind = column.type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_timestamp(kind))


def _numbers(column: pa.ChunkedArray) -> Numbers:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    values = np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    # Below everything: whether a value is missing can tell as much as the value.
    return np.where(np.isnan(values), -np.inf, values)


def _rates(column: pa.ChunkedArray, positive: npt.NDArray[np.bool_]) -> Numbers:
    codes = column.cast(pa.string()).combine_chunks().dictionary_encode(null_encoding="encode").indices.to_numpy()
    half = np.arange(len(codes)) % 2 == 0
    scores = np.empty(len(codes), dtype=np.float64)
    # Leaving out the row alone would not do: its label then shows in what is left.
    for mine, other in ((half, ~half), (~half, half)):
        counts = np.bincount(codes[other], minlength=codes.max() + 1)
        positives = np.bincount(codes[other], weights=positive[other], minlength=codes.max() + 1)
        rates = np.where(counts > 0, positives / np.maximum(counts, 1), positive[other].mean())
        scores[mine] = rates[codes[mine]]
    return scores


def _area(scores: Numbers, positive: npt.NDArray[np.bool_]) -> float:
    """Mann and Whitney's count of pairs in the right order, ties counting half."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    some, others = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - some * (some + 1) / 2) / (some * others))
