"""What goes missing at serving: a column, columns together as rows have had them, a view whose source is late."""

from typing import Any

import numpy as np
import pytest

from argosy.domain.data import FeatureColumn
from argosy.domain.measuring import Measuring
from argosy.ml import missing_inputs

RANDOM = np.random.default_rng(9)
MATRIX = RANDOM.normal(0.0, 1.0, (1500, 3)).astype(np.float32)
LABELS = (MATRIX[:, 0] + MATRIX[:, 1] > 0).astype(float)


def features(*views: str) -> list[FeatureColumn]:
    """Numbers of those views."""
    return [FeatureColumn(name=name, type="number", view=view) for name, view in zip("abc", views, strict=True)]


ONE_VIEW = features("v", "v", "v")


def by_two(matrix: Any) -> Any:
    """Goes by the first two, and by either where the other is missing."""
    total = np.nan_to_num(matrix[:, 0]) + np.nan_to_num(matrix[:, 1])
    return 1 / (1 + np.exp(-3 * np.asarray(total, dtype=np.float64)))


def measured(
    matrix: Any, columns: list[FeatureColumn] = ONE_VIEW, **changes: Any
) -> tuple[float | None, float | None, dict[str, list[str]]]:
    """The two drops, and the table's lines by what is missing."""
    found, table = missing_inputs.measure("binary", by_two, matrix, LABELS, columns, 0.5, 1, Measuring(**changes))
    return (*found.values(), {line[0]: line[1:] for line in table.rows})  # type: ignore[return-value]


def test_each_column_is_missed_as_much_as_it_tells() -> None:
    """The first costs a quarter of the area or so, the third nothing."""
    column, pattern, lines = measured(MATRIX)
    assert column is not None
    assert 0.1 < column < 0.3
    assert abs(float(lines["c"][1])) == 0.0
    assert lines["c"][2] == "0.00%"
    assert pattern == 0.0


def test_columns_that_were_missing_together_are_taken_together() -> None:
    """Without both there is nothing left to rank by: half."""
    gaps = MATRIX.copy()
    gaps[:30, :2] = np.nan
    column, pattern, lines = measured(gaps)
    assert column is not None
    assert pattern is not None
    assert "a, b: as in 30 rows" in lines
    assert float(lines["a, b: as in 30 rows"][0]) == pytest.approx(0.5)
    assert pattern > column + 0.1


def test_a_view_goes_as_a_whole() -> None:
    """Where a model has several: its source is late."""
    _, pattern, lines = measured(MATRIX, features("bills", "bills", "calls"))
    assert float(lines["all of the view bills"][0]) == pytest.approx(0.5)
    assert pattern is not None
    assert pattern > 0.4


def test_rows_are_drawn_and_said() -> None:
    """A million are not asked about for each column."""
    found, table = missing_inputs.measure("binary", by_two, MATRIX, LABELS, ONE_VIEW, 0.5, 1, Measuring(rows=100))
    assert "on 100 drawn rows" in table.title
    again, _ = missing_inputs.measure("binary", by_two, MATRIX, LABELS, ONE_VIEW, 0.5, 1, Measuring(rows=100))
    assert found == again


def test_of_one_class_nothing_is_known() -> None:
    """No ranking to lose, and undefined never passes a gate."""
    found, _ = missing_inputs.measure("binary", by_two, MATRIX, LABELS * 0, ONE_VIEW, 0.5, 1, Measuring())
    assert set(found.values()) == {None}
