"""Two models on the same rows: the difference of a score, its bootstrap interval, and a paired test.

The interval is Efron and Tibshirani's percentile interval (1993): rows drawn with replacement, the same rows for both models. The test is
that of DeLong, DeLong and Clarke-Pearson (1988) for the area under a ROC curve, and otherwise a permutation test that swaps the two models'
answers row by row. What follows from the figures, and what is made of several scores at once, is ``domain.comparison``' business.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from argosy.domain.comparison import Paired
from argosy.domain.model_settings import Task
from argosy.ml import metrics

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

OF_DECISIONS = frozenset({"accuracy", "precision", "recall", "f1"})
"""Scores of a binary model that see its decisions only: those are what a permutation swaps, as each model has a threshold of its own."""


@dataclass(frozen=True)
class Answers:
    """The predictions of one model for every row, and the threshold it decides by (binary models only)."""

    predictions: Array
    threshold: float = 0.5


@dataclass(frozen=True)
class Bootstrap:
    """Settings of the bootstrap interval: its confidence, the number of resamples, the seed."""

    confidence: float
    resamples: int
    seed: int


def compare(
    task: Task, metric: str, labels: Array, candidate: Answers, champion: Answers, drawing: Bootstrap
) -> Paired | None:
    """The paired difference, *candidate* less *champion*, so that more is better; None where the score is undefined on these rows."""
    score, sign = _scorer(task, metric, labels), 1.0 if metrics.direction(task, metric) == "maximize" else -1.0
    mine, theirs = _decisive(task, metric, candidate), _decisive(task, metric, champion)
    everything = np.arange(len(labels))
    own, other = score(everything, mine), score(everything, theirs)
    if math.isnan(own) or math.isnan(other):
        return None
    random = np.random.default_rng(drawing.seed)
    low, high = _interval(lambda rows: sign * (score(rows, mine) - score(rows, theirs)), len(labels), drawing, random)
    if (task, metric) == ("binary", "auc"):
        p_value = delong(labels, mine.predictions, theirs.predictions)
    else:
        p_value = _permuted(lambda answers: score(everything, answers), mine, theirs, drawing.resamples, random)
    return Paired(own, other, sign * (own - other), low, high, p_value, len(labels))


def score_distance(candidate: Answers, champion: Answers) -> float:
    """The largest difference between the cumulative distributions of the two models' scores (Kolmogorov-Smirnov), in 0 to 1.

    The score of a multiclass row is the probability of its likeliest class, as servers count it.
    """
    scores = [
        each.predictions.max(axis=1) if each.predictions.ndim == 2 else each.predictions
        for each in (candidate, champion)
    ]
    return float(stats.ks_2samp(*scores, method="asymp").statistic)


def delong(labels: Array, first: Array, second: Array) -> float:
    """Two-sided p-value of two areas under ROC curves on the same rows being equal. Both classes must be there."""
    positive = labels == 1
    by_positive, by_negative = (
        np.subtract(*(placements[side] for placements in (_placements(first, positive), _placements(second, positive))))
        for side in (0, 1)
    )
    variance = sum(
        float(np.var(part, ddof=1)) / len(part) if len(part) > 1 else 0.0 for part in (by_positive, by_negative)
    )
    difference = float(by_positive.mean())
    if variance == 0:
        return 1.0 if difference == 0 else 0.0
    return math.erfc(abs(difference) / math.sqrt(2 * variance))


def _placements(scores: Array, positive: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """For each positive the share of negatives below it; for each negative the share of positives above it; ties count half."""
    ranks = stats.rankdata(scores)
    within_positive, within_negative = stats.rankdata(scores[positive]), stats.rankdata(scores[~positive])
    below = (ranks[positive] - within_positive) / len(within_negative)
    above = 1 - (ranks[~positive] - within_negative) / len(within_positive)
    return below, above


def _scorer(task: Task, metric: str, labels: Array) -> Callable[[Rows, Answers], float]:
    def score(rows: Rows, answers: Answers) -> float:
        return metrics.score(task, metric, labels[rows], answers.predictions[rows], threshold=answers.threshold)

    return score


def _decisive(task: Task, metric: str, answers: Answers) -> Answers:
    if task != "binary" or metric not in OF_DECISIONS:
        return answers
    return Answers((answers.predictions >= answers.threshold).astype(np.float64))


def _interval(
    difference: Callable[[Rows], float], count: int, drawing: Bootstrap, random: np.random.Generator
) -> tuple[float, float]:
    """The percentile interval; without end where a resample that can be scored never came."""
    drawn = np.array([difference(random.integers(0, count, count)) for _ in range(drawing.resamples)])
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return -math.inf, math.inf
    tail = (1 - drawing.confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def _permuted(
    score: Callable[[Answers], float], mine: Answers, theirs: Answers, times: int, random: np.random.Generator
) -> float:
    """Share of the random swaps that set the two at least as far apart as they are, itself counted."""
    apart = abs(score(mine) - score(theirs))
    first, second = mine.predictions, theirs.predictions
    count = 0
    for _ in range(times):
        swapped = random.random(len(first)) < 0.5
        turned = swapped.reshape(-1, *[1] * (first.ndim - 1))
        one = Answers(np.where(turned, second, first), mine.threshold)
        two = Answers(np.where(turned, first, second), theirs.threshold)
        # A hair's breadth less counts as equal: the same sum in another order.
        count += not abs(score(one) - score(two)) < apart - 1e-12
    return (count + 1) / (times + 1)
