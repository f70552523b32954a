"""Differences of two versions: in closed form what the bootstrap finds by drawing."""

import math

import numpy as np
import pytest

from argosy.ml import paired, version_differences
from argosy.ml.score_intervals import Labelled
from argosy.ml.version_differences import ArmRows

RANDOM = np.random.default_rng(5)
COUNT = 1_500
LABELS = (RANDOM.random(COUNT) < 0.3).astype(np.float64)
GOOD = np.clip(0.3 + 0.3 * (LABELS - 0.3) + RANDOM.normal(0, 0.2, COUNT), 0.01, 0.99)
WORSE = np.clip(GOOD + RANDOM.normal(0, 0.15, COUNT), 0.01, 0.99)
UNITS = np.arange(COUNT)


def labelled(scores: np.ndarray, rows: object = slice(None)) -> Labelled:
    return Labelled(LABELS[rows], scores[rows], (scores[rows] >= 0.5).astype(np.int64))  # type: ignore[index]


@pytest.mark.parametrize("metric", ["auc", "brier", "accuracy", "log_loss"])
def test_the_paired_interval_is_that_of_the_bootstrap(metric: str) -> None:
    """Value and ends, to a tenth of the interval's width; a score that is better when lower is turned."""
    found = version_differences.paired("binary", metric, labelled(GOOD), labelled(WORSE), UNITS, 0.95)
    answers = paired.Answers(WORSE), paired.Answers(GOOD)
    drawn = paired.compare("binary", metric, LABELS, *answers, paired.Bootstrap(0.95, 600, 3))
    assert found is not None
    assert drawn is not None
    assert found.difference == pytest.approx(drawn.difference, abs=1e-9)
    width = drawn.high - drawn.low
    assert found.low == pytest.approx(drawn.low, abs=width * 0.12)
    assert found.high == pytest.approx(drawn.high, abs=width * 0.12)
    assert found.difference < 0


def test_rows_that_are_repeated_tell_nothing_new() -> None:
    """Of entities that come four times the interval is as wide as of entities that come once."""
    once = version_differences.paired("binary", "auc", labelled(GOOD), labelled(WORSE), UNITS, 0.95)
    four = np.repeat(UNITS, 4)
    often = version_differences.paired("binary", "auc", labelled(GOOD, four), labelled(WORSE, four), four, 0.95)
    assert once is not None
    assert often is not None
    assert (often.low, often.high) == pytest.approx((once.low, once.high), abs=1e-9)


def test_arms_of_their_own_are_less_certain_than_pairs() -> None:
    """What the same rows have in common cancels out in pairs only."""
    pairs = version_differences.paired("binary", "auc", labelled(GOOD), labelled(WORSE), UNITS, 0.95)
    arms = version_differences.unpaired(
        "binary", "auc", ArmRows(labelled(GOOD), UNITS), ArmRows(labelled(WORSE), UNITS), 0.95
    )
    assert pairs is not None
    assert arms is not None
    assert arms.difference == pytest.approx(pairs.difference)
    assert arms.high - arms.low > pairs.high - pairs.low


def test_equal_versions_differ_by_nothing() -> None:
    """No row moves the difference, and chance is not asked."""
    found = version_differences.paired("binary", "auc", labelled(GOOD), labelled(GOOD), UNITS, 0.95)
    assert found is not None
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_one_entity_alone_has_an_interval_without_end() -> None:
    """However many rows it has, nobody knows how others differ from it."""
    found = version_differences.means(
        np.array([1.0, 2.0]), np.array([3.0, 5.0]), (np.zeros(2, int), np.zeros(2, int)), 0.95
    )
    assert (found.difference, found.low, found.high) == (2.5, -math.inf, math.inf)


def test_a_score_that_is_undefined_is_no_difference() -> None:
    """Without both classes there is no area."""
    rows = LABELS == 1
    assert (
        version_differences.paired("binary", "auc", labelled(GOOD, rows), labelled(WORSE, rows), UNITS[rows], 0.95)
        is None
    )
