"""Rows by the values of a column: what is one group, in which order, and what is left of it."""

import pyarrow as pa
import pytest

from argosy.ml.row_groups import RowGroups

PLANS = ["b", "a", "b", "c", "b", "a"]


def listed(groups: RowGroups) -> dict[str, list[int]]:
    """The places of each group's rows."""
    return {name: rows.tolist() for name, rows in groups.rows()}


def test_groups_are_sorted_and_rows_in_their_order() -> None:
    """A sum over a group's rows is to the last bit the one over the rows that a mask would choose."""
    found = RowGroups.of(PLANS)
    assert listed(found) == {"a": [1, 5], "b": [0, 2, 4], "c": [3]}
    assert found.counts.tolist() == [2, 3, 1]
    assert RowGroups.of(found) is found
    assert listed(RowGroups.of([])) == {}


def test_what_is_left_has_no_empty_group() -> None:
    """An empty group has no mean, and is none."""
    found = RowGroups.of(PLANS)
    kept = found.only(found.at_least(2))
    assert kept.names == ["a", "b"]
    assert listed(kept) == {"a": [1, 4], "b": [0, 2, 3]}
    assert found.only(found.codes == 2).names == ["c"]


@pytest.mark.parametrize(
    ("values", "names", "codes"),
    [
        pytest.param(["b", None, "missing", "a"], ["a", "b", "missing"], [1, 2, 2, 0], id="no-value"),
        pytest.param([1.0, 10.0, 1.00000001, None], ["1", "10", "missing"], [0, 1, 0, 2], id="numbers-that-read-alike"),
        pytest.param([True, False, True], ["False", "True"], [1, 0, 1], id="truth"),
        pytest.param([], [], [], id="no-rows"),
    ],
)
def test_values_of_a_column(values: list[object], names: list[str], codes: list[int]) -> None:
    """One group is what reads the same."""
    found = RowGroups.of_column(pa.chunked_array([pa.array(values[:2]), pa.array(values[2:])]) if values else _empty())
    assert (found.names, found.codes.tolist()) == (names, codes)


def test_a_dictionary_with_values_that_no_row_has() -> None:
    """As a slice of a larger table leaves it."""
    column = pa.DictionaryArray.from_arrays(pa.array([2, None, 2], pa.int32()), ["x", "y", "z"])
    found = RowGroups.of_column(pa.chunked_array([column]))
    assert (found.names, found.codes.tolist()) == (["missing", "z"], [1, 0, 1])


def _empty() -> pa.ChunkedArray:
    return pa.chunked_array([], type=pa.string())
