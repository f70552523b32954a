"""Scores of labelled predictions come with intervals that hold what they promise, at the price of one sort."""

import numpy as np
import numpy.typing as npt
import pytest

from argosy.domain.model_settings import Task
from argosy.ml import metrics, score_intervals
from argosy.ml.score_intervals import Labelled

Array = npt.NDArray[np.float64]
CUT = 0.3


def draw(task: Task, count: int, seed: int) -> Labelled:
    """Labelled predictions of one world; the scores of two tasks have ties."""
    random = np.random.default_rng(seed)
    if task == "binary":
        scores = random.beta(1.2, 3, count).round(2)
        labels = (random.random(count) < scores).astype(np.float64)
        return Labelled(labels, scores, (scores >= CUT).astype(np.int64))
    if task == "multiclass":
        scores = random.dirichlet([1, 2, 3], count).round(3)
        labels = (random.random((count, 1)) > np.cumsum(scores, axis=1)).sum(axis=1).clip(0, 2).astype(np.float64)
        return Labelled(labels, scores, np.argmax(scores, axis=1))
    values = random.normal(size=count)
    return Labelled(values + random.normal(size=count), values, np.zeros(count, dtype=np.int64))


CASES: list[tuple[Task, str]] = [(task, name) for task, names in score_intervals.NAMES.items() for name in names]


@pytest.mark.parametrize(("task", "name"), CASES)
def test_the_score_is_that_of_metrics(task: Task, name: str) -> None:
    """There is one formula of a score: what a gate is held against in training is what is held against it later."""
    found = draw(task, 500, seed=3)
    expected = metrics.score(task, name, found.labels, found.predictions, threshold=CUT)
    measured = score_intervals.interval(task, name, found, 0.95)
    assert measured is not None
    assert measured.value == pytest.approx(expected, abs=1e-12)
    assert measured.low < measured.value < measured.high


@pytest.mark.parametrize(("task", "name"), CASES)
def test_the_interval_is_as_wide_as_the_bootstraps(task: Task, name: str) -> None:
    """Rows drawn with replacement say how far a score moves by chance; the closed form says the same."""
    found, random = draw(task, 800, seed=5), np.random.default_rng(8)
    drawn = [random.integers(0, len(found), len(found)) for _ in range(300)]
    scores = [metrics.score(task, name, found.labels[rows], found.predictions[rows], threshold=CUT) for rows in drawn]
    measured = score_intervals.interval(task, name, found, 0.95)
    assert measured is not None
    assert (measured.high - measured.low) / (2 * 1.96 * np.std(scores)) == pytest.approx(1, abs=0.17)


@pytest.mark.parametrize("name", ["auc", "f1", "precision", "pr_auc", "brier"])
def test_the_interval_holds_the_truth_as_often_as_it_says(name: str) -> None:
    """Of 400 worlds of 200 rows, nineteen in twenty."""
    large = score_intervals.interval("binary", name, draw("binary", 400_000, seed=1), 0.95)
    assert large is not None
    held = 0
    for seed in range(400):
        found = score_intervals.interval("binary", name, draw("binary", 200, seed=100 + seed), 0.95)
        assert found is not None
        held += found.low <= large.value <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_a_share_that_is_all_or_nothing_has_an_interval() -> None:
    """Thirty right of thirty is not certainty: the interval is that of Clopper and Pearson."""
    all_right = Labelled(np.ones(30), np.full(30, 0.9), np.ones(30, dtype=np.int64))
    found = score_intervals.interval("binary", "accuracy", all_right, 0.95)
    assert found is not None
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.025 ** (1 / 30))
    none_right = Labelled(np.zeros(30), np.full(30, 0.9), np.ones(30, dtype=np.int64))
    found = score_intervals.interval("binary", "precision", none_right, 0.95)
    assert found is not None
    assert (found.value, found.low) == (0.0, 0.0)


@pytest.mark.parametrize("name", ["auc", "pr_auc", "recall"])
def test_without_a_positive_some_scores_are_undefined(name: str) -> None:
    """They are none, not zero."""
    found = Labelled(np.zeros(30), np.linspace(0, 1, 30), np.ones(30, dtype=np.int64))
    assert score_intervals.interval("binary", name, found, 0.95) is None


def test_a_value_that_never_varies_leaves_nothing_to_explain() -> None:
    """R squared of equal labels is undefined, the error is not."""
    found = Labelled(np.ones(30), np.linspace(0, 1, 30), np.zeros(30, dtype=np.int64))
    assert score_intervals.interval("regression", "r2", found, 0.95) is None
    assert score_intervals.interval("regression", "mae", found, 0.95) is not None


def test_a_mean_of_one_value_has_no_width() -> None:
    """Nothing is known of its spread; nothing is made up."""
    found = score_intervals.mean(np.array([3.0]), 0.95)
    assert (found.value, found.low, found.high) == (3.0, 3.0, 3.0)
