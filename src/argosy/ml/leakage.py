"""Finds columns that give the label away: those that alone tell the label better than any honest column would.

One scale for every task, from 0.5 to 1: of two rows with different labels, how often the column alone tells which has which. For two
classes that is the area under the ROC curve, for a value the share of concordant pairs (Harrell's C), for several classes the least of
their areas, each against the rest: a column that gives the label away tells every class.

A measurement, not a decision: how good is too good is the caller's word.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from argosy.domain.evidence import Table
from argosy.domain.model_settings import Task
from argosy.ml import sampled
from argosy.ml.frames import Examples

Numbers = npt.NDArray[np.float64]


ROWS = 5_000
"""Rows that single features are tried on."""
SHOWN = 5
PURPOSE = 4
FINE = 512
"""Parts of scores and of labels whose pairs are counted; two rows of one part of the labels are no pair."""
BINS = 64
"""Parts of a column of numbers, each of which is scored by the labels of the other half of the rows."""


def measure(task: Task, holdout: Examples, names: list[str], seed: int) -> tuple[dict[str, float | None], Table]:
    """``explainability.best_alone``: how well the best feature alone tells the label of drawn rows of *holdout*."""
    places = sampled.rows(len(holdout), ROWS, seed, PURPOSE)
    labels = holdout.labels[places]
    alone = {name: gives_away(task, holdout.table.column(name).take(pa.array(places)), labels) for name in names}
    ranked = sorted(alone.items(), key=lambda entry: (-entry[1], entry[0]))
    table = Table(
        title=f"What single features tell, on {len(places):,} drawn rows: 0.5 nothing, 1 everything",
        dimension="explainability",
        header=["Feature", "Alone"],
        rows=[[name, f"{value:.4f}"] for name, value in ranked[:SHOWN]],
    )
    return {"explainability.best_alone": ranked[0][1]}, table


def gives_away(task: Task, column: pa.ChunkedArray, labels: Numbers) -> float:
    """How well *column* alone tells *labels*, class indices or values without NaN: 0.5 (not at all) to 1."""
    if task == "binary":
        return separation(column, labels)
    if task == "regression":
        if not _is_number(column):
            return _concordance(_means(_codes(column), labels), labels)
        values = _numbers(column)
        return max(_concordance(values, labels), _concordance(_means(_parts(values), labels), labels))
    codes = _parts(_numbers(column)) if _is_number(column) else _codes(column)
    classes = np.unique(labels)
    if len(classes) < 2:
        return 0.5
    # By the parts of a number, as the class in the middle is neither its lowest nor its highest values.
    return min(
        max(separation(column, own), area, 1 - area)
        for own in ((labels == each).astype(np.float64) for each in classes)
        for area in (_area(_means(codes, own), own > 0),)
    )


def separation(column: pa.ChunkedArray, labels: Numbers) -> float:
    """Leakage: how well *column* alone tells rows with *labels* above zero from the others: the area under its ROC curve, 0.5 to 1.

    A text is scored by the labels of the other half of the rows, so that a name given once tells nothing. Missing is a value of its own.
    """
    positive = labels > 0
    if positive.all() or not positive.any():
        return 0.5
    scores = _numbers(column) if _is_number(column) else _means(_codes(column), positive.astype(np.float64))
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


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A number for each value of *column*; missing is one."""
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def _parts(values: Numbers, parts: int = BINS) -> npt.NDArray[np.int64]:
    """The part of each of *values*, of about as many rows each."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, parts + 1)[1:-1], method="nearest"))
    return np.searchsorted(edges, values, side="left")


def _means(codes: npt.NDArray[np.int64], labels: Numbers) -> Numbers:
    """For each row the mean label of the rows of the other half with its code; of all of that half where there is none."""
    half = np.arange(len(codes)) % 2 == 0
    scores = np.zeros(len(codes), dtype=np.float64)
    # Leaving out the row alone would not do: its label then shows in what is left.
    for mine, other in ((half, ~half), (~half, half)):
        counts = np.bincount(codes[other], minlength=codes.max() + 1)
        sums = np.bincount(codes[other], weights=labels[other], minlength=codes.max() + 1)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), labels[other].mean() if other.any() else 0.0)
        scores[mine] = means[codes[mine]]
    return scores


def _concordance(scores: Numbers, labels: Numbers) -> float:
    """Of the pairs of rows with different labels, the share that *scores* order as they are, or the other way; equal scores count half."""
    one, other = _parts(scores, FINE), _parts(labels, FINE)
    table = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(table, (one, other), 1.0)
    # For each cell, the rows with a lower score and a lower label, and those with a lower score and a higher one.
    lower = np.cumsum(np.cumsum(table, axis=0), axis=1)
    before = np.pad(lower, ((1, 0), (1, 0)))[:-1, :-1]
    rows_before = np.pad(lower[:, -1], (1, 0))[:-1, None]
    after = rows_before - np.pad(lower, ((1, 0), (0, 0)))[:-1]
    alike, unlike = float((table * before).sum()), float((table * after).sum())
    sizes = table.sum(axis=0)
    apart = (len(labels) ** 2 - float((sizes**2).sum())) / 2
    return 0.5 + abs(alike - unlike) / (2 * apart) if apart else 0.5


def _area(scores: Numbers, positive: npt.NDArray[np.bool_]) -> float:
    """Mann and Whitney's count of pairs in the right order, ties counting half."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    some, others = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - some * (some + 1) / 2) / (some * others))
