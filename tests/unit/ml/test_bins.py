"""Counts in fixed bins are complete, additive, and fine enough to see a shift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.domain.search import Choice
from argosy.ml import bins, frames, training
from argosy.testing.examples import Given

VALUES = st.lists(st.floats(-1e6, 1e6, width=32) | st.just(float("nan")), max_size=60)
EDGES = [-10.0, 0.0, 0.5, 1e5]


def choice(rounds: int = 10) -> Choice:
    """A point without a search."""
    return Choice(trial=0, score=0.0, metric="m", parameters={"max_depth": 3}, boost_rounds=rounds)


@given(VALUES, VALUES)
def test_counts_add_up(first: list[float], second: list[float]) -> None:
    """Counts of two hours are the counts of both together; nothing is lost, missing values are apart."""
    counted = [
        bins.count_numbers(np.array(values, dtype=np.float32), EDGES) for values in (first, second, first + second)
    ]
    (one, absent_one), (two, absent_two), (both, absent) = counted
    assert [a + b for a, b in zip(one, two, strict=True)] == both
    assert (absent_one + absent_two, sum(both) + absent) == (absent, len(first) + len(second))


@pytest.mark.parametrize(
    ("value", "position"),
    [
        pytest.param(-11.0, 0, id="below-the-first-edge"),
        pytest.param(-10.0, 1, id="on-an-edge-counts-above-it"),
        pytest.param(0.25, 2, id="between"),
        pytest.param(1e5, 4, id="from-the-last-edge-on"),
    ],
)
def test_where_a_value_falls(value: float, position: int) -> None:
    """An edge belongs to the bin above it."""
    counts, _ = bins.count_numbers(np.array([value]), EDGES)
    assert counts.index(1) == position


def test_every_column_is_counted(each_task: Given) -> None:
    """Each feature and the prediction are counted whole, with as many counts as the document promises."""
    examples = frames.read(each_task.features, "train")
    fitted = training.fit(examples, choice(), each_task.settings)
    counted = bins.of(examples, fitted.predictions, each_task.settings)
    assert [column.column for column in counted.columns] == [feature.name for feature in examples.schema.features]
    for histogram in [*counted.columns, counted.prediction]:
        assert sum(histogram.counts) + histogram.missing == counted.rows == len(examples)
        size = len(histogram.levels or histogram.edges or [])
        assert len(histogram.counts) == size + 1
        assert sorted(set(histogram.edges or [])) == (histogram.edges or [])


def test_bins_hold_about_equally_many() -> None:
    """No bin of a continuous column holds much more than its share."""
    values = np.random.default_rng(1).lognormal(size=5000).astype(np.float32)
    counts, _ = bins.count_numbers(values, bins.edges(values))
    assert len(counts) == bins.BINS
    assert max(counts) < 1.2 * len(values) / bins.BINS


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([3.0, 1.0, 2.0, 2.0], [2.0, 3.0], id="a-bin-a-value"),
        pytest.param([1.0, float("nan")], [], id="one-value"),
        pytest.param([float("nan")], [], id="none"),
        pytest.param([0.0] * 900 + [float(n) for n in range(1, 101)], [4.0, 35.0, 67.0], id="mostly-one-value"),
    ],
)
def test_edges(values: list[float], expected: list[float]) -> None:
    """Few values get a bin each; a value that fills many bins is not cut."""
    found = bins.edges(np.array(values, dtype=np.float32))
    assert found == pytest.approx(expected, abs=4)
