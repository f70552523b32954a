"""The interval of a difference of two sums of absolute values, such as two expected calibration errors, on the safe side of their bias.

Where a bin's true gap is small against its noise, the absolute value of what is seen lies above that of what is true: a model that is
calibrated well looks worse than it is, by more than one that is not. Percentiles of draws, which add the same once more, then let a model
past that is worse by just the margin up to forty times in a hundred, where 2.5 are told. No estimate of an absolute value is without bias
near zero. So each end of the interval takes the side that it needs: the sum that holds the end back is estimated low (its correction
takes off all of the bias at zero, and more between), the other high (half of the correction that would be right on average). The interval
holds the truth about as often as told or oftener, whatever the gaps, and is wider for it, most where both models are calibrated well. A
Brier score has no such bias, and shows smaller differences.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from argosy.domain.sample_size import error_of_interval
from argosy.ml.resampling import Units

Array = npt.NDArray[np.float64]

_FAR = 6.0
"""Standard deviations from zero from which on a normal number is its own absolute value."""
_MEANS = np.linspace(0.0, _FAR, 1201)
_AT_ZERO = float(np.sqrt(2 / np.pi))
_FOLDED = _AT_ZERO * np.exp(-(_MEANS**2) / 2) + _MEANS * (1 - 2 * stats.norm.cdf(-_MEANS))
"""The mean of the absolute value of a normal number, of mean :data:`_MEANS` and variance 1."""
_WIDTH = 0.7
"""Of the correction that takes off all bias at zero, in standard errors: narrower would vary more, wider take off more elsewhere."""


@dataclass(frozen=True)
class FoldedInterval:
    """The interval of a difference, the champion's sum less the candidate's, and the standard error that it speaks of."""

    low: float
    high: float
    error: float


def interval(
    candidate: Array, champion: Array, units: Units, confidence: float, resamples: int, random: np.random.Generator
) -> FoldedInterval:
    """Of the means over the rows. *candidate*, *champion*: what each row adds to the gap of each bin, a line a row."""
    both, bins = np.concatenate([candidate, champion], axis=1), candidate.shape[1]
    count = len(both)
    mean = both.mean(axis=0)
    # Of entities of several rows, how many rows came varies too.
    sums = units.sums(both) - (units.sums(np.ones((count, 1))) * mean if units.repeated else mean)
    spread = sums.T @ sums * (len(sums) / max(1, len(sums) - 1)) / count**2
    errors = np.maximum(np.sqrt(np.diag(spread)), np.finfo(np.float64).tiny)
    drawn = random.multivariate_normal(mean, spread, resamples, method="eigh")
    signs = np.concatenate([-np.sign(mean[:bins]), np.sign(mean[bins:])])
    along = float(np.sqrt(max(0.0, signs @ spread @ signs)))
    quantile = float(stats.norm.ppf((1 + confidence) / 2))
    ends = []
    for back, ahead in ((slice(bins, None), slice(bins)), (slice(bins), slice(bins, None))):

        def least(gaps: Array, back: slice = back, ahead: slice = ahead) -> Array:
            held = _low(gaps[:, back] / errors[back]) * errors[back]
            return np.asarray(held.sum(axis=1) - (_high(gaps[:, ahead] / errors[ahead]) * errors[ahead]).sum(axis=1))

        ends.append(float(least(mean[None])[0]) - quantile * max(along, float(least(drawn).std(ddof=1))))
    low, high = ends[0], -ends[1]
    return FoldedInterval(low, high, error_of_interval(low, high, confidence))


def _low(seen: Array) -> Array:
    """From gaps in standard errors to absolute ones, too low if anything."""
    # The mean of the bell over a normal number of mean 0 is its width over that of both together.
    height = _AT_ZERO * np.sqrt(1 + _WIDTH**2) / _WIDTH
    return np.asarray(np.abs(seen) - height * np.exp(-((seen / _WIDTH) ** 2) / 2))


def _high(seen: Array) -> Array:
    """From gaps in standard errors to absolute ones, too high if anything."""
    size = np.abs(seen)
    unfolded = np.where(size >= _FAR, size, np.interp(size, _FOLDED, _MEANS))
    return np.asarray((size + unfolded) / 2)
