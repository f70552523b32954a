"""What is expected before labels come is what NannyML expects, and its range holds what labels then say."""

import numpy as np
import numpy.typing as npt
import pytest

from argosy.ml import estimated_performance, live_performance, score_intervals
from argosy.ml.live_performance import LiveAnswers
from argosy.ml.score_intervals import Labelled

Array = npt.NDArray[np.float64]

# What NannyML 0.13.1 (with pandas 2.3.3, scikit-learn 1.9.1) says of these samples, in an environment of its own:
# CBPE(y_pred_proba=…, y_pred=…, y_true=…, problem_type=…, chunk_size=4000).fit(reference).estimate(analysis).
NANNYML_BINARY = {
    "auc": 0.8449655551939004,
    "f1": 0.7372358683678328,
    "precision": 0.6155977299045152,
    "recall": 0.9187810801431687,
    "accuracy": 0.7013828403664987,
}
NANNYML_MULTICLASS = {
    "auc": 0.6369409981319792,
    "f1": 0.417899632946251,
    "precision": 0.4493155619250045,
    "recall": 0.43156922556290866,
    "accuracy": 0.4623736759691559,
}


def chances(count: int) -> Array:
    """Numbers between 0 and 1, the same everywhere."""
    return np.asarray(((np.arange(count) * 7919) % 1009) / 1009)


def two(count: int, step: int) -> tuple[Array, Array]:
    """Scores, and labels that they do not quite tell the truth of."""
    scores = ((np.arange(count) * step) % 997) / 997
    return scores, (chances(count) < scores**1.5).astype(np.float64)


def three(count: int, step: int) -> tuple[Array, Array]:
    """Probabilities of three classes, and labels."""
    place = np.arange(count)
    one, other = ((place * step) % 997) / 997, ((place * 53) % 499) / 499
    raw = np.column_stack([0.2 + one, 0.3 + other, 0.6 - 0.4 * one * other])
    shares = raw / raw.sum(axis=1, keepdims=True)
    return shares, (chances(count)[:, None] > np.cumsum(shares, axis=1)).sum(axis=1).clip(0, 2).astype(np.float64)


def test_a_binary_model_is_estimated_as_nannyml_does() -> None:
    """To the last digits, but for the area, which it integrates in float32."""
    known, labels = two(6000, 37)
    asked = two(4000, 101)[0] ** 0.8
    probabilities = estimated_performance.calibrated(labels, known, asked)
    found = estimated_performance.estimate("binary", asked, (asked >= 0.4).astype(np.int64), probabilities, 0.95)
    assert {name: found[name].value for name in NANNYML_BINARY} == pytest.approx(NANNYML_BINARY, abs=1e-8)


def test_several_classes_are_estimated_as_nannyml_does() -> None:
    """As near as its own rule of when a class is calibrated allows: it leaves some as they are."""
    known, labels = three(6000, 37)
    asked, _ = three(4000, 101)
    predictions = np.concatenate([known, asked])
    found = live_performance.estimate(
        LiveAnswers(
            task="multiclass",
            release=np.zeros(10_000, dtype=np.int32),
            times=np.arange(10_000),
            labels=np.concatenate([labels, np.full(4000, np.nan)]),
            predictions=predictions,
            decisions=np.argmax(predictions, axis=1),
            outcomes={},
            slices={},
        ),
        0.95,
    )
    assert {name: found[name].value for name in NANNYML_MULTICLASS} == pytest.approx(NANNYML_MULTICLASS, abs=2e-3)


@pytest.mark.parametrize("name", ["accuracy", "auc", "brier", "f1", "log_loss", "precision", "recall"])
def test_the_range_holds_what_labels_then_say(name: str) -> None:
    """Where scores are true, nineteen times in twenty."""
    random, held, times = np.random.default_rng(2), 0, 400
    for _ in range(times):
        scores = random.beta(1.2, 3, 300)
        decided = (scores >= 0.3).astype(np.int64)
        labels = (random.random(300) < scores).astype(np.float64)
        expected = estimated_performance.estimate("binary", scores, decided, scores, 0.95)[name]
        real = score_intervals.interval("binary", name, Labelled(labels, scores, decided), 0.95)
        assert real is not None
        held += expected.low <= real.value <= expected.high
    assert 0.92 <= held / times <= 0.985


def test_scores_that_lie_are_calibrated_by_those_with_labels() -> None:
    """A model that says 0.5 where one in ten comes true is expected to be as wrong as it is."""
    random = np.random.default_rng(4)
    scores = random.random(4000)
    labels = (random.random(4000) < scores / 5).astype(np.float64)
    taken = estimated_performance.calibrated(labels, scores, np.linspace(0.4, 0.6, 100))
    assert taken.mean() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    "labels", [pytest.param(np.ones(20), id="few"), pytest.param(np.zeros(5000), id="of one class")]
)
def test_too_little_to_calibrate_by_leaves_scores_as_they_are(labels: Array) -> None:
    """A curve through a handful of labels says more of chance than of the model."""
    asked = np.array([0.2, 0.7])
    known = np.linspace(0, 1, len(labels))
    assert estimated_performance.calibrated(labels, known, asked) is asked


def test_a_regression_states_no_probability() -> None:
    """Nothing is expected of it without labels."""
    nothing = np.zeros(3)
    assert estimated_performance.estimate("regression", nothing, np.zeros(3, dtype=np.int64), nothing, 0.95) == {}
