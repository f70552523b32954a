"""The interval of a difference of two gaps between groups of people, on the safe side of their bias.

A gap is the largest of several contrasts, such as each group's rate less each other's. What is seen of it lies above what is true wherever
groups are alike, the more so the more groups there are and the smaller they are; far apart, it does not. Percentiles of draws, which add
the same once more, then let a candidate past that is less fair by just the margin, up to nine times in ten where 2.5 in a hundred are told.

No estimate of a largest value is without bias near ties (Hirano and Porter 2012). So each end of the interval takes the side that it needs:
the gap that holds the end back is taken to move as if all contrasts that may be the largest were (generalized moment selection, Andrews and
Soares 2010), the other as if the one that is seen to be were alone (Fang and Santos 2019 for what a largest value does under draws). The
interval holds the truth about as often as told or oftener, and is wider for it, most where both models are fair.

A share of few rows has draws of its own: half a row of either answer is added to it in the mean (Jeffreys' prior), so that none of 40 is
not taken for none of all.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argosy.domain.sample_size import error_of_interval

Array = npt.NDArray[np.float64]

NEAR = 1.5
"""Standard errors by which a contrast may lie below the largest and still be taken for one that may be it."""
_HALF = 0.5


@dataclass(frozen=True)
class Levels:
    """What is held against each other: a gap is the largest of all *tops* less all *bottoms*.

    Both have the whole holdout in their first line, then a draw a line.
    """

    tops: Array
    bottoms: Array


@dataclass(frozen=True)
class GapInterval:
    """The interval of a difference that is better the higher it is, and the standard error that it speaks of."""

    low: float
    high: float
    error: float


@dataclass(frozen=True)
class _Gap:
    """The gap of the whole holdout, and how far draws move it at least and at most."""

    seen: float
    least: Array
    most: Array


def share(above: Array, below: Array, random: np.random.Generator) -> Array:
    """The shares *above* of *below*, a group a column: first line the whole holdout, then a draw a line."""
    added = random.standard_gamma(_HALF, (2, *above.shape))
    added[:, 0] = _HALF
    # Sums that are drawn from a normal distribution may lie outside of what counts can be.
    base = np.maximum(below, 0.0)
    return np.asarray((np.clip(above, 0.0, base) + added[0]) / (base + added.sum(axis=0)))


def interval(
    candidate: Sequence[Levels], champion: Sequence[Levels], confidence: float, *, of_ratio: bool
) -> GapInterval:
    """Of the candidate's less the champion's. *of_ratio*: levels are logarithms, and what is held against each other is the smallest ratio.

    Draws in which a level is undefined are left out; without two others the interval has no ends.
    """
    told = np.all(
        [np.isfinite(part).all(axis=1) for one in (*candidate, *champion) for part in (one.tops, one.bottoms)], axis=0
    )
    if told.sum() < 3 or not told[0]:
        return GapInterval(-math.inf, math.inf, math.inf)
    mine, theirs = (_gap([Levels(one.tops[told], one.bottoms[told]) for one in each]) for each in (candidate, champion))
    tail = (1 - confidence) / 2

    def better(own: Array, other: Array) -> Array:
        one, two = (np.maximum(gap.seen - moved, 0.0) for gap, moved in ((mine, own), (theirs, other)))
        return np.asarray(np.exp(-one) - np.exp(-two) if of_ratio else two - one)

    low = float(np.quantile(better(mine.least, theirs.most), tail))
    high = float(np.quantile(better(mine.most, theirs.least), 1 - tail))
    return GapInterval(low, high, error_of_interval(low, high, confidence))


def _gap(levels: Sequence[Levels]) -> _Gap:
    seen, alone = -np.inf, np.empty(0)
    for block in _contrasts(levels):
        place = int(np.argmax(block[0]))
        if block[0, place] > seen:
            seen, alone = float(block[0, place]), block[1:, place] - block[0, place]
    least = most = alone
    for block in _contrasts(levels):
        moved, below = block[1:] - block[0], block[0] - seen
        reach = NEAR * (moved - alone[:, None]).std(axis=0)
        most = np.maximum(most, (moved + np.minimum(0.0, below + reach)).max(axis=1))
        least = np.maximum(least, (moved + (below - reach)).max(axis=1))
    return _Gap(seen, least, most)


def _contrasts(levels: Sequence[Levels]) -> Iterator[Array]:
    """All contrasts, those of one top at a time: together they would be as many as the square of the groups."""
    for one in levels:
        for top in one.tops.T:
            yield top[:, None] - one.bottoms
