"""Measures how far two counts, in the same bins, lie apart.

Exact for binned data: every number here comes from counts, so it does not depend on the order or the batches in which rows came. For
whether a distance is drift, see ``argosy.domain.drift``.
"""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import stats

from argosy.domain.bundle import Histogram
from argosy.domain.drift import Difference, Window
from argosy.ml.drift_measure import DriftMeasure

Counts = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]
Own = Mapping[str, DriftMeasure]
"""Measures that packages bring, by name."""
NONE: Own = {}

SMOOTHING = 0.5
"""Rows added to each cell for PSI, which is infinite where a cell is empty on one side."""
EXPECTED = 5.0
"""A chi-squared test, and the correction of a distance, need about this many expected rows in a cell; smaller ones are counted together."""

EXACT = 2_500
"""Rows up to which a Kolmogorov-Smirnov test is SciPy's exact one; of two samples, half the harmonic mean of their sizes."""

_PSI_A_DIVERGENCE = 8 * math.log(2)
"""Between distributions that lie close together, the index is so many times the square of the Jensen-Shannon distance in base 2."""


def differences(window: Window, reference: Window, own: Own = NONE) -> list[Difference]:
    """The prediction of *window*, then each of its columns that was logged, against *reference*, by *own* too. Empty for no rows."""
    asked = zip([window.prediction, *window.columns], [reference.prediction, *reference.columns], strict=True)
    answered = zip(window.answers, reference.answers, strict=True) if reference.answers else ()
    return [
        *(difference(now, before, own) for now, before in asked if _has_rows(now) and _has_rows(before)),
        *(
            difference(now, before, own).model_copy(update={"of": "answered"})
            for now, before in answered
            if _has_rows(now) and _has_rows(before)
        ),
    ]


def _has_rows(histogram: Histogram) -> bool:
    return histogram.missing > 0 or any(histogram.counts)


def difference(now: Histogram, before: Histogram, own: Own = NONE) -> Difference:
    """PSI, Jensen-Shannon distance, a test and what *own* say, of *now* against *before*, by bin. A missing value is a cell of its own."""
    left, right = cells(now), cells(before)
    number = now.levels is None
    pooled = _pooled(np.vstack([left, right]))
    chance = _chance(pooled)
    statistic, p_value = kolmogorov_smirnov(left, right) if number else chi_squared(left, right)
    return Difference(
        column=now.column,
        kind="number" if number else "category",
        psi=max(0.0, population_stability(*pooled) - chance),
        jensen_shannon=math.sqrt(max(0.0, jensen_shannon(*pooled) ** 2 - chance / _PSI_A_DIVERGENCE)),
        wasserstein=wasserstein(now, before) if number else None,
        test="ks" if number else "chi-squared",
        statistic=statistic,
        p_value=p_value,
        missing=float(left[0] / left.sum()),
        missing_before=float(right[0] / right.sum()),
        unseen=None if number else float(left[-1] / left.sum()),
        unseen_before=None if number else float(right[-1] / right.sum()),
        own={name: said for name, measure in own.items() if (said := measure(now, before)) is not None},
    )


def _chance(observed: Counts) -> float:
    """The population stability index that two samples of one distribution have on average, in cells of *observed*: a line a sample."""
    return float((observed.shape[1] - 1) * np.sum(1 / observed.sum(axis=1)))


def cells(histogram: Histogram) -> Counts:
    """All counts of *histogram*, the missing ones first."""
    return np.array([histogram.missing, *histogram.counts], dtype=np.int64)


def population_stability(left: Counts, right: Counts) -> float:
    """Population stability index, each cell smoothed by half a row."""
    p, q = _shares(left + SMOOTHING), _shares(right + SMOOTHING)
    return float(np.sum((p - q) * np.log(p / q)))


def jensen_shannon(left: Counts, right: Counts) -> float:
    """Jensen-Shannon distance, base 2: from 0 (equal) to 1 (no cell in common)."""
    p, q = _shares(left), _shares(right)
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    return float(np.sqrt(max(0.0, divergence)))


def kolmogorov_smirnov(left: Counts, right: Counts) -> tuple[float, float]:
    """The largest distance between the cumulated shares, and its p-value.

    Equal to the two-sample test on the cells' numbers. Ties make the test conservative: on binned data the p-value is never too small.
    """
    statistic = float(np.abs(np.cumsum(_shares(left)) - np.cumsum(_shares(right))).max())
    n, m = int(left.sum()), int(right.sum())
    return statistic, float(np.clip(_kolmogorov(statistic, round(n * m / (n + m))), 0.0, 1.0))


def _kolmogorov(statistic: float, size: int) -> float:
    """The chance of so large a distance between a sample of *size* and its distribution."""
    if size <= EXACT:
        return float(stats.kstwo.sf(statistic, size))
    # SciPy sums as many terms as there are rows in the tail, a second for a million. Vrbik's correction of the limit (2018, "Small-sample
    # corrections to Kolmogorov-Smirnov test statistic") is off by 2 % at a p-value of 1e-8 with this few rows, to the safe side, and by
    # less with more.
    scaled = statistic * math.sqrt(size)
    return float(stats.kstwobign.sf(scaled + 1 / (6 * math.sqrt(size)) + (scaled - 1) / (4 * size)))


def chi_squared(left: Counts, right: Counts) -> tuple[float, float]:
    """Pearson's statistic that both are draws of one distribution, and its p-value; cells too small for it are counted together."""
    observed = _pooled(np.vstack([left, right]))
    if observed.shape[1] < 2:
        return 0.0, 1.0
    expected = _expected(observed)
    statistic = float(np.sum((observed - expected) ** 2 / expected))
    return statistic, float(stats.chi2.sf(statistic, observed.shape[1] - 1))


def wasserstein(now: Histogram, before: Histogram) -> float:
    """Earth mover's distance of the values that are known, in their unit.

    A bin's rows stand at its middle; those outside the edges, at the edge. None known on a side: 0.
    """
    edges = np.asarray(now.edges or [0.0], dtype=np.float64)
    left, right = np.array(now.counts), np.array(before.counts)
    if not left.sum() or not right.sum():
        return 0.0
    places = np.concatenate([edges[:1], (edges[:-1] + edges[1:]) / 2, edges[-1:]])
    gaps = np.abs(np.cumsum(_shares(left)) - np.cumsum(_shares(right)))[:-1]
    return float(np.sum(gaps * np.diff(places)))


def _shares(counts: npt.NDArray[np.number]) -> Shares:
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def _relative_entropy(p: Shares, q: Shares) -> float:
    some = p > 0
    return float(np.sum(p[some] * np.log2(p[some] / q[some])))


def _expected(observed: Counts) -> Shares:
    return np.asarray(np.outer(observed.sum(axis=1), observed.sum(axis=0)) / observed.sum(), dtype=np.float64)


def _pooled(observed: Counts) -> Counts:
    observed = observed[:, observed.sum(axis=0) > 0]
    small = _expected(observed).min(axis=0) < EXPECTED
    if small.sum() < 2:
        return observed
    return np.column_stack([observed[:, ~small], observed[:, small].sum(axis=1)])
