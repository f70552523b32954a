"""Scores equal scikit-learn's; thresholds are steady and never worse than they need to be."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics as reference

from argosy import errors
from argosy.ml import metrics

Floats = npt.NDArray[np.float64]


@pytest.fixture(params=[False, True], ids=["distinct", "tied"])
def binary(request: pytest.FixtureRequest) -> tuple[Floats, Floats]:
    """Labels and probabilities that tell something about them, once with many ties."""
    random = np.random.default_rng(3)
    labels = (random.random(400) < 0.3).astype(np.float64)
    probabilities = np.clip(0.3 + 0.25 * labels + random.normal(0, 0.2, 400), 0.01, 0.99)
    return labels, np.clip(np.round(probabilities, 1), 0.1, 0.9) if request.param else probabilities


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", lambda y, p: reference.accuracy_score(y, p >= 0.4)),
        ("precision", lambda y, p: reference.precision_score(y, p >= 0.4)),
        ("recall", lambda y, p: reference.recall_score(y, p >= 0.4)),
        ("f1", lambda y, p: reference.f1_score(y, p >= 0.4)),
        ("auc", reference.roc_auc_score),
        ("pr_auc", reference.average_precision_score),
        ("log_loss", reference.log_loss),
        ("brier", reference.brier_score_loss),
    ],
)
def test_binary_scores(binary: tuple[Floats, Floats], name: str, expected: object) -> None:
    """Each equals the reference implementation, ties or not."""
    labels, probabilities = binary
    assert callable(expected)
    assert metrics.score("binary", name, labels, probabilities, threshold=0.4) == pytest.approx(
        expected(labels, probabilities), abs=1e-9
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", lambda y, p: reference.accuracy_score(y, p.argmax(axis=1))),
        ("precision", lambda y, p: reference.precision_score(y, p.argmax(axis=1), average="macro")),
        ("recall", lambda y, p: reference.recall_score(y, p.argmax(axis=1), average="macro")),
        ("f1", lambda y, p: reference.f1_score(y, p.argmax(axis=1), average="macro")),
        ("auc", lambda y, p: reference.roc_auc_score(y, p, multi_class="ovr")),
        ("log_loss", reference.log_loss),
    ],
)
def test_multiclass_scores(name: str, expected: object) -> None:
    """Each equals the reference implementation's macro average."""
    random = np.random.default_rng(4)
    labels = random.integers(0, 3, 300).astype(np.float64)
    raw = random.random((300, 3)) + 0.5 * np.eye(3)[labels.astype(int)]
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    assert callable(expected)
    assert metrics.score("multiclass", name, labels, probabilities) == pytest.approx(expected(labels, probabilities))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rmse", reference.root_mean_squared_error),
        ("mae", reference.mean_absolute_error),
        ("r2", reference.r2_score),
    ],
)
def test_regression_scores(name: str, expected: object) -> None:
    """Each equals the reference implementation."""
    random = np.random.default_rng(5)
    labels = random.normal(size=200)
    values = labels + random.normal(size=200)
    assert callable(expected)
    assert metrics.score("regression", name, labels, values) == pytest.approx(expected(labels, values))


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        pytest.param("auc", [1.0, 1.0], id="auc-of-one-class"),
        pytest.param("pr_auc", [0.0, 0.0], id="pr-auc-without-positives"),
        pytest.param("recall", [0.0, 0.0], id="recall-without-positives"),
    ],
)
def test_undefined_is_nan(name: str, labels: list[float]) -> None:
    """A score that the labels do not define is NaN, never a number that a gate could pass."""
    assert math.isnan(metrics.score("binary", name, np.array(labels), np.array([0.2, 0.7])))


def test_unknown_score() -> None:
    """A misspelt score is an error with a suggestion."""
    with pytest.raises(errors.Misconfigured, match=r"no score 'logloss'; did you mean 'log_loss'\? It has: accuracy"):
        metrics.direction("binary", "logloss")
    with pytest.raises(errors.Misconfigured, match="a regression task has no score 'auc'"):
        metrics.direction("regression", "auc")


def test_threshold_of_separable_labels() -> None:
    """Where F1 has a sharp top, the threshold is there."""
    probabilities = np.linspace(0.01, 0.99, 200)
    labels = (probabilities > 0.7).astype(np.float64)
    cut = metrics.best_threshold(labels, probabilities)
    assert metrics.score("binary", "f1", labels, probabilities, threshold=cut) >= 1.0 - metrics.FLAT


def test_threshold_costs_little(binary: tuple[Floats, Floats]) -> None:
    """Steadiness never costs more than a hundredth of F1, and the threshold is one that people can read."""
    labels, probabilities = binary
    cut = metrics.best_threshold(labels, probabilities)
    best = max(metrics.score("binary", "f1", labels, probabilities, threshold=p) for p in np.unique(probabilities))
    assert metrics.score("binary", "f1", labels, probabilities, threshold=cut) >= best - metrics.FLAT - 1e-12
    assert len(str(cut)) <= 6


def test_threshold_is_steadier_than_the_single_best() -> None:
    """Over many samples of one population the threshold moves less than that of the highest F1."""
    random = np.random.default_rng(6)
    steady, single = [], []
    for _ in range(30):
        probabilities = random.beta(1, 3, 4000)
        labels = (random.random(4000) < probabilities).astype(np.float64)
        steady.append(metrics.best_threshold(labels, probabilities))
        precision, recall, cuts = reference.precision_recall_curve(labels, probabilities)
        # Without a cut nothing is decided positive, and F1 is undefined: the last entry.
        single.append(cuts[np.argmax(2 * precision[:-1] * recall[:-1] / (precision[:-1] + recall[:-1] + 1e-12))])
    assert np.std(steady) < 0.8 * np.std(single)


@pytest.mark.parametrize(
    ("labels", "probabilities", "expected"),
    [
        pytest.param([0.0, 0.0], [0.1, 0.2], 0.5, id="no-positives"),
        pytest.param([1.0, 0.0, 1.0], [0.3, 0.3, 0.3], 0.15, id="one-probability"),
        pytest.param([1.0], [0.8], 0.4, id="one-row"),
    ],
)
def test_threshold_at_the_edges(labels: list[float], probabilities: list[float], expected: float) -> None:
    """Labels or probabilities without variety still give a threshold."""
    assert metrics.best_threshold(np.array(labels), np.array(probabilities)) == expected


def test_confusion() -> None:
    """Lines are true classes, columns decided ones."""
    counts = metrics.confusion(np.array([0.0, 0.0, 1.0, 2.0]), np.array([0, 1, 1, 0]), 3)
    assert counts == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
