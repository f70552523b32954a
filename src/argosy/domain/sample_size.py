"""How small a difference of two models a holdout can show, and how many rows another difference would take. Pure.

From the standard error of the paired difference, by the normal approximation: a difference is found with the probability *power* where it
is as many standard errors from what it is held against as the interval's half width and the power's quantile together (Cohen 1988). The
error falls with the root of the rows, or of the entities where those repeat.
"""

import math
from statistics import NormalDist

NORMAL = NormalDist()


def smallest_shown(error: float, confidence: float, power: float) -> float:
    """The smallest difference that is found with the probability *power*, *error* being its standard error."""
    return _reach(confidence, power) * error


def rows_needed(rows: int, error: float, difference: float, confidence: float, power: float) -> int | None:
    """The rows of which a *difference* is found with the probability *power*, where *rows* have *error*; None where no number does."""
    if difference <= 0 or not math.isfinite(error):
        return None
    return math.ceil(rows * (smallest_shown(error, confidence, power) / difference) ** 2)


def error_of_interval(low: float, high: float, confidence: float) -> float:
    """The standard error that an interval from *low* to *high* speaks of."""
    return (high - low) / (2 * NORMAL.inv_cdf((1 + confidence) / 2))


def tail(value: float) -> float:
    """The chance of a standard normal number below *value*."""
    return NORMAL.cdf(value)


def _reach(confidence: float, power: float) -> float:
    return NORMAL.inv_cdf((1 + confidence) / 2) + NORMAL.inv_cdf(power)
