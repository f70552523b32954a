"""Whether probabilities mean what they say, on samples whose truth is known."""

import numpy as np
import pytest

from argosy.ml import calibration

ROWS = 20_000


def sample(sharpen: float = 1.0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn with known probabilities, and those probabilities told with log-odds *sharpen* times as large, moved by *shift*."""
    random = np.random.default_rng(11)
    truth = random.uniform(0.05, 0.95, ROWS)
    odds = sharpen * np.log(truth / (1 - truth))
    return (random.random(ROWS) < truth).astype(float), np.clip(1 / (1 + np.exp(-odds)) + shift, 0, 1)


def measured(labels: np.ndarray, told: np.ndarray) -> dict[str, float]:
    """The measurements by their last name."""
    found, _ = calibration.measure("binary", labels, told)
    return {name.removeprefix("calibration."): value for name, value in found.items() if value is not None}


def test_the_truth_is_calibrated() -> None:
    """What is left is chance."""
    found = measured(*sample())
    assert found["ece"] < 0.015
    assert abs(found["overconfidence"]) < 0.01


@pytest.mark.parametrize(
    ("sharpen", "sign"), [pytest.param(3.0, 1, id="too-sure"), pytest.param(0.3, -1, id="not-sure-enough")]
)
def test_confidence_has_a_direction(sharpen: float, sign: int) -> None:
    """Above 0: surer than the world; below 0: less sure."""
    found = measured(*sample(sharpen))
    assert found["ece"] > 0.05
    assert sign * found["overconfidence"] > 0.05
    assert found["mean_gap"] < 0.01


def test_a_shift_shows_as_a_gap_of_the_mean() -> None:
    """Everything said a tenth too high."""
    assert measured(*sample(shift=0.1))["mean_gap"] == pytest.approx(0.1, abs=0.01)


def test_bins_hold_equal_numbers_of_rows() -> None:
    """Ten rows in ten bins: each its own, so every distance counts a tenth."""
    labels = np.array([0.0, 1.0] * 5)
    told = np.linspace(0.05, 0.95, 10)
    assert measured(labels, told)["ece"] == pytest.approx(float(np.mean(np.abs(told - labels))))
    assert measured(labels, told)["brier"] == pytest.approx(float(np.mean((told - labels) ** 2)))


def test_fewer_rows_than_bins() -> None:
    """Empty bins are no bins."""
    assert measured(np.array([1.0, 0.0]), np.array([0.75, 0.5]))["ece"] == pytest.approx((0.25 + 0.5) / 2)


def test_multiclass_is_about_the_class_decided_for() -> None:
    """Sure with 0.8 and right 8 times of 10 is calibrated."""
    predictions = np.tile([0.8, 0.1, 0.1], (1000, 1))
    labels = np.array([0.0] * 8 + [1.0, 2.0])
    found, _ = calibration.measure("multiclass", np.tile(labels, 100), predictions)
    assert found["calibration.ece"] == pytest.approx(0.0, abs=1e-9)


def test_regression_is_told_in_standard_deviations() -> None:
    """Ten too much, whatever the unit is."""
    labels = np.arange(100.0)
    found, (curve,) = calibration.measure("regression", labels, labels + 10)
    assert found == {
        "calibration.ece": pytest.approx(10 / labels.std()),
        "calibration.mean_gap": pytest.approx(10 / labels.std()),
    }
    assert list(curve.series["model"][0]) == pytest.approx([14.5, 4.5])
