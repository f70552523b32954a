"""Values become the same bits whichever way they come in, and what no model can be asked with is refused by name."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.domain.data import FeatureColumn
from argosy.ml.encoding import LARGEST, BadValue, Encoder

AGE = FeatureColumn(name="age", type="number", view="v")
CITY = FeatureColumn(name="city", type="category", levels=["Bonn", "Köln"], view="v")


@pytest.fixture
def encoder() -> Encoder:
    """Two features: a number and a category."""
    return Encoder([AGE, CITY])


def test_rows_table_and_frame_are_equal(encoder: Encoder) -> None:
    """A request, a file and a data frame of the same values give the same bits, missing ones included."""
    ages, cities = [0.1, None, 3.0, 1e30], ["Köln", "Bonn", None, "Aachen"]
    rows = encoder.rows([{"age": age, "city": city} for age, city in zip(ages, cities, strict=True)])
    table = encoder.table(pa.table({"city": cities, "age": ages, "other": ages}))
    frame = encoder.frame(pd.DataFrame({"city": cities, "age": ages}))
    assert rows.tobytes() == table.tobytes() == frame.tobytes()
    assert rows.dtype == np.float32


def test_what_a_matrix_says(encoder: Encoder) -> None:
    """A level becomes its position, an unknown level and null become missing."""
    matrix = encoder.rows([{"age": 7, "city": "Köln"}, {"age": None, "city": "Aachen"}])
    assert matrix[0].tolist() == [7.0, 1.0]
    assert np.isnan(matrix[1]).all()
    assert encoder.types == ["q", "c"]


@pytest.mark.parametrize(
    ("row", "feature", "problem"),
    [
        pytest.param({"age": math.nan, "city": None}, "age", "nan is not a finite number", id="nan"),
        pytest.param({"age": math.inf, "city": None}, "age", "inf is not a finite number", id="infinite"),
        pytest.param({"age": 1e39, "city": None}, "age", "not a finite number that a model can take", id="too-large"),
        pytest.param({"age": 10**400, "city": None}, "age", "not a finite number", id="huge-int"),
        pytest.param({"age": True, "city": None}, "age", "expected a number or null, got bool", id="bool"),
        pytest.param({"age": "7", "city": None}, "age", "expected a number or null, got str", id="text"),
        pytest.param({"age": 7, "city": 1}, "city", "expected a string or null, got int", id="number-as-level"),
        pytest.param({"age": 7, "city": ["Bonn"]}, "city", "expected a string or null, got list", id="list"),
        pytest.param({"age": 7}, "city", "is missing; give null", id="absent"),
        pytest.param({"age": 7, "city": None, "size": 1}, "size", "is no feature of this model", id="unknown"),
        pytest.param({"age": 7, "town": "Bonn"}, "city", "is missing", id="misspelt"),
    ],
)
def test_bad_values_are_refused(encoder: Encoder, row: dict[str, Any], feature: str, problem: str) -> None:
    """The error names row and feature, so that a server can point at the field."""
    with pytest.raises(BadValue, match=problem) as caught:
        encoder.rows([{"age": 1, "city": "Bonn"}, row])
    assert (caught.value.row, caught.value.feature) == (1, feature)


def test_infinity_in_a_file_is_refused(encoder: Encoder) -> None:
    """Infinity is nobody's measurement, in a file as little as in a request."""
    with pytest.raises(BadValue, match="row 1, feature 'age': inf"):
        encoder.table(pa.table({"age": [1.0, math.inf], "city": ["Bonn", "Bonn"]}))


@pytest.mark.parametrize(
    ("names", "safe"),
    [
        pytest.param(["Seats [n]", "a<b", "x"], ["Seats _n_", "a_b", "x"], id="brackets"),
        pytest.param(["a[b", "a_b", "a<b"], ["a_b.0", "a_b", "a_b.2"], id="one-is-taken"),
        pytest.param(["a[", "a]"], ["a_", "a_.1"], id="alike"),
    ],
)
def test_names_for_the_booster(names: list[str], safe: list[str]) -> None:
    """XGBoost takes no brackets; a name that it takes stays, and no two are the same."""
    assert Encoder([FeatureColumn(name=name, type="number", view="v") for name in names]).booster_names == safe


CELLS = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.sampled_from(["Bonn", "Köln", "Aachen", "", "1"]),
    st.just([1]),
    st.sampled_from([LARGEST, -LARGEST, LARGEST * (1 + 1e-16), 10**400]),
)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_columns_are_rows_or_nothing(rows: list[tuple[Any, Any]]) -> None:
    """Columns become the bits that their rows do, or nothing: where a row is refused, or a level is not listed."""
    encoder = Encoder([AGE, CITY])
    try:
        expected = encoder.rows([{"age": age, "city": city} for age, city in rows])
    except BadValue:
        expected = None
    strange = any(city not in {None, "Bonn", "Köln"} for _, city in rows if not isinstance(city, list))
    encoded = encoder.columns(list(zip(*rows, strict=True)))
    found = None if encoded is None else encoded.matrix
    if expected is None or strange:
        assert found is None
    else:
        assert found is not None
        assert (found.dtype, found.shape, found.tobytes()) == (expected.dtype, expected.shape, expected.tobytes())
        assert found.flags["C_CONTIGUOUS"]


def test_a_truth_value_among_many_numbers() -> None:
    """It is packed as 1 or 0, and found wherever it stands; numbers 1 and 0 are none."""
    encoder = Encoder([AGE])
    column: list[Any] = [1, 0, 2.5, None] * 100
    assert encoder.columns([column]) is not None
    for place, value in ((0, True), (399, False)):
        assert encoder.columns([[*column[:place], value, *column[place + 1 :]]]) is None


@pytest.mark.parametrize("form", ["<f8", "<f4", "<f2", "<i8", "<u1"])
def test_an_array_is_the_list_of_its_numbers(form: str) -> None:
    """Arrays, as binary tensors are, give the bits that their numbers give; NaN in them is null, as it is in no list."""
    encoder = Encoder([AGE])
    ages = np.array([0, 1, 3, 70], form)
    found, listed = encoder.columns([ages]), encoder.columns([ages.tolist()])
    assert found is not None
    assert listed is not None
    assert found.matrix.tobytes() == listed.matrix.tobytes()
    assert found.exact.tolist() == [[0.0, 1.0, 3.0, 70.0]]
    if ages.dtype.kind == "f":
        ages[1] = math.nan
        found, listed = encoder.columns([ages]), encoder.columns([[0, None, 3, 70]])
        assert found is not None
        assert listed is not None
        assert found.matrix.tobytes() == listed.matrix.tobytes()
        assert encoder.columns([ages.tolist()]) is None


def test_what_no_array_may_hold() -> None:
    """Infinity, what float32 has no room for, and numbers where there should be levels."""
    encoder = Encoder([AGE, CITY])
    for age in (math.inf, -math.inf, 1e39):
        assert encoder.columns([np.array([age]), ["Bonn"]]) is None
    assert encoder.columns([np.array([1.0]), np.array([1.0])]) is None


def test_nothing_of_a_number_is_lost_beside_the_matrix() -> None:
    """The model takes float32; what is logged is what came."""
    found = Encoder([AGE, CITY]).columns([[0.1, None], [None, "Köln"]])
    assert found is not None
    np.testing.assert_array_equal(found.exact, [[0.1, math.nan], [math.nan, 1.0]])
    np.testing.assert_array_equal(found.only([1]).exact, [[math.nan], [1.0]])
