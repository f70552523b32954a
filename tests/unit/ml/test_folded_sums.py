"""The interval of a difference of expected calibration errors holds the truth about as often as told."""

import numpy as np
import pytest

from argosy.ml import folded_sums, paired, resampling
from argosy.ml.paired import Answers
from argosy.ml.resampling import Bootstrap

ROWS = 600


def drawn(random: np.random.Generator, slope: float) -> tuple[np.ndarray, Answers, Answers]:
    """Labels, a model whose log odds are too large by *slope*, and one that is calibrated."""
    truth = 1.2 * random.normal(size=ROWS)
    labels = (random.random(ROWS) < 1 / (1 + np.exp(-truth))).astype(float)
    return labels, Answers(1 / (1 + np.exp(-slope * truth))), Answers(1 / (1 + np.exp(-truth)))


def test_a_worse_model_is_not_let_past_its_margin() -> None:
    """Where it is worse by just the margin, the interval lies above that as seldom as told; percentiles did it in every third holdout."""
    random, slope = np.random.default_rng(1), 1.6
    truth = 1.2 * np.random.default_rng(2).normal(size=1_000_000)
    said, own = 1 / (1 + np.exp(-slope * truth)), 1 / (1 + np.exp(-truth))
    parts = np.array_split(np.argsort(said), 10)
    margin = sum(abs(float((said[part] - own[part]).mean())) for part in parts) / 10
    passed = []
    for seed in range(200):
        labels, candidate, champion = drawn(random, slope)
        contrast = paired.of_calibration("binary", "ece", labels, candidate, champion)
        gaps = contrast.candidate.rows[:, :-1], contrast.champion.rows[:, :-1]  # type: ignore[attr-defined]
        found = folded_sums.interval(*gaps, resampling.of_rows(ROWS), 0.95, 200, np.random.default_rng(seed))
        passed.append(found.low > -margin)
    assert np.mean(passed) <= 0.03


def test_without_noise_it_is_the_difference() -> None:
    """Gaps that every row agrees on need no correction."""
    one, two = np.full((400, 1), 0.3), np.full((400, 1), -0.1)
    found = folded_sums.interval(one, two, resampling.of_rows(400), 0.95, 100, np.random.default_rng(1))
    assert found.low == pytest.approx(-0.2)
    assert found.high == pytest.approx(-0.2)
    assert found.error == pytest.approx(0.0, abs=1e-9)


def test_the_comparison_uses_it_and_other_measurements_do_not_change() -> None:
    """The same seed gives the same figures, whatever is compared beside them."""
    labels, candidate, champion = drawn(np.random.default_rng(3), 2.0)
    contrasts = {name: paired.of_calibration("binary", name, labels, candidate, champion) for name in ("ece", "brier")}
    units, drawing = resampling.of_rows(ROWS), Bootstrap(0.95, 200, 7)
    both = paired.compare_all(contrasts, drawing, units)
    assert paired.compare_all({"brier": contrasts["brier"]}, drawing, units)["brier"] == both["brier"]
    assert paired.compare_all(contrasts, drawing, units) == both
    ece = both["ece"]
    assert ece is not None
    assert ece.low < ece.difference < ece.high


def test_two_groups_are_held_apart_no_more_seldom_than_told() -> None:
    """A candidate that is less fair by just the margin, beside a champion that is fair: percentiles let one in nine past."""
    random, margin, passed = np.random.default_rng(5), 0.05, []
    for seed in range(200):
        member, labels, chance = (
            random.random(ROWS) < 0.5,
            (random.random(ROWS) < 0.4).astype(float),
            random.random(ROWS),
        )
        champion = Answers((chance < 0.4).astype(float))
        candidate = Answers(
            (np.where(random.random(ROWS) < 0.8, chance, random.random(ROWS)) < 0.375 + margin * member).astype(float)
        )
        groups = [str(each) for each in member]
        contrast = paired.of_fairness("binary", "demographic_parity_difference", labels, candidate, champion, groups)
        assert contrast is not None
        one, two = contrast.candidate.gaps, contrast.champion.gaps  # type: ignore[attr-defined]
        assert abs(one.mean()) == pytest.approx(float(contrast.candidate.values(np.ones((1, ROWS)))[0]))
        found = folded_sums.interval(one, two, resampling.of_rows(ROWS), 0.95, 200, np.random.default_rng(seed))
        passed.append(found.low > -margin)
    assert np.mean(passed) <= 0.045


def test_of_three_groups_draws_are_what_there_is() -> None:
    """The farthest two of three are no absolute value of one difference."""
    random = np.random.default_rng(6)
    groups = [f"g{each}" for each in random.integers(0, 3, ROWS)]
    labels = (random.random(ROWS) < 0.4).astype(float)
    answers = Answers(random.random(ROWS))
    contrast = paired.of_fairness("binary", "equal_opportunity_difference", labels, answers, answers, groups)
    assert contrast is not None
    assert contrast.candidate.gaps is None  # type: ignore[attr-defined]
