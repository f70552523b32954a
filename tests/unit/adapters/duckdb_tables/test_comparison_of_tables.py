"""Two tables compared: the distances are those of the books, keys are matched exactly, and nothing personal is told."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from argosy import errors
from argosy.adapters.duckdb_tables.comparison_of_tables import DuckDBTableComparison
from argosy.domain.data_diff import TableChange

Compare = Callable[..., TableChange]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """Compares two tables, by the column ``id`` where there is one."""

    def both(before: dict[str, Any], after: dict[str, Any], **more: Any) -> TableChange:
        files = [tmp_path / name for name in ("before.parquet", "after.parquet")]
        for file, columns in zip(files, (before, after), strict=True):
            pq.write_table(pa.table(columns), file)
        keys = ["id"] if "id" in before else []
        return DuckDBTableComparison(tmp_path).compare(
            "rows", *files, **{"keys": keys, "aside": (), "personal": (), **more}
        )

    return both


@pytest.mark.parametrize("seed", range(4))
def test_distances_are_those_of_the_books(compare: Compare, seed: int) -> None:
    """Kolmogorov-Smirnov as scipy has it, ties and missing values included; total variation as it is defined."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 400, 2)
    numbers = [
        np.round(random.normal(side / 3, 1, size), int(random.integers(0, 4))) for side, size in enumerate(sizes)
    ]
    levels = [random.choice(["a", "b", "c", "d"][: 3 + side], size) for side, size in enumerate(sizes)]
    given = [{"x": [None, *column], "c": [None, *level]} for column, level in zip(numbers, levels, strict=True)]
    change = {column.name: column for column in compare(*given).columns}
    assert math.isclose(change["x"].distance or 0.0, stats.ks_2samp(*numbers).statistic, abs_tol=1e-12)
    shares = [{value: float(np.mean(level == value)) for value in "abcd"} for level in levels]
    apart = sum(abs(shares[0][value] - shares[1][value]) for value in "abcd") / 2
    assert math.isclose(change["c"].distance or 0.0, apart, abs_tol=1e-12)
    assert change["c"].new_levels.count == sum(shares[0][value] == 0 < shares[1][value] for value in "abcd")
    assert [change["x"].missing_before, change["x"].missing_after] == [1 / (size + 1) for size in sizes]


def test_rows_by_their_keys(compare: Compare) -> None:
    """Added, removed, changed, and in which column; a missing value that stays missing is no change."""
    change = compare(
        {"id": ["a", "b", "c"], "x": [1, None, 3], "y": ["p", "q", None]},
        {"id": ["d", "c", "b"], "x": [9, 3, None], "y": ["p", None, "r"]},
    )
    assert change.keys is not None
    assert (change.keys.added, change.keys.removed, change.keys.changed, change.keys.kept) == (1, 1, 1, 2)
    assert {column.name: column.rows_changed for column in change.columns} == {"id": None, "x": 0, "y": 1}


def test_keys_that_are_there_twice_are_counted_and_not_matched(compare: Compare) -> None:
    """Nobody knows which of the rows became which."""
    change = compare({"id": ["a", "a", "b"], "x": [1, 2, 3]}, {"id": ["a", "c"], "x": [1, 2]})
    assert change.keys is not None
    assert (change.keys.added, change.keys.removed, change.keys.changed, change.keys.kept) == (1, 1, None, 1)
    assert [column.rows_changed for column in change.columns] == [None, None]


def test_columns_that_come_go_and_change(compare: Compare) -> None:
    """A wider integer is no other type; a text in place of a number is, and it is not compared."""
    change = compare(
        {"a": pa.array([1], pa.int32()), "b": [1], "gone": [1]},
        {"a": pa.array([1], pa.int64()), "b": ["1"], "new": [1]},
    )
    assert (change.columns_added, change.columns_removed, change.types_changed) == (
        ["new"],
        ["gone"],
        {"b": ("BIGINT", "VARCHAR")},
    )
    assert [column.name for column in change.columns] == ["a"]
    assert not change.is_same


def test_the_same_data_in_another_order_is_the_same(compare: Compare) -> None:
    """Order is nobody's business, ids beyond 2^53 are told apart, and what has no rows has no distance."""
    large = 2**53
    assert compare({"id": [large, large + 1], "x": [1.5, None]}, {"id": [large + 1, large], "x": [None, 1.5]}).is_same
    other = compare({"id": [large]}, {"id": [large + 1]})
    assert other.keys is not None
    assert other.keys.added == 1
    empty = pa.array([], pa.float64())
    assert [column.distance for column in compare({"x": empty}, {"x": [1.0]}).columns] == [None]


def test_values_of_personal_columns_are_never_told(compare: Compare) -> None:
    """How many new levels there are is; which is not. A level is cut where it is a document."""
    before, after = {"name": ["Ann"], "plan": ["x"]}, {"name": ["Bob"], "plan": ["y" * 500]}
    change = compare(before, after, personal=["name"])
    assert "Bob" not in change.canonical_json()
    assert "Ann" not in change.canonical_json()
    levels = {column.name: column.new_levels for column in change.columns}
    assert (levels["name"].count, levels["name"].examples) == (1, [])
    assert len(levels["plan"].examples[0]) == 60


def test_a_file_that_is_none(tmp_path: Path) -> None:
    """One line that names both."""
    for name in ("before", "after"):
        (tmp_path / name).write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(errors.Rejected, match=r"source 'rows': .*before and .*after cannot be compared") as raised:
        DuckDBTableComparison().compare("rows", tmp_path / "before", tmp_path / "after", keys=[], aside=(), personal=())
    assert "\n" not in str(raised.value)
