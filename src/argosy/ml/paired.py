"""Two models on the same rows: the difference of a measurement, its bootstrap interval, and a paired test.

The interval is Efron and Tibshirani's percentile interval (1993): rows drawn with replacement, the same rows for both models; rows of one
entity are drawn together. The test of an area under a curve is that of DeLong, DeLong and Clarke-Pearson (1988), with the influences of
one entity added up (Obuchowski 1997); any other is a permutation test that swaps the two models' answers, entity by entity. Where that
many draws of that many rows would take minutes, the sums that a measurement is made of are drawn from the normal distribution that they
then have. An expected calibration error is a sum of absolute values, as the difference of a rate between two groups is, and each has an
interval of its own (``folded_sums``); so have other gaps between groups, the largest of several differences (``group_gaps``). What follows
from the figures, and what is made of several at once, is the business of ``domain.comparison``.
"""

import copy
import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from argosy.domain.comparison import Paired
from argosy.domain.model_settings import Task
from argosy.ml import folded_sums, group_gaps, metrics, resampling, score_intervals, weighted_statistics
from argosy.ml.resampling import Bootstrap, Units
from argosy.ml.row_groups import RowGroups
from argosy.ml.score_intervals import Labelled
from argosy.ml.weighted_statistics import OfRepeatedRows, OfSums, Statistic

Array = npt.NDArray[np.float64]
Area = tuple[float, Array, Array]
"""What ``score_intervals.area`` gives."""

OF_DECISIONS = frozenset({"accuracy", "precision", "recall", "f1"})
"""Scores of a binary model that see its decisions only: those are what a permutation swaps, as each model has a threshold of its own."""
MOST_DRAWN = 100_000_000
"""Rows that may be drawn, in all resamples together; of more, the normal distribution of their sums is."""
HAIR = 1e-9
"""Two sums of the same numbers in another order differ by less."""


@dataclass(frozen=True)
class Answers:
    """The predictions of one model for every row, and the threshold it decides by (binary models only)."""

    predictions: Array
    threshold: float = 0.5


@dataclass(frozen=True)
class Draws:
    """What draws of the holdout came to."""

    differences: Array
    """Turned so that more is better."""
    sums: tuple[Array, Array] | None = None
    """Of gaps between groups the sums over the rows, of the candidate and of the champion, a line a draw."""

    @staticmethod
    def joined(parts: Sequence["Draws"]) -> "Draws":
        """All draws of *parts*, which are of one contrast."""
        differences = np.concatenate([part.differences for part in parts])
        sums = [part.sums for part in parts if part.sums is not None]
        if not sums:
            return Draws(differences)
        one, two = zip(*sums, strict=True)
        return Draws(differences, (np.concatenate(one), np.concatenate(two)))


@dataclass(frozen=True)
class Contrast:
    """One measurement of both models on the same rows."""

    candidate: Statistic
    champion: Statistic
    more_is_better: bool
    influences: Array | None = None
    """What each row changes of the difference, where a ranking is compared."""
    by_delong: float | None = None
    """The p-value of DeLong's test, where it is one of areas under ROC curves; of rows that are each one by themselves."""

    @property
    def sign(self) -> float:
        """Turns a difference so that more is better."""
        return 1.0 if self.more_is_better else -1.0

    def differences(self, weights: Array) -> Array:
        """The difference on each draw, turned."""
        return self.sign * (self.candidate.values(weights) - self.champion.values(weights))

    def draws(self, weights: Array) -> Draws:
        """The same, with what it was made of where that is asked for."""
        one, two = self.candidate, self.champion
        if isinstance(one, OfSums) and isinstance(two, OfSums) and one.levels is not None:
            return _of_sums(one, two, self.sign, weights @ one.rows, weights @ two.rows)
        return Draws(self.differences(weights))


def compare(
    task: Task,
    metric: str,
    labels: Array,
    candidate: Answers,
    champion: Answers,
    drawing: Bootstrap,
    units: Units | None = None,
) -> Paired | None:
    """The paired difference, *candidate* less *champion*, so that more is better; None where the score is undefined on these rows."""
    contrasts = {metric: of_score(task, metric, labels, candidate, champion)}
    return compare_all(contrasts, drawing, units or resampling.of_rows(len(labels)))[metric]


def of_score(task: Task, metric: str, labels: Array, candidate: Answers, champion: Answers) -> Contrast:
    """The contrast of the score called *metric*."""
    better = metrics.direction(task, metric) == "maximize"
    mine, theirs = _decisive(task, metric, candidate), _decisive(task, metric, champion)
    one, two = (
        weighted_statistics.of_score(task, metric, labels, each.predictions, each.threshold) for each in (mine, theirs)
    )
    if metric not in {"auc", "pr_auc"}:
        return Contrast(one, two, better)
    if (task, metric) == ("binary", "auc") and 0 < labels.sum() < len(labels):
        # The influences and the test go by the same ranks, which are most of what they cost.
        areas = [score_intervals.area(labels, each.predictions) for each in (mine, theirs)]
        moved, other = (score_intervals.of_area(labels, each).rows for each in areas)
        return Contrast(one, two, better, moved - other, _of_areas(labels == 1, *areas))
    return Contrast(one, two, better, _influences(task, metric, labels, mine, theirs))


def of_worth(labels: Array, candidate: Answers, champion: Answers, worth: Mapping[str, float]) -> Contrast:
    """The contrast of ``performance.value_per_row``."""
    one, two = (
        weighted_statistics.of_worth(labels, each.predictions, each.threshold, worth) for each in (candidate, champion)
    )
    return Contrast(one, two, more_is_better=True)


def of_calibration(task: Task, name: str, labels: Array, candidate: Answers, champion: Answers) -> Contrast:
    """The contrast of ``calibration.<name>``, of which less is better."""
    one, two = (
        weighted_statistics.of_calibration(task, name, labels, each.predictions) for each in (candidate, champion)
    )
    return Contrast(one, two, more_is_better=False)


def of_fairness(
    task: Task, name: str, labels: Array, candidate: Answers, champion: Answers, groups: Sequence[str] | RowGroups
) -> Contrast | None:
    """The contrast of ``fairness.<attribute>.<name>``, *groups* being those of its attribute; None where too few are large enough."""
    members = RowGroups.of(groups)
    first, second = (
        weighted_statistics.of_fairness(task, name, labels, each.predictions, each.threshold, members)
        for each in (candidate, champion)
    )
    return Contrast(first, second, more_is_better=name.endswith("ratio")) if first and second else None


def compare_all(
    contrasts: Mapping[str, Contrast], drawing: Bootstrap, units: Units, *, tested: bool = True
) -> dict[str, Paired | None]:
    """Each of *contrasts*, all on the same draws; None where one is undefined on these rows. Without *tested* p-values are NaN, and cost
    nothing."""
    whole = np.ones((1, len(units.places)))
    values = {
        name: (float(each.candidate.values(whole)[0]), float(each.champion.values(whole)[0]))
        for name, each in contrasts.items()
    }
    told = {name: each for name, each in contrasts.items() if not any(map(math.isnan, values[name]))}
    random = np.random.default_rng(drawing.seed)
    many = len(units.places) * drawing.resamples > MOST_DRAWN
    if many:
        drawn = {name: _normal(each, values[name], drawing, units, random) for name, each in told.items()}
    else:
        drawn = _drawn(told, drawing, units, random)
    found: dict[str, Paired | None] = dict.fromkeys(contrasts)
    for name, each in told.items():
        draws = drawn[name]
        swaps = copy.deepcopy(random)
        apart = each.sign * (values[name][0] - values[name][1])
        p_value = (
            _p_value(each, apart, draws.differences, drawing, units, swaps, by_swaps=not many) if tested else math.nan
        )
        pair = _paired(each, *values[name], draws.differences, p_value, drawing, units)
        pair = _without_bias(each, pair, drawing, units, copy.deepcopy(random))
        found[name] = _of_groups(each, pair, draws, drawing, copy.deepcopy(random))
    return found


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
    return _of_areas(labels == 1, *(score_intervals.area(labels, each) for each in (first, second)))


def _of_areas(positive: npt.NDArray[np.bool_], first: Area, second: Area) -> float:
    """DeLong's test: of a positive, the share of negatives below it is what counts; of a negative, that of positives above it."""
    by_positive, by_negative = first[1][positive] - second[1][positive], first[2][~positive] - second[2][~positive]
    variance = sum(
        float(np.var(part, ddof=1)) / len(part) if len(part) > 1 else 0.0 for part in (by_positive, by_negative)
    )
    difference = float(by_positive.mean())
    if variance == 0:
        return 1.0 if difference == 0 else 0.0
    return math.erfc(abs(difference) / math.sqrt(2 * variance))


def _paired(
    contrast: Contrast,
    candidate: float,
    champion: float,
    drawn: Array,
    p_value: float,
    drawing: Bootstrap,
    units: Units,
) -> Paired:
    difference, (low, high) = contrast.sign * (candidate - champion), _interval(drawn, drawing.confidence)
    kept = drawn[~np.isnan(drawn)]
    error = float(kept.std(ddof=1)) if len(kept) > 1 else math.inf
    entities = units.count if units.repeated else None
    return Paired(candidate, champion, difference, low, high, p_value, len(units.places), entities, error)


def _without_bias(
    contrast: Contrast, pair: Paired, drawing: Bootstrap, units: Units, random: np.random.Generator
) -> Paired:
    """*pair* with the interval of a difference of sums of absolute values, where it is one."""
    gaps = [each.gaps for each in (contrast.candidate, contrast.champion) if isinstance(each, OfSums)]
    one, two = gaps if len(gaps) == 2 else (None, None)
    if one is None or two is None:
        return pair
    found = folded_sums.interval(one, two, units, drawing.confidence, drawing.resamples, random)
    return dataclasses.replace(pair, low=found.low, high=found.high, error=found.error)


def _decisive(task: Task, metric: str, answers: Answers) -> Answers:
    if task != "binary" or metric not in OF_DECISIONS:
        return answers
    return Answers((answers.predictions >= answers.threshold).astype(np.float64))


def _influences(task: Task, metric: str, labels: Array, candidate: Answers, champion: Answers) -> Array | None:
    none = np.zeros(len(labels), dtype=np.int64)
    one, two = (
        score_intervals.influence(task, metric, Labelled(labels, each.predictions, none))
        for each in (candidate, champion)
    )
    return one.rows - two.rows if one and two else None


def _of_sums(one: OfSums, two: OfSums, sign: float, candidate: Array, champion: Array) -> Draws:
    """The draws of a difference from *candidate* and *champion*, sums over the rows, a line a draw."""
    with np.errstate(divide="ignore", invalid="ignore"):
        differences = sign * (one.value(candidate) - two.value(champion))
    return Draws(differences, None if one.levels is None else (candidate, champion))


def _of_groups(
    contrast: Contrast, pair: Paired, draws: Draws, drawing: Bootstrap, random: np.random.Generator
) -> Paired:
    """*pair* with the interval of a difference of gaps between groups, where it is one."""
    if draws.sums is None or not isinstance(contrast.candidate, OfSums) or not isinstance(contrast.champion, OfSums):
        return pair
    mine, theirs = (
        [] if each.levels is None else each.levels(np.concatenate([each.rows.sum(axis=0)[None], sums]), random)
        for each, sums in zip((contrast.candidate, contrast.champion), draws.sums, strict=True)
    )
    found = group_gaps.interval(mine, theirs, drawing.confidence, of_ratio=contrast.more_is_better)
    # A share of few rows is moved towards one half there; what is reported is not.
    low, high = min(found.low, pair.difference), max(found.high, pair.difference)
    return dataclasses.replace(pair, low=low, high=high, error=found.error)


def _drawn(
    contrasts: Mapping[str, Contrast], drawing: Bootstrap, units: Units, random: np.random.Generator
) -> dict[str, Draws]:
    """The differences on resamples of the holdout."""
    parts: dict[str, list[Draws]] = {name: [] for name in contrasts}
    for block in resampling.drawn(units, drawing.resamples, random):
        weights = units.spread(block)
        for name, each in contrasts.items():
            parts[name].append(each.draws(weights))
    return {name: Draws.joined(part) for name, part in parts.items()}


def _normal(
    contrast: Contrast, seen: tuple[float, float], drawing: Bootstrap, units: Units, random: np.random.Generator
) -> Draws:
    """The differences on draws of what a holdout of this size adds up to, by the central limit theorem.

    *seen*: the values of both on the whole holdout.
    """
    candidate, champion = contrast.candidate, contrast.champion
    if isinstance(candidate, OfSums) and isinstance(champion, OfSums):
        sums = units.sums(np.concatenate([candidate.rows, champion.rows], axis=1))
        spread = np.atleast_2d(np.cov(sums, rowvar=False)) * len(sums)
        drawn = random.multivariate_normal(sums.sum(axis=0), spread, drawing.resamples, method="eigh")
        width = candidate.rows.shape[1]
        return _of_sums(candidate, champion, contrast.sign, drawn[:, :width], drawn[:, width:])
    if contrast.influences is None:
        # A best F1 and the like, whose thresholds depend on the labels: a few hundred draws, for want of a formula.
        few = Bootstrap(drawing.confidence, max(100, MOST_DRAWN // len(units.places)), drawing.seed)
        return _drawn({"it": contrast}, few, units, random)["it"]
    middle = contrast.sign * (seen[0] - seen[1])
    return Draws(middle + _error(contrast.influences, units) * random.standard_normal(drawing.resamples))


def _error(influences: Array, units: Units) -> float:
    """The standard error of a difference, from what each row changes of it."""
    return math.sqrt(score_intervals.variance_of_sums(units.sums(influences[:, None])[:, 0], len(influences)))


def _interval(drawn: Array, confidence: float) -> tuple[float, float]:
    """The percentile interval; without end where a resample that can be scored never came."""
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return -math.inf, math.inf
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def _p_value(
    contrast: Contrast,
    difference: float,
    drawn: Array,
    drawing: Bootstrap,
    units: Units,
    random: np.random.Generator,
    *,
    by_swaps: bool,
) -> float:
    """Two-sided, of the two being equal. *difference*: on the whole holdout."""
    if contrast.by_delong is not None and not units.repeated:
        return contrast.by_delong
    if contrast.influences is not None:
        return _of_normal(difference, _error(contrast.influences, units))
    if not by_swaps:
        return _of_normal(difference, float(np.nanstd(drawn, ddof=1)))
    candidate, champion = contrast.candidate, contrast.champion
    if isinstance(candidate, OfSums) and isinstance(champion, OfSums):
        return _swapped_sums(candidate, champion, drawing.resamples, units, random)
    if isinstance(candidate, OfRepeatedRows) and isinstance(champion, OfRepeatedRows):
        return _swapped_rows(candidate, champion, drawing.resamples, units, random)
    raise TypeError(f"no test for {candidate} against {champion}")


def _of_normal(difference: float, error: float) -> float:
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return math.erfc(abs(difference) / error / math.sqrt(2))


def _swapped_sums(first: OfSums, second: OfSums, times: int, units: Units, random: np.random.Generator) -> float:
    """Share of the random swaps that set the two at least as far apart as they are, itself counted."""
    mine, theirs = units.sums(first.rows), units.sums(second.rows)
    totals = mine.sum(axis=0), theirs.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = float(abs(first.value(totals[0][None]) - second.value(totals[1][None]))[0])
        count = 0
        for block in resampling.swapped(units, times, random):
            moved = block @ (theirs - mine)
            distances = np.abs(first.value(totals[0] + moved) - second.value(totals[1] - moved))
            # Asked so that a swap whose score is undefined counts against the difference.
            count += int((~(distances < apart * (1 - HAIR) - 1e-12)).sum())
    return (count + 1) / (times + 1)


def _swapped_rows(
    first: OfRepeatedRows, second: OfRepeatedRows, times: int, units: Units, random: np.random.Generator
) -> float:
    """The same, of a score that no sums tell."""

    def distance(swap: npt.NDArray[np.bool_]) -> float:
        turned = swap.reshape(-1, *[1] * (first.predictions.ndim - 1))
        one = np.where(turned, second.predictions, first.predictions)
        two = np.where(turned, first.predictions, second.predictions)
        scores = (
            metrics.score(first.task, first.name, first.labels, answers, threshold=each.threshold)
            for answers, each in ((one, first), (two, second))
        )
        first_score, second_score = scores
        return abs(first_score - second_score)

    apart = distance(np.zeros(len(first.labels), dtype=bool))
    blocks = resampling.swapped(units, times, random)
    found = (distance(line > 0) for block in blocks for line in units.spread(block))
    count = sum(not each < apart * (1 - HAIR) - 1e-12 for each in found)
    return (count + 1) / (times + 1)
