"""Two versions of a model by what became of their answers: the difference of a score with its interval, paired or not.

Paired: both answered the same rows (a shadow). Unpaired: each answered rows of its own (a split). In closed form, from the influence
functions of :mod:`argosy.ml.score_intervals`, so that a million rows cost a few sorts. Rows of one entity are not independent: their
influences are added up before they are squared (Liang and Zeger 1986). Differences are second less first, turned so that more is better.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from argosy.domain.comparison import Paired
from argosy.domain.model_settings import Task
from argosy.ml import metrics, score_intervals
from argosy.ml.score_intervals import Labelled

Array = npt.NDArray[np.float64]
Units = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ArmRows:
    """Labelled rows that one version answered, and of which entity each is, as a number."""

    found: Labelled
    units: Units


def paired(
    task: Task, metric: str, first: Labelled, second: Labelled, units: Units, confidence: float
) -> Paired | None:
    """The difference on rows that both answered, in the same order; None where the score is undefined."""
    one, two = (score_intervals.influence(task, metric, each) for each in (first, second))
    if one is None or two is None:
        return None
    variance = score_intervals.variance(two.rows - one.rows, units)
    return _difference(task, metric, one.value, two.value, variance, len(units), confidence)


def unpaired(task: Task, metric: str, first: ArmRows, second: ArmRows, confidence: float) -> Paired | None:
    """The difference of two arms; its ``rows`` are those of the smaller one. None where the score is undefined."""
    one, two = (score_intervals.influence(task, metric, each.found) for each in (first, second))
    if one is None or two is None:
        return None
    variance = score_intervals.variance(one.rows, first.units) + score_intervals.variance(two.rows, second.units)
    rows = min(len(first.units), len(second.units))
    return _difference(task, metric, one.value, two.value, variance, rows, confidence)


def means(first: Array, second: Array, units: tuple[Units, Units], confidence: float) -> Paired:
    """The difference of two means, of values that are worth more where they are more."""
    one, two = float(first.mean()), float(second.mean())
    variance = score_intervals.variance(first - one, units[0]) + score_intervals.variance(second - two, units[1])
    return _made(one, two, two - one, variance, min(len(first), len(second)), confidence)


def _difference(
    task: Task, metric: str, one: float, two: float, variance: float, rows: int, confidence: float
) -> Paired | None:
    if math.isnan(one) or math.isnan(two):
        return None
    sign = 1.0 if metrics.direction(task, metric) == "maximize" else -1.0
    return _made(one, two, sign * (two - one), variance, rows, confidence)


def _made(one: float, two: float, difference: float, variance: float, rows: int, confidence: float) -> Paired:
    error = math.sqrt(variance)
    width = float(stats.norm.ppf((1 + confidence) / 2)) * error
    certain = 1.0 if difference == 0 else 0.0
    p_value = certain if error == 0 else math.erfc(abs(difference) / error / math.sqrt(2))
    return Paired(two, one, difference, difference - width, difference + width, p_value, rows)
