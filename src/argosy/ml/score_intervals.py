"""Scores of labelled predictions, each with its confidence interval, in closed form: no resampling, so a million rows cost one sort.

Every score of ``metrics`` is a smooth function of the distribution of (label, prediction), and its variance is that of its influence
function (Hampel 1974), the change that one row makes: for the area under the ROC curve that is DeLong's variance (1988), for a mean the
usual one. The interval of a score between 0 and 1 is taken on the scale of its log odds, where it cannot leave that range; where every row
says the same, it is the exact one of Clopper and Pearson (1934). What a decision is, the log says: a version's own threshold made it.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from argosy.domain.measurements import OF_SEARCHES, SCORES
from argosy.domain.model_settings import Task
from argosy.ml import metrics

Array = npt.NDArray[np.float64]
Decisions = npt.NDArray[np.int64]

UNBOUNDED = frozenset({"log_loss", "rmse", "mae", "r2", "brier"})
"""Scores that are no share of anything: their interval is symmetric."""


@dataclass(frozen=True)
class Labelled:
    """Labelled predictions of one model. For a regression, decisions are none."""

    labels: Array
    """Class index, or the value."""
    predictions: Array
    """The positive class's probability, one column a class, or the value."""
    decisions: Decisions
    """The class decided for."""

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Labelled":
        """Those *rows*."""
        return Labelled(self.labels[rows], self.predictions[rows], self.decisions[rows])


@dataclass(frozen=True)
class ScoreInterval:
    """A score and its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ScoreInfluence:
    """A score, what each row changes of it, and how many rows it speaks of."""

    value: float
    rows: Array
    count: int


NAMES: dict[Task, list[str]] = {
    task: [name for name in names if name not in OF_SEARCHES or name == "brier"] for task, names in SCORES.items()
}
"""The scores that are measured. A best F1 would choose its threshold by the labels that it is measured on."""


def measure(task: Task, found: Labelled, confidence: float) -> dict[str, ScoreInterval | None]:
    """Every score of *task* on *found*, which has rows; None where it is undefined."""
    return {name: interval(task, name, found, confidence) for name in NAMES[task]}


def interval(task: Task, name: str, found: Labelled, confidence: float) -> ScoreInterval | None:
    """The score called *name*, with its interval at *confidence*; None where it is undefined."""
    moved = influence(task, name, found)
    if moved is None or math.isnan(moved.value):
        return None
    error = float(np.sqrt(np.mean(moved.rows**2) / len(found)))
    return _between(moved, error, confidence, bounded=name not in UNBOUNDED, name=name)


def half_width(error: float, confidence: float) -> float:
    """Half of the interval of what is normal with the standard *error*."""
    return float(stats.norm.ppf((1 + confidence) / 2)) * error


def mean(values: Array, confidence: float) -> ScoreInterval:
    """The mean of *values*, which are some, with its interval."""
    value = float(values.mean())
    if len(values) < 2:
        return ScoreInterval(value, value, value)
    half = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)))
    return ScoreInterval(value, value - half, value + half)


def variance(influences: Array, units: npt.NDArray[np.int64]) -> float:
    """Of the mean of *influences*, each of one of *units*. Without end where there is but one: nobody knows how others differ."""
    _, inverse = np.unique(units, return_inverse=True)
    return variance_of_sums(np.bincount(inverse, weights=influences).astype(np.float64), len(influences))


def variance_of_sums(sums: Array, rows: int) -> float:
    """The same, from what the influences of each unit add up to, of so many *rows* together."""
    if len(sums) < 2:
        return math.inf
    return float((sums**2).sum()) / rows**2 * len(sums) / (len(sums) - 1)


def _between(moved: ScoreInfluence, error: float, confidence: float, *, bounded: bool, name: str) -> ScoreInterval:
    value, width = moved.value, half_width(error, confidence)
    if not bounded:
        low = value - width
        return ScoreInterval(value, low if name == "r2" else max(0.0, low), value + width)
    if not 0 < value < 1:
        chance = ((1 - confidence) / 2) ** (1 / max(1, moved.count))
        return ScoreInterval(value, 0.0, 1 - chance) if value <= 0 else ScoreInterval(value, chance, 1.0)
    odds, half = math.log(value / (1 - value)), width / (value * (1 - value))
    return ScoreInterval(value, _share(odds - half), _share(odds + half))


def _share(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0


def influence(task: Task, name: str, found: Labelled) -> ScoreInfluence | None:
    """The score called *name* and what each row of *found* changes of it; None where it is undefined."""
    if task == "regression":
        return _of_values(name, found.labels, found.predictions)
    if task == "binary":
        return _of_two(name, found.labels, found.predictions, found.decisions)
    if name in {"accuracy", "log_loss"}:
        own = found.predictions[np.arange(len(found)), found.labels.astype(np.int64)]
        hit = found.decisions == found.labels
        return _of_mean(hit.astype(np.float64) if name == "accuracy" else -np.log(np.clip(own, metrics.TINY, 1.0)))
    return _of_classes(name, found)


def _of_classes(name: str, found: Labelled) -> ScoreInfluence | None:
    """The mean over the classes, each counting the same; of what is decided, over those that are there or were decided for."""
    parts: list[ScoreInfluence] = []
    for index in range(found.predictions.shape[1]):
        own, decided = found.labels == index, found.decisions == index
        if name in {"precision", "recall", "f1"} and not (own.any() or decided.any()):
            continue
        part = _of_two(name, own.astype(np.float64), found.predictions[:, index], decided.astype(np.int64))
        if part is None and name in {"auc", "pr_auc"}:
            return None
        parts.append(part or ScoreInfluence(0.0, np.zeros(len(found)), len(found)))
    rows = np.mean([part.rows for part in parts], axis=0)
    return ScoreInfluence(float(np.mean([part.value for part in parts])), rows, min(part.count for part in parts))


def _of_two(name: str, labels: Array, scores: Array, decisions: Decisions) -> ScoreInfluence | None:
    decided = decisions.astype(np.float64)
    match name:
        case "accuracy":
            return _of_mean((labels == decided).astype(np.float64))
        case "brier":
            return _of_mean((scores - labels) ** 2)
        case "log_loss":
            kept = np.clip(scores, metrics.TINY, 1 - metrics.TINY)
            return _of_mean(-(labels * np.log(kept) + (1 - labels) * np.log(1 - kept)))
        case "precision":
            return _of_ratio(labels * decided, decided)
        case "recall":
            return _of_ratio(labels * decided, labels)
        case "f1":
            return _of_ratio(2 * labels * decided, decided + labels)
        case "auc":
            return _of_area(labels, scores)
        case _:
            return _of_average_precision(labels, scores)


def _of_mean(values: Array) -> ScoreInfluence:
    value = float(values.mean())
    return ScoreInfluence(value, values - value, len(values))


def _of_ratio(above: Array, below: Array) -> ScoreInfluence | None:
    total = float(below.sum())
    if not total:
        return None
    value = float(above.sum()) / total
    return ScoreInfluence(value, (above - value * below) * (len(below) / total), int(np.count_nonzero(below)))


def area(positive: Array, scores: Array) -> tuple[float, Array, Array]:
    """The area under the ROC curve with a label 1 to the share *positive* of each row, which are neither all nor none together.

    And, for each row, the share of the negatives with a lower score and of the positives with a higher one; equal ones count half.
    """
    positives = float(positive.sum())
    _, inverse, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    hits = np.bincount(inverse, weights=positive, minlength=len(sizes))
    misses = sizes - hits
    below = (np.cumsum(misses) - misses / 2)[inverse] / (len(positive) - positives)
    above = 1 - (np.cumsum(hits) - hits / 2)[inverse] / positives
    return float((below * positive).sum()) / positives, below, above


def _of_area(labels: Array, scores: Array) -> ScoreInfluence | None:
    return of_area(labels, area(labels, scores)) if 0 < labels.sum() < len(labels) else None


def of_area(labels: Array, found: tuple[float, Array, Array]) -> ScoreInfluence:
    """What each row changes of an area that :func:`area` *found*."""
    positives, count = float(labels.sum()), len(labels)
    negatives = count - positives
    value, below, above = found
    rows = np.where(labels == 1, (below - value) * (count / positives), (above - value) * (count / negatives))
    return ScoreInfluence(value, rows, int(min(positives, negatives)))


def _of_average_precision(labels: Array, scores: Array) -> ScoreInfluence | None:
    positives, count = float(labels.sum()), len(labels)
    if not positives:
        return None
    _, inverse, sizes = np.unique(-scores, return_inverse=True, return_counts=True)
    hits = np.bincount(inverse, weights=labels, minlength=len(sizes))
    decided = np.cumsum(sizes) / count
    precision = np.cumsum(hits) / count / decided
    value = float((hits * precision).sum()) / positives
    # What a row changes of the precision at every threshold below its own score.
    gained, spread = (np.cumsum((hits / count / decided * each)[::-1])[::-1] for each in (1.0, precision))
    own = labels * (precision - value)[inverse] + labels * gained[inverse] - spread[inverse]
    return ScoreInfluence(value, own * (count / positives), int(positives))


def _of_values(name: str, labels: Array, values: Array) -> ScoreInfluence | None:
    errors = values - labels
    if name == "mae":
        return _of_mean(np.abs(errors))
    square, deviations = float(np.mean(errors**2)), (labels - labels.mean()) ** 2
    if name == "rmse":
        root = math.sqrt(square)
        return ScoreInfluence(root, (errors**2 - square) / (2 * root) if root else errors * 0, len(labels))
    variance = float(deviations.mean())
    if not variance:
        return None
    change = -(errors**2 - square) / variance + square * (deviations - variance) / variance**2
    return ScoreInfluence(1 - square / variance, change, len(labels))
