"""Rows and columns that are plain are read whole; what is read is what looking at each value would have found."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.serving.request_columns import ColumnReader, RequestColumns
from argosy.serving.request_problems import RequestProblem
from argosy.serving.rows import Row, RowReader
from kit.serving_kit import FEATURES, ROW, signature

NAMES = [column.name for column in FEATURES]
CELLS = st.one_of(
    st.none(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.sampled_from(["month", "two-year", "C1", ""]),
    st.just("x" * 1025),
    st.just([]),
)
ROWS = st.one_of(
    st.fixed_dictionaries({"tenure": st.integers(0, 9), "charges": CELLS, "contract": CELLS, "birth_year": st.none()}),
    st.fixed_dictionaries(dict.fromkeys(NAMES, CELLS), optional={"customer_id": CELLS, "other": CELLS}),
    st.fixed_dictionaries({"customer_id": CELLS}),
    st.lists(CELLS, min_size=3, max_size=5),
    CELLS,
)


def where(place: int, name: str | None) -> str:
    """A path."""
    return f"{place}.{name}"


def outcome(read: Any, *given: Any) -> Any:
    """What *read* gives, or what it says instead."""
    try:
        return read(*given)
    except RequestProblem as problem:
        return problem.status, str(problem), problem.field


def as_rows(found: Any) -> Any:
    """Columns as the rows that they are of; a problem as it is."""
    if not isinstance(found, RequestColumns):
        return found
    entities = found.entities or [None] * found.count
    return [Row(None if place in found.by_id else found.row(place), entity) for place, entity in enumerate(entities)]


@given(st.one_of(st.lists(ROWS, max_size=4), ROWS.map(lambda row: [row] * 3)))
def test_columns_are_what_the_rows_are(instances: list[Any]) -> None:
    """Rows of any kind, mixed or all alike, come out as the careful reader has them, or with its words about the first wrong field."""
    signed = signature()
    expected = outcome(RowReader(signed).read_all, instances, where)
    assert as_rows(outcome(ColumnReader(signed).rows, instances, where)) == expected


@given(
    st.lists(st.tuples(*[CELLS] * 5), min_size=1, max_size=4),
    st.sampled_from([NAMES, [*NAMES, "customer_id"], ["customer_id"], ["tenur"]]),
)
def test_columns_in_any_order_are_what_their_rows_are(cells: Sequence[tuple[Any, ...]], names: Sequence[str]) -> None:
    """The same of columns, whatever their order in the request."""
    signed = signature()
    columns: Mapping[str, list[Any]] = {
        name: list(values) for name, values in reversed(list(zip(names, zip(*cells, strict=True), strict=False)))
    }
    instances = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    expected = outcome(RowReader(signed).read_all, instances, where)
    assert as_rows(outcome(ColumnReader(signed).columns, columns, len(cells), where)) == expected


@pytest.mark.parametrize(
    ("row", "plain"),
    [
        pytest.param(ROW, True, id="by-name"),
        pytest.param(list(ROW.values()), True, id="by-place"),
        pytest.param({**ROW, "customer_id": "C1"}, True, id="with-its-key"),
        pytest.param({**ROW, "charges": None}, True, id="null"),
        pytest.param({**ROW, "contract": "for-life"}, False, id="unknown-level"),
    ],
)
def test_plain_rows_are_encoded_as_they_are_read(row: Any, plain: bool) -> None:
    """No value of a plain request is looked at by itself; a level that the model does not know makes it another."""
    found = ColumnReader(signature()).rows([row] * 3, where)
    assert (found.matrix is not None) is plain
    assert isinstance(found.features["tenure"], tuple) is plain
