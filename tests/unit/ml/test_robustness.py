"""What noise, gaps, pushes and odd values do to models whose brittleness is known."""

from typing import Any

import numpy as np
import pytest

from argosy.ml import robustness
from argosy.ml.predictor import UndefinedPrediction

RANDOM = np.random.default_rng(5)
MATRIX = RANDOM.normal(0.0, 1.0, (1000, 2)).astype(np.float32)
LABELS = (MATRIX[:, 0] > 0).astype(float)


def smooth(matrix: Any) -> Any:
    """Goes by the first column, gently; what is missing is as good as a half."""
    return np.nan_to_num(0.5 + np.arctan(np.asarray(matrix[:, 0], dtype=np.float64)) / np.pi, nan=0.5)


def brittle(matrix: Any) -> Any:
    """Right on the rows it knows by heart, to the last bit, and wrong on every other."""
    known = dict(zip(MATRIX[:, 0].tolist(), LABELS.tolist(), strict=True))
    return np.array([known.get(float(value), 0.5) for value in matrix[:, 0]])


def measured(predict: Any, task: Any = "binary", labels: Any = LABELS) -> dict[str, float | None]:
    """The measurements by their last name."""
    found, _ = robustness.measure(task, predict, MATRIX, labels, [0, 1], 0.5, seed=1)
    return {name.removeprefix("robustness."): value for name, value in found.items()}


def test_a_gentle_model_loses_little() -> None:
    """Noise of a tenth of a standard deviation swaps only neighbours."""
    found = measured(smooth)
    assert 0 <= (found["noise_drop"] or 0) < 0.01
    assert 0 < (found["missing_drop"] or 0) < 0.15
    assert 0 < (found["flip_rate"] or 0) < 0.02
    assert found["undefined"] == 0


def test_a_model_that_knows_its_rows_by_heart_loses_everything() -> None:
    """Perfect as it is, chance under noise."""
    found = measured(brittle)
    assert found["noise_drop"] == pytest.approx(0.5, abs=0.05)
    # Every leaver is pushed to 0.5, which decides as before; every other is turned.
    assert found["flip_rate"] == pytest.approx(1 - LABELS.mean(), abs=0.01)


def test_noise_is_for_numbers_only() -> None:
    """A category plus a tenth is no category."""
    noisy = robustness.noise(MATRIX, [1], 0.1, np.random.default_rng(1))
    assert (noisy[:, 0] == MATRIX[:, 0]).all()
    assert np.std(noisy[:, 1] - MATRIX[:, 1]) == pytest.approx(0.1, abs=0.01)


def test_a_column_of_which_nothing_is_known_is_left_as_it_is() -> None:
    """It has no spread to measure noise in, and NumPy must not warn of it."""
    matrix = MATRIX.copy()
    matrix[:, 1] = np.nan
    found, _ = robustness.measure("binary", smooth, matrix, LABELS, [0, 1], 0.5, seed=1)
    assert found["robustness.undefined"] == 0


def test_the_share_missing_is_as_told() -> None:
    """A fifth of all values."""
    gaps = robustness.missing(MATRIX, 0.2, np.random.default_rng(1))
    assert np.isnan(gaps).mean() == pytest.approx(0.2, abs=0.02)


def test_each_answer_that_is_no_number_counts() -> None:
    """Three extremes are above a thousand in size and negative or positive: those that overflow are counted one by one."""

    def overflowing(matrix: Any) -> Any:
        answers = smooth(matrix)
        if (np.abs(matrix) > 1e30).any():
            raise UndefinedPrediction("no number")
        answers[np.isnan(matrix).any(axis=1) & (len(matrix) == 1)] = np.inf
        return answers

    assert measured(overflowing)["undefined"] == 3


def test_measuring_again_gives_the_same() -> None:
    """Every draw has the seed of the settings."""
    assert measured(smooth) == measured(smooth)


def test_regression_tells_pushes_as_changes() -> None:
    """A hundredth of a standard deviation of the input moves a line by a hundredth of the labels'."""
    values = MATRIX[:, 0].astype(float) * 3

    def line(matrix: Any) -> Any:
        return np.nan_to_num(np.asarray(matrix[:, 0], dtype=np.float64)) * 3

    found = measured(line, "regression", values)
    assert found["flip_rate"] == pytest.approx(0.01, rel=0.01)


def test_one_class_leaves_drops_undefined() -> None:
    """No ranking to lose."""
    found = measured(smooth, labels=np.zeros(1000))
    assert found["noise_drop"] is None
    assert found["undefined"] == 0
