"""How much hangs on where a threshold lies: told in rows that can be counted by hand."""

import numpy as np
import pytest

from argosy.ml import threshold_steps

LABELS = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0])
CHANCES = np.array([0.1, 0.49, 0.51, 0.9, 0.95, 0.505, 0.2, 0.3, 0.7, 0.4])


def test_rows_near_the_threshold_are_undecided() -> None:
    """0.49 turns where it falls, 0.505 and 0.51 where it rises."""
    found, (table,) = threshold_steps.measure("binary", LABELS, CHANCES, 0.5, 0.02, {"true_positive": 10.0})
    assert found["robustness.undecided_rate"] == pytest.approx(0.3)
    # Of 5 positives 4 found by 5 decisions: 0.8; 3 of 3 above 0.52: 0.75; 4 of 6 above 0.48: 8 / 11.
    assert found["robustness.threshold_f1_drop"] == pytest.approx(0.8 - 8 / 11)
    own = next(line for line in table.rows if "its own" in line[0])
    assert own[1:] == ["50.00%", "0.8000", "0.8000", "0.8000", "0.00%", "4"]


def test_a_threshold_at_the_end_has_neighbours_on_one_side() -> None:
    """Nothing lies below zero."""
    found, (table,) = threshold_steps.measure("binary", LABELS, CHANCES, 0.01, 0.02, {})
    assert found["robustness.undecided_rate"] == 0.0
    assert all(float(line[0].split()[0]) > 0 for line in table.rows)


def test_a_narrow_lead_is_undecided() -> None:
    """Of several classes it is the lead over the next that is small."""
    chances = np.array([[0.5, 0.3, 0.2], [0.4, 0.39, 0.21], [0.35, 0.325, 0.325]])
    found, (table,) = threshold_steps.measure("multiclass", np.zeros(3), chances, 0.5, 0.02, {})
    assert found == {"robustness.undecided_rate": pytest.approx(1 / 3)}
    assert [line[1] for line in table.rows] == ["33.33%", "66.67%", "66.67%"]


def test_a_regression_decides_nothing() -> None:
    """And so has no threshold to move."""
    assert threshold_steps.measure("regression", LABELS, CHANCES, 0.5, 0.02, {}) == ({}, [])
