"""How much data may change: what is noted, what stops, who is named."""

from typing import Any

import pytest

from argosy.domain import change_limits
from argosy.domain.change_limits import PreviousLimits
from argosy.domain.data import ExpectationResult
from argosy.domain.data_diff import ColumnChange, DataChange, LevelChange, TableChange


def column(**changes: Any) -> ColumnChange:
    """A column of levels that is as it was."""
    values = {
        "name": "plan",
        "type": "VARCHAR",
        "missing_before": 0.1,
        "missing_after": 0.1,
        "distance": 0.0,
        "measure": "TV",
    }
    return ColumnChange.model_validate(values | changes)


def judged(table: dict[str, Any], limits: dict[str, Any] | None = None, **change: Any) -> list[ExpectationResult]:
    """What is said of one table that changed."""
    whole = {"source": "rows", "rows_before": 100, "rows_after": 100, **table}
    found = DataChange(before="the snapshot before", after="this", tables=[TableChange.model_validate(whole)], **change)
    owner = change_limits.owners("retention", {("rows", "plan"): "billing"})
    return list(change_limits.judged(found, PreviousLimits.model_validate(limits or {}), owner))


def test_data_as_before_says_nothing() -> None:
    """Neither a note nor a failure."""
    assert judged({"columns": [column()]}) == []


@pytest.mark.parametrize(
    ("table", "limits", "expectation"),
    [
        pytest.param({"rows_after": 79}, {"rows_lost": 0.2}, "rows_as_before", id="lost"),
        pytest.param({"rows_after": 301}, {"rows_gained": 2}, "rows_as_before", id="gained"),
        pytest.param({"columns_removed": ["plan"]}, {"columns_gone": 0}, "columns_as_before", id="gone"),
        pytest.param({"types_changed": {"plan": ("BIGINT", "VARCHAR")}}, {"columns_gone": 0}, "columns_as_before", id="type"),
        pytest.param({"columns": [column(missing_after=0.3)]}, {"missing": 0.1}, "missing_as_before", id="missing"),
        pytest.param({"columns": [column(missing_after=0.0)]}, {"missing": 0.05}, "missing_as_before", id="filled"),
        pytest.param({"columns": [column(distance=0.31)]}, {"distance": 0.3}, "distribution_as_before", id="distance"),
        pytest.param(
            {"columns": [column(new_levels=LevelChange(count=1, examples=["x"]))]}, {"new_levels": 0}, "levels_as_before", id="level"
        ),
    ],
)  # fmt: skip
def test_what_goes_beyond(table: dict[str, Any], limits: dict[str, Any], expectation: str) -> None:
    """A note by default; with a critical limit the run stops, and whoever answers is named."""
    (noted,) = judged(table)
    assert (noted.expectation, noted.critical, noted.passed) == (expectation, False, False)
    (critical,) = judged(table, {"critical": limits})
    assert (critical.expectation, critical.critical, critical.passed) == (expectation, True, False)
    whose = "retention" if expectation == "rows_as_before" else "billing"
    assert critical.explanation.endswith(f"; {whose} answers for it")
    assert "held against the snapshot before" in critical.explanation


def test_a_limit_that_holds_is_said() -> None:
    """Whoever set it sees that it was asked; on the limit is within it."""
    (held,) = judged({"rows_after": 80}, {"critical": {"rows_lost": 0.2}, "note": {}})
    assert (held.critical, held.passed, held.observed) == (True, True, "100 → 80 (-20.0%)")


def test_a_column_has_limits_of_its_own() -> None:
    """In place of the common ones, looser or tighter."""
    moved = {"columns": [column(distance=0.5)]}
    limits = {"critical": {"distance": 0.3}, "columns": {"plan": {"distance": 0.6}}}
    assert [(each.critical, each.passed) for each in judged(moved, limits)] == [(False, False)]
    assert [each.critical for each in judged(moved, {"columns": {"plan": {"distance": 0.4}}})] == [True]


def test_a_source_that_is_gone_always_stops() -> None:
    """Whatever the limits."""
    assert [each.critical for each in judged({}, sources_removed=["other"])] == [True]
