"""Intervals and tests of a difference, held against independent calculations and against samples whose truth is known."""

import numpy as np
import pytest
from scipy.stats import norm

from argosy.domain.comparison import Paired
from argosy.domain.model_settings import Task
from argosy.ml import metrics, paired
from argosy.ml.paired import Answers, Bootstrap

DRAWING = Bootstrap(confidence=0.95, resamples=200, seed=3)


def customers(count: int = 600, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, a good ranking of them, and a worse one."""
    random = np.random.default_rng(seed)
    labels = (random.random(count) < 0.3).astype(float)
    noise = random.random((2, count))
    return labels, 0.25 * labels + 0.7 * noise[0], 0.1 * labels + 0.7 * noise[1]


def compared(metric: str, labels: np.ndarray, first: Answers, second: Answers, task: Task = "binary") -> Paired:
    """The figures, which must be defined."""
    found = paired.compare(task, metric, labels, first, second, DRAWING)
    assert found is not None
    return found


def test_delong_is_the_variance_of_the_two_statistics() -> None:
    """Held against the definition: every positive with every negative, no ranks."""
    labels, first, second = customers(120)
    first, second = np.round(first, 1), np.round(second, 1)
    wins = [
        (scores[labels == 1][:, None] > scores[labels == 0][None, :])
        + 0.5 * (scores[labels == 1][:, None] == scores[labels == 0][None, :])
        for scores in (first, second)
    ]
    by_positive, by_negative = (wins[0] - wins[1]).mean(axis=1), (wins[0] - wins[1]).mean(axis=0)
    deviation = np.sqrt(by_positive.var(ddof=1) / len(by_positive) + by_negative.var(ddof=1) / len(by_negative))
    expected = 2 * norm.sf(abs(by_positive.mean()) / deviation)
    assert paired.delong(labels, first, second) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("metric", ["auc", "f1", "log_loss", "accuracy"])
def test_a_model_is_as_good_as_itself(metric: str) -> None:
    """No difference, no width, no evidence of one."""
    labels, good, _ = customers()
    found = compared(metric, labels, Answers(good), Answers(good))
    assert (found.difference, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("metric", ["auc", "pr_auc", "log_loss", "f1", "accuracy"])
def test_a_better_model_is_found_better_and_the_other_way_round(metric: str) -> None:
    """Differences point to better whichever way the score goes; swapping the two turns every sign."""
    labels, _, _ = customers(800)
    random = np.random.default_rng(8)
    good = np.clip(0.7 * labels + 0.3 * random.random(800), 0.01, 0.99)
    bad = np.clip(0.3 * labels + 0.6 * random.random(800), 0.01, 0.99)
    better = compared(metric, labels, Answers(good), Answers(bad))
    worse = compared(metric, labels, Answers(bad), Answers(good))
    assert better.low > 0
    assert worse.high < 0
    assert better.difference == -worse.difference
    assert max(better.p_value, worse.p_value) < 0.01


def test_each_model_decides_by_its_own_threshold() -> None:
    """The same decisions from other probabilities are the same F1."""
    labels, good, _ = customers()
    found = compared("f1", labels, Answers(good, 0.5), Answers(good / 2, 0.25))
    assert (found.difference, found.p_value, found.candidate) == (0.0, 1.0, found.champion)


def test_the_permutation_test_counts_itself() -> None:
    """However far apart two models are, a p-value of 0 is never claimed."""
    labels = np.repeat([0.0, 1.0], 50)
    found = compared("accuracy", labels, Answers(labels), Answers(1 - labels))
    assert found.p_value == pytest.approx(1 / (DRAWING.resamples + 1))


def test_under_no_difference_p_values_are_even() -> None:
    """Two rankings that are equally good: about one in five p-values is below a fifth, for both tests."""
    small = {"auc": 0, "accuracy": 0}
    for seed in range(50):
        random = np.random.default_rng(seed)
        labels = (random.random(150) < 0.4).astype(float)
        first, second = 0.4 * labels + 0.7 * random.random((2, 150))
        for metric in small:
            found = paired.compare(
                "binary", metric, labels, Answers(first), Answers(second), Bootstrap(0.9, resamples=60, seed=seed)
            )
            small[metric] += found is not None and found.p_value < 0.2
    assert all(3 <= count <= 20 for count in small.values()), small


def test_the_interval_holds_the_truth_as_often_as_told() -> None:
    """50 samples of known models: the 80 % interval misses their true difference about 10 times."""
    labels, first, second = customers(40_000)
    truth = metrics.auc(labels, first) - metrics.auc(labels, second)
    missed = 0
    for seed in range(50):
        labels, first, second = customers(300, seed=100 + seed)
        found = paired.compare("binary", "auc", labels, Answers(first), Answers(second), Bootstrap(0.8, 100, seed))
        assert found is not None
        missed += not found.low <= truth <= found.high
    assert 3 <= missed <= 20


def test_the_same_seed_gives_the_same_figures() -> None:
    """Evidence can be made again, bit by bit."""
    labels, good, bad = customers()
    first, second = (compared("f1", labels, Answers(good), Answers(bad)) for _ in range(2))
    assert first == second


def test_an_undefined_score_compares_nothing() -> None:
    """One class in the holdout: no ranking, no difference."""
    assert paired.compare("binary", "auc", np.zeros(50), Answers(np.ones(50)), Answers(np.zeros(50)), DRAWING) is None


def test_multiclass_answers_are_swapped_row_by_row() -> None:
    """A row's probabilities belong together."""
    random = np.random.default_rng(2)
    labels = random.integers(0, 3, 300).astype(float)
    good = np.eye(3)[labels.astype(int)] * 0.5 + random.random((300, 3)) * 0.5
    bad = random.random((300, 3))
    good, bad = good / good.sum(axis=1, keepdims=True), bad / bad.sum(axis=1, keepdims=True)
    found = compared("log_loss", labels, Answers(good), Answers(bad), "multiclass")
    assert found.low > 0
    assert found.p_value < 0.01


def test_values_are_compared_too() -> None:
    """A smaller error is better."""
    random = np.random.default_rng(2)
    labels = random.normal(size=300)
    found = compared("rmse", labels, Answers(labels + 0.1), Answers(labels + random.normal(size=300)), "regression")
    assert found.low > 0
    assert found.candidate < found.champion


def test_how_far_scores_are_apart() -> None:
    """The largest gap between the shares of rows at or below a score; of several classes by the likeliest one's probability."""
    first, second = Answers(np.array([0.1, 0.2, 0.3, 0.4])), Answers(np.array([0.25, 0.3, 0.8, 0.9]))
    assert paired.score_distance(first, second) == 0.5
    assert paired.score_distance(first, first) == 0.0
    sure, unsure = Answers(np.array([[0.1, 0.9], [0.8, 0.2]])), Answers(np.array([[0.5, 0.5], [0.4, 0.6]]))
    assert paired.score_distance(sure, unsure) == 1.0
