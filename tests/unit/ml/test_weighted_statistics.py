"""What a draw of a holdout comes to: held against the plain measurements on the same rows, written as often as they were drawn."""

import numpy as np
import pyarrow as pa
import pytest

from argosy.domain.measurements import FAIRNESS_OF_BINARY, FAIRNESS_OF_OTHERS, SCORES
from argosy.domain.model_settings import Task
from argosy.ml import calibration, fairness, metrics, paired, resampling, weighted_statistics
from argosy.ml.paired import Answers
from argosy.ml.resampling import Bootstrap

ROWS = 200
GROUPS = ["a", "b"] * (ROWS // 2)


def answered(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions with ties among them."""
    random = np.random.default_rng(5)
    if task == "multiclass":
        labels = random.integers(0, 3, ROWS).astype(float)
        return labels, np.round(random.dirichlet([1, 1, 1], ROWS) * 0.6 + 0.4 * np.eye(3)[labels.astype(int)], 2)
    labels = (random.random(ROWS) < 0.4).astype(float) if task == "binary" else random.normal(50, 5, ROWS)
    return labels, np.round(np.clip(0.3 * labels + 0.6 * random.random(ROWS), 0.01, 0.99), 2) if task == "binary" else (
        labels + random.normal(size=ROWS)
    )


@pytest.mark.parametrize(("task", "name"), [(task, name) for task, names in SCORES.items() for name in names])
def test_a_draw_scores_as_its_rows_do(task: Task, name: str) -> None:
    """Weights are rows written several times, or left out."""
    labels, predictions = answered(task)
    (weights,) = resampling.drawn(resampling.of_rows(ROWS), 3, np.random.default_rng(1))
    rows = np.repeat(np.arange(ROWS), weights[1].astype(int))
    found = weighted_statistics.of_score(task, name, labels, predictions, 0.4).values(weights)[1]
    assert found == pytest.approx(metrics.score(task, name, labels[rows], predictions[rows], threshold=0.4), rel=1e-9)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_whole_holdout_is_measured_as_gates_measure_it(task: Task) -> None:
    """A margin and a limit on one measurement speak of the same figure."""
    labels, predictions = answered(task)
    whole = np.ones((1, ROWS))
    expected, _ = calibration.measure(task, labels, predictions)
    for name in ("ece", "mean_gap", *(["brier"] if task != "regression" else [])):
        found = weighted_statistics.of_calibration(task, name, labels, predictions).values(whole)
        assert found[0] == pytest.approx(expected[f"calibration.{name}"], rel=1e-9), name
    fair, _ = fairness.measure(task, labels, predictions, 0.4, {"kind": GROUPS})
    for name in FAIRNESS_OF_BINARY if task == "binary" else FAIRNESS_OF_OTHERS:
        statistic = weighted_statistics.of_fairness(task, name, labels, predictions, 0.4, GROUPS)
        assert statistic is not None
        assert statistic.values(whole)[0] == pytest.approx(fair[f"fairness.kind.{name}"], rel=1e-9), name


def test_one_group_says_nothing() -> None:
    """As for gates: there is nobody to be fair beside."""
    labels, predictions = answered("binary")
    groups = ["a"] * (ROWS - 5) + ["b"] * 5
    assert weighted_statistics.of_fairness("binary", "calibration_gap", labels, predictions, 0.5, groups) is None


def test_rows_of_an_entity_are_drawn_together() -> None:
    """A row weighs as often as its entity was drawn."""
    units = resampling.of_columns(
        [pa.chunked_array([["x", "y", "x", None, None]]), pa.chunked_array([[1, 1, 1, 2, 2]])]
    )
    assert (units.count, units.repeated) == (3, True)
    (block,) = resampling.drawn(units, 50, np.random.default_rng(0))
    weights = units.spread(block)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 3] == weights[:, 4]).all()
    assert set(block.sum(axis=1)) == {3.0}
    assert units.sums(np.arange(5.0)[:, None]).sum() == 10


def test_entities_that_never_repeat_are_rows() -> None:
    """The figures of such a holdout do not depend on what its ids are called."""
    units = resampling.of_columns([pa.chunked_array([["b", "a", "c"]])])
    assert not units.repeated
    assert units.places.tolist() == [0, 1, 2]


@pytest.mark.parametrize("metric", ["auc", "pr_auc", "f1", "log_loss"])
def test_of_many_rows_the_normal_interval_is_the_bootstraps(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What saves minutes of a million rows says the same where both can be had."""
    random = np.random.default_rng(4)
    labels = (random.random(4000) < 0.3).astype(float)
    one, two = (np.clip(0.3 * labels + 0.6 * random.random(4000), 0.01, 0.99) for _ in range(2))
    drawing = Bootstrap(0.9, 300, 1)
    drawn = paired.compare("binary", metric, labels, Answers(one), Answers(two), drawing)
    monkeypatch.setattr(paired, "MOST_DRAWN", 0)
    normal = paired.compare("binary", metric, labels, Answers(one), Answers(two), drawing)
    assert drawn is not None
    assert normal is not None
    assert drawn.error
    assert normal.error
    assert normal.error == pytest.approx(drawn.error, rel=0.2)
    assert normal.low == pytest.approx(drawn.low, abs=drawn.error / 2)


def test_repeated_rows_widen_the_interval() -> None:
    """Each customer four times over is no more customers: the interval is that of the customers alone, and so is the test."""
    random = np.random.default_rng(4)
    labels = (random.random(300) < 0.3).astype(float)
    one, two = (np.clip(0.3 * labels + 0.6 * random.random(300), 0.01, 0.99) for _ in range(2))
    drawing, units = Bootstrap(0.9, 200, 1), resampling.Units(np.tile(np.arange(300), 4), 300)
    for metric in ("auc", "f1", "log_loss"):
        once = paired.compare("binary", metric, labels, Answers(one), Answers(two), drawing)
        four = [Answers(np.tile(each, 4)) for each in (one, two)]
        found = paired.compare("binary", metric, np.tile(labels, 4), *four, drawing, units)
        assert once is not None
        assert found is not None
        assert (found.entities, found.rows) == (300, 1200)
        assert (found.low, found.high) == pytest.approx((once.low, once.high))
        assert found.p_value == pytest.approx(once.p_value, rel=0.02, abs=1e-3)
