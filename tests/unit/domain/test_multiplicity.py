"""Holm's adjustment, by hand and in general."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.domain import multiplicity


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        pytest.param([], [], id="none"),
        pytest.param([0.04], [0.04], id="one"),
        pytest.param([0.01, 0.04, 0.03], [0.03, 0.06, 0.06], id="never-out-of-order"),
        pytest.param([0.5, 0.6], [1.0, 1.0], id="one-at-most"),
        pytest.param([0.02, 0.02], [0.04, 0.04], id="ties"),
    ],
)
def test_holm(p_values: list[float], adjusted: list[float]) -> None:
    """The smallest times how many there are, the next times one less, each at least the one before."""
    assert multiplicity.holm(p_values) == pytest.approx(adjusted)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_lies_between_no_adjustment_and_bonferroni(p_values: list[float]) -> None:
    """Between the raw p-value and Bonferroni's; in the same order."""
    adjusted = multiplicity.holm(p_values)
    for raw, holm in zip(p_values, adjusted, strict=True):
        assert raw <= holm <= min(1.0, raw * len(p_values)) + 1e-12 or holm == max(adjusted)
    order = np.argsort(p_values, kind="stable")
    assert all(np.diff(np.array(adjusted)[order]) >= 0)


def test_holm_as_in_the_book() -> None:
    """Four p-values, by hand."""
    assert multiplicity.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
