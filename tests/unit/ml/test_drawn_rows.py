"""Rows for a page: a sample of what was logged, and rows with the reference's counts."""

import numpy as np
import pyarrow as pa

from argosy.domain.bundle import Histogram, Moments
from argosy.domain.drift import Window
from argosy.ml import bins as binning
from argosy.ml import drawn_rows
from kit.memory_history import BEGIN, rows

WINDOW = Window(
    rows=100,
    columns=[
        Histogram(column="seats", edges=[10.0, 20.0], counts=[20, 50, 25], missing=5),
        Histogram(column="plan", levels=["free", "pro"], counts=[60, 30, 10], missing=0),
    ],
    prediction=Histogram(column="prediction", edges=[0.5], counts=[70, 30], missing=0),
    scores=Moments(),
)


def test_drawn_rows_have_the_counts() -> None:
    """Counted again they give the same histogram, but for values outside the edges, which stand at the edge."""
    table = drawn_rows.of_counts(WINDOW, "(other)")
    assert table.column_names == ["seats", "plan", "prediction"]
    plan = binning.count_column(table["plan"].combine_chunks(), WINDOW.columns[1])
    assert plan == WINDOW.columns[1]
    seats = binning.count_column(table["seats"].combine_chunks(), WINDOW.columns[0])
    assert (seats.missing, seats.counts) == (5, [0, 70, 25])


def test_a_page_is_of_a_bounded_number_of_rows() -> None:
    """On both sides, whatever the window; evenly over all of it."""
    times = [BEGIN] * 500
    parts = [
        rows(times, {"seats": np.arange(place * 500.0, place * 500 + 500).tolist(), "plan": ["pro"] * 500}, [0.5] * 500)
        for place in range(4)
    ]
    found = drawn_rows.sample(parts, WINDOW, 2000, most=50)
    assert found["seats"].to_pylist() == [float(value) for value in range(0, 2000, 40)]
    many = WINDOW.model_copy(update={"rows": 1_000_000})
    assert drawn_rows.of_counts(many, "(other)", most=10).num_rows <= 10


def test_a_feature_that_is_not_logged_is_an_empty_column() -> None:
    """The page leaves it out; the others are there."""
    found = drawn_rows.sample([rows([BEGIN], {"seats": [3.0]}, [0.5])], WINDOW, 1)
    assert found.to_pylist() == [{"seats": 3.0, "plan": None, "prediction": 0.5}]
    assert pa.types.is_string(found.schema.field("plan").type)


def test_few_values_are_drawn_as_they_are() -> None:
    """A column of 0 and 1 that has not moved must not look as if it had: its reference has 0 and 1, too."""
    values = np.array([0.0, 0.0, 1.0, 4.0, 4.5])
    edges = binning.edges(values)
    empty = Histogram(column="seats", edges=edges, counts=[0] * (len(edges) + 1), missing=0)
    counted = binning.count_column(pa.array(values), empty)
    window = WINDOW.model_copy(update={"rows": 5, "columns": [counted]})
    drawn = drawn_rows.of_counts(window, "(other)")["seats"].to_pylist()
    np.testing.assert_allclose([each for each in drawn if each is not None], values, atol=1e-12)
