"""Scores of predictions against labels, by task, under the names that settings and policies use.

Plain NumPy: a search calls these hundreds of times in processes that live for a second. Labels are class indices (0 and 1 for a
binary task) or values; predictions are what ``predictor`` gives: the probability of the positive class, one probability a class, or
a value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from argosy import errors
from argosy.domain import measurements
from argosy.domain.model_settings import Task

Array = npt.NDArray[np.floating]
Direction = Literal["maximize", "minimize"]

# A probability of exactly 0 or 1 that turns out wrong would cost infinitely much; this is what float32 can tell from 0.
TINY = 1e-7

# Share of all rows that the running mean of F1 goes over. Measured on 5,600 customers, 24 fits: a fifth halves the threshold's spread, and
# F1 on rows not seen is 0.654 instead of 0.644. Samples of a known population say the same; less does less, more is biased.
WINDOW = 0.2
FLAT = 0.01


@dataclass(frozen=True)
class Metric:
    """One score: its formula, and the direction that is better. NaN: undefined for these labels."""

    direction: Direction
    calculate: Callable[[Array, Array, float], float]


def score(task: Task, metric: str, labels: Array, predictions: Array, *, threshold: float = 0.5) -> float:
    """The score called *metric*. *threshold*: where a binary probability becomes a yes; scores without a decision ignore it."""
    return find(task, metric).calculate(np.asarray(labels), np.asarray(predictions), threshold)


def direction(task: Task, metric: str) -> Direction:
    """Which way *metric* is better. Raises Misconfigured where *task* has no such score."""
    return find(task, metric).direction


def find(task: Task, metric: str) -> Metric:
    """The score called *metric*. Raises Misconfigured, with a suggestion, where *task* has none of that name."""
    if (problem := measurements.unknown_score(metric, task)) is not None:
        raise errors.Misconfigured(problem)
    return METRICS[task][metric]


def best_threshold(labels: Array, probabilities: Array) -> float:
    """The threshold at which deciding *probabilities* has the best F1, rounded for people; 0.5 where no label is positive.

    Near its top F1 is flat and noisy, and its highest point moves far with a few rows. So the top of its running mean is taken, unless the
    top is sharp and that would cost more than :data:`FLAT`. The threshold lies halfway between two neighbouring probabilities, so that no
    row's decision hangs on its last bit.
    """
    order = np.argsort(-probabilities, kind="stable")
    ranked, hits = probabilities[order].astype(np.float64), np.cumsum(labels[order].astype(np.float64))
    if hits[-1] == 0:
        return 0.5
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + hits[-1])
    # A threshold cannot cut between two equal probabilities.
    possible = np.append(ranked[:-1] > ranked[1:], True)
    cut = int(np.argmax(np.where(possible, _running_mean(f1, int(WINDOW * len(f1))), -1)))
    if f1[cut] < np.max(f1[possible]) - FLAT:
        cut = int(np.argmax(np.where(possible, f1, -1)))
    below = ranked[cut + 1] if cut + 1 < len(ranked) else 0.0
    return _readable(float(ranked[cut]), float(below))


def confusion(labels: Array, decisions: npt.NDArray[np.int64], classes: int) -> list[list[int]]:
    """Counts by true class (row) and decided class (column)."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels.astype(np.int64), decisions), 1)
    return [[int(count) for count in row] for row in counts]


def decisions(task: Task, predictions: Array, threshold: float = 0.5) -> npt.NDArray[np.int64]:
    """The class index that each prediction decides for. Not for regression."""
    if task == "binary":
        return (predictions >= threshold).astype(np.int64)
    indices: npt.NDArray[np.int64] = np.argmax(predictions, axis=1)
    return indices


def auc(labels: Array, scores: Array) -> float:
    """Area under the ROC curve; ties count half. NaN with one class."""
    positives = float(labels.sum())
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(counts) - (counts - 1) / 2
    wins = float(mean_ranks[inverse][labels == 1].sum()) - positives * (positives + 1) / 2
    return wins / (positives * negatives)


def average_precision(labels: Array, scores: Array) -> float:
    """Area under the precision-recall curve, as steps. NaN without a positive."""
    positives = float(labels.sum())
    if positives == 0:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(labels[order])
    last = np.append(np.flatnonzero(ranked[:-1] != ranked[1:]), len(ranked) - 1)
    precision, recall = hits[last] / (last + 1), hits[last] / positives
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def _running_mean(values: npt.NDArray[np.float64], window: int) -> npt.NDArray[np.float64]:
    """The mean of the *window* values round each; fewer at the ends."""
    sums, count, half = np.concatenate([[0.0], np.cumsum(values)]), len(values), window // 2
    low, high = np.maximum(0, np.arange(count) - half), np.minimum(count, np.arange(count) + half + 1)
    return np.asarray((sums[high] - sums[low]) / (high - low), dtype=np.float64)


def _readable(above: float, below: float) -> float:
    middle = (above + below) / 2
    for digits in range(3, 9):
        rounded = round(middle, digits)
        if below < rounded <= above:
            return rounded
    return float(middle)


def _rates(labels: Array, probabilities: Array, threshold: float) -> tuple[float, float, float]:
    """True positives, all decided positive, all positive."""
    decided = probabilities >= threshold
    return float(labels[decided].sum()), float(decided.sum()), float(labels.sum())


def _f1(labels: Array, probabilities: Array, threshold: float) -> float:
    hits, decided, positives = _rates(labels, probabilities, threshold)
    return 2 * hits / (decided + positives) if decided + positives else float("nan")


def _precision(labels: Array, probabilities: Array, threshold: float) -> float:
    hits, decided, _ = _rates(labels, probabilities, threshold)
    return hits / decided if decided else float("nan")


def _recall(labels: Array, probabilities: Array, threshold: float) -> float:
    hits, _, positives = _rates(labels, probabilities, threshold)
    return hits / positives if positives else float("nan")


def _best_f1(labels: Array, probabilities: Array, _threshold: float) -> float:
    return _f1(labels, probabilities, best_threshold(labels, probabilities))


def _binary_log_loss(labels: Array, probabilities: Array, _threshold: float) -> float:
    kept = np.clip(probabilities.astype(np.float64), TINY, 1 - TINY)
    return float(-np.mean(labels * np.log(kept) + (1 - labels) * np.log(1 - kept)))


def _brier(labels: Array, probabilities: Array, _threshold: float) -> float:
    return float(np.mean((probabilities.astype(np.float64) - labels) ** 2))


def _multiclass_log_loss(labels: Array, probabilities: Array, _threshold: float) -> float:
    own = probabilities[np.arange(len(labels)), labels.astype(np.int64)].astype(np.float64)
    return float(-np.mean(np.log(np.clip(own, TINY, 1.0))))


def _per_class(labels: Array, probabilities: Array) -> list[tuple[float, float, float]]:
    """True positives, decided, present; of every class that is present or was decided for."""
    decided = np.argmax(probabilities, axis=1)
    counts = [
        (
            float(((decided == index) & (labels == index)).sum()),
            float((decided == index).sum()),
            float((labels == index).sum()),
        )
        for index in range(probabilities.shape[1])
    ]
    return [count for count in counts if count[1] + count[2]]


def _macro_f1(labels: Array, probabilities: Array, _threshold: float) -> float:
    return float(
        np.mean([2 * hits / (decided + present) for hits, decided, present in _per_class(labels, probabilities)])
    )


def _macro_precision(labels: Array, probabilities: Array, _threshold: float) -> float:
    return float(
        np.mean([hits / decided if decided else 0.0 for hits, decided, _ in _per_class(labels, probabilities)])
    )


def _macro_recall(labels: Array, probabilities: Array, _threshold: float) -> float:
    return float(
        np.mean([hits / present if present else 0.0 for hits, _, present in _per_class(labels, probabilities)])
    )


def _macro_auc(labels: Array, probabilities: Array, _threshold: float) -> float:
    each = [
        auc((labels == index).astype(np.float64), probabilities[:, index]) for index in range(probabilities.shape[1])
    ]
    return float(np.mean(each))


def _macro_average_precision(labels: Array, probabilities: Array, _threshold: float) -> float:
    each = [
        average_precision((labels == index).astype(np.float64), probabilities[:, index])
        for index in range(probabilities.shape[1])
    ]
    return float(np.mean(each))


def _rmse(labels: Array, values: Array, _threshold: float) -> float:
    return float(np.sqrt(np.mean((values.astype(np.float64) - labels) ** 2)))


def _mae(labels: Array, values: Array, _threshold: float) -> float:
    return float(np.mean(np.abs(values.astype(np.float64) - labels)))


def _r2(labels: Array, values: Array, _threshold: float) -> float:
    spread = float(np.sum((labels - labels.mean()) ** 2))
    return 1 - float(np.sum((values.astype(np.float64) - labels) ** 2)) / spread if spread else float("nan")


METRICS: dict[Task, dict[str, Metric]] = {
    "binary": {
        "accuracy": Metric("maximize", lambda labels, p, cut: float(np.mean((p >= cut) == (labels == 1)))),
        "precision": Metric("maximize", _precision),
        "recall": Metric("maximize", _recall),
        "f1": Metric("maximize", _f1),
        "best_f1": Metric("maximize", _best_f1),
        "auc": Metric("maximize", lambda labels, p, _cut: auc(labels, p)),
        "pr_auc": Metric("maximize", lambda labels, p, _cut: average_precision(labels, p)),
        "log_loss": Metric("minimize", _binary_log_loss),
        "brier": Metric("minimize", _brier),
    },
    "multiclass": {
        "accuracy": Metric("maximize", lambda labels, p, _cut: float(np.mean(np.argmax(p, axis=1) == labels))),
        "precision": Metric("maximize", _macro_precision),
        "recall": Metric("maximize", _macro_recall),
        "f1": Metric("maximize", _macro_f1),
        "auc": Metric("maximize", _macro_auc),
        "pr_auc": Metric("maximize", _macro_average_precision),
        "log_loss": Metric("minimize", _multiclass_log_loss),
    },
    "regression": {
        "rmse": Metric("minimize", _rmse),
        "mae": Metric("minimize", _mae),
        "r2": Metric("maximize", _r2),
    },
}
"""Of a multiclass task all but accuracy and log loss are means over the classes, each class counting the same."""
