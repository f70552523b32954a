"""The interval of a difference of gaps between groups holds the truth about as often as told."""

import math

import numpy as np
import pytest

from argosy.domain.model_settings import Task
from argosy.ml import group_gaps, paired, resampling, weighted_statistics
from argosy.ml.group_gaps import Levels
from argosy.ml.paired import Answers
from argosy.ml.resampling import Bootstrap

GROUPS, EACH, DRAWS = 5, 200, 200


def levels(counts: np.ndarray, random: np.random.Generator, *, of_ratio: bool) -> list[Levels]:
    """Of counts, a group a column, out of :data:`EACH` rows."""
    shares = group_gaps.share(counts.astype(float), np.full(counts.shape, float(EACH)), random)
    found = np.log(shares) if of_ratio else shares
    return [Levels(found, found)]


@pytest.mark.parametrize("of_ratio", [pytest.param(False, id="difference"), pytest.param(True, id="ratio")])
def test_a_less_fair_model_is_not_let_past_its_margin(*, of_ratio: bool) -> None:
    """Beside a champion that is fair, one that is less so by just the margin: percentiles let one in four past, and four in five."""
    random = np.random.default_rng(1)
    champion, candidate = np.full(GROUPS, 0.3), np.array([0.3] * (GROUPS - 1) + [0.4])
    both = candidate * champion + 0.9 * np.minimum(candidate * (1 - champion), champion * (1 - candidate))
    cells = np.stack([both, candidate - both, champion - both, 1 - candidate - champion + both], axis=1)
    margin = 0.25 if of_ratio else 0.1
    passed, by_percentiles, covered = [], [], []
    for _ in range(120):
        seen = random.multinomial(EACH, cells)
        counts = np.concatenate([seen[None], random.multinomial(EACH, seen / EACH, size=(DRAWS, GROUPS))])
        mine, theirs = counts[:, :, 0] + counts[:, :, 1], counts[:, :, 0] + counts[:, :, 2]
        found = group_gaps.interval(
            levels(mine, random, of_ratio=of_ratio), levels(theirs, random, of_ratio=of_ratio), 0.95, of_ratio=of_ratio
        )
        passed.append(found.low > -margin)
        covered.append(found.low <= -margin <= found.high)
        gaps = [
            each.min(axis=1) / each.max(axis=1) if of_ratio else (each.min(axis=1) - each.max(axis=1)) / EACH
            for each in (mine, theirs)
        ]
        by_percentiles.append(np.quantile((gaps[0] - gaps[1])[1:], 0.025) > -margin)
    assert np.mean(passed) <= 0.04
    assert np.mean(covered) >= 0.95
    assert np.mean(by_percentiles) > 0.1


def test_groups_that_are_far_apart_need_no_correction() -> None:
    """Where nobody doubts which groups are the ends, the interval is that of one difference of them, by the normal distribution."""
    random, error = np.random.default_rng(2), 0.01
    middle = np.array([0.1, 0.3, 0.6])
    one, two = (np.concatenate([middle[None], middle + error * random.standard_normal((20_000, 3))]) for _ in range(2))
    found = group_gaps.interval([Levels(one, one)], [Levels(two, two)], 0.95, of_ratio=False)
    assert found.high - found.low == pytest.approx(2 * 1.96 * 2 * error, rel=0.03)
    assert found.error == pytest.approx(2 * error, rel=0.03)


def test_without_noise_it_is_the_difference() -> None:
    """And a draw that is undefined is left out; if all are, nothing is said."""
    one, two = (np.repeat([levels], 50, axis=0) for levels in ([0.1, 0.3, 0.5], [0.2, 0.3, 0.5]))
    one[3, 1] = math.nan
    found = group_gaps.interval([Levels(one, one)], [Levels(two, two)], 0.95, of_ratio=False)
    assert (found.low, found.high) == (pytest.approx(-0.1), pytest.approx(-0.1))
    one[1:] = math.nan
    assert group_gaps.interval([Levels(one, one)], [Levels(two, two)], 0.95, of_ratio=False).low == -math.inf


def test_none_of_a_few_is_not_none_of_all() -> None:
    """Resamples of a group without one decision have none either, and would call its share certain."""
    found = group_gaps.share(np.zeros((2001, 1)), np.full((2001, 1), 40.0), np.random.default_rng(3))
    assert found[0, 0] == pytest.approx(0.5 / 41)
    assert 0.04 < np.quantile(found[1:], 0.95) < 0.06


@pytest.mark.parametrize(("task", "name"), sorted(weighted_statistics.LEVELS))
def test_the_levels_are_those_of_the_measurement(task: Task, name: str) -> None:
    """What is the largest of them is what the measurement says, but for the half row that is added to a share."""
    random = np.random.default_rng(4)
    labels = (random.random(3_000) < 0.4).astype(float)
    groups = list(random.choice(["a", "b", "c"], 3_000))
    answers = np.clip(0.3 * labels + 0.7 * random.random(3_000), 0, 1)
    if task == "multiclass":
        answers = np.stack([1 - answers, answers], axis=1)
    statistic = weighted_statistics.of_fairness(task, name, labels, answers, 0.5, groups)
    assert statistic is not None
    assert statistic.levels is not None
    found = statistic.levels(statistic.rows.sum(axis=0)[None], random)
    gap = max(float((each.tops[0][:, None] - each.bottoms[0]).max()) for each in found)
    expected = float(statistic.values(np.ones((1, 3_000)))[0])
    assert (math.exp(-gap) if name.endswith("ratio") else gap) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("most_drawn", [pytest.param(10**8, id="resamples"), pytest.param(0, id="normal")])
def test_the_comparison_uses_it(monkeypatch: pytest.MonkeyPatch, most_drawn: int) -> None:
    """Of three groups, on either kind of draws: of a model beside itself percentiles see no doubt at all, and there is one."""
    monkeypatch.setattr(paired, "MOST_DRAWN", most_drawn)
    random = np.random.default_rng(5)
    labels, answers = (random.random(900) < 0.4).astype(float), Answers(random.random(900))
    groups = list(random.choice(["a", "b", "c"], 900))
    names = ("demographic_parity_ratio", "equalized_odds_difference", "calibration_gap")
    contrasts = {
        name: found
        for name in names
        if (found := paired.of_fairness("binary", name, labels, answers, answers, groups)) is not None
    }
    units, drawing = resampling.of_rows(900), Bootstrap(0.95, 200, 7)
    both = paired.compare_all(contrasts, drawing, units)
    for name in names:
        pair = both[name]
        assert pair is not None
        assert pair.low < pair.difference == 0 < pair.high
    assert paired.compare_all(contrasts, drawing, units) == both
