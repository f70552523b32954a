"""How much data may change from one accepted snapshot to the next: the section `previous` of ``expectations.json``, and its verdicts.

Without limits of its own a model gets notes. Only what its settings call critical stops a run.
"""

from collections.abc import Callable, Iterator, Mapping

from pydantic import Field

from argosy.domain.data import ExpectationResult
from argosy.domain.data_diff import ColumnChange, DataChange, TableChange
from argosy.domain.documents import Document


class ChangeLimits(Document):
    """Limits; none where absent."""

    rows_lost: float | None = Field(default=None, ge=0, le=1, description="Largest share of the rows that may be gone.")
    rows_gained: float | None = Field(default=None, ge=0, description="Largest growth, as a share of the rows before.")
    missing: float | None = Field(
        default=None, ge=0, le=1, description="Largest change of a column's share of missing values, such as 0.05."
    )
    distance: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Largest distance of a column's distribution (0 equal, 1 nothing in common).",
    )
    new_levels: int | None = Field(
        default=None, ge=0, description="Most levels of a column that were not there before."
    )
    columns_gone: int | None = Field(
        default=None, ge=0, description="Most columns that may be gone or of another type."
    )


class PreviousLimits(Document):
    """What is held against the snapshot that was accepted before this one, and against the champion's."""

    note: ChangeLimits = Field(
        default=ChangeLimits(rows_lost=0.2, rows_gained=1.0, missing=0.05, distance=0.1, new_levels=0, columns_gone=0),
        description="Beyond these, the report says so.",
    )
    critical: ChangeLimits = Field(default=ChangeLimits(), description="Beyond these, the run stops.")
    columns: dict[str, ChangeLimits] = Field(
        default_factory=dict, description="Column to critical limits of its own, in place of the common ones."
    )
    champion: bool = Field(default=True, description="Whether the limits are held against the champion's snapshot too.")


OwnerOf = Callable[[str, str | None], str]
"""The owner of a column of a source, or of the source where none is named."""


def judged(change: DataChange, limits: PreviousLimits, owner: OwnerOf) -> Iterator[ExpectationResult]:
    """What of *change* goes beyond *limits*, and what was asked at all of each source."""
    for name in change.sources_removed:
        yield _result(
            name,
            "source_is_still_there",
            None,
            critical=True,
            passed=False,
            observed="it is gone",
            said="",
            change=change,
        )
    for table in change.tables:
        yield from _rows(change, table, limits, owner)
        yield from _schema(change, table, limits, owner)
        for column in table.columns:
            yield from _column(change, table, column, limits, owner)


def _rows(
    change: DataChange, table: TableChange, limits: PreviousLimits, owner: OwnerOf
) -> Iterator[ExpectationResult]:
    if not table.rows_before:
        return
    moved = (table.rows_after - table.rows_before) / table.rows_before
    observed = f"{table.rows_before:,} → {table.rows_after:,} ({moved:+.1%})"
    for limit_of, size, word in (("rows_lost", -moved, "fewer"), ("rows_gained", moved, "more")):
        critical, noted = (getattr(each, limit_of) for each in (limits.critical, limits.note))
        yield from _held(
            change, table.source, None, "rows_as_before", observed, size, critical, noted, owner,
            lambda limit, word=word: f"at most {limit:.0%} {word} rows than before",  # type: ignore[misc]
        )  # fmt: skip


def _schema(
    change: DataChange, table: TableChange, limits: PreviousLimits, owner: OwnerOf
) -> Iterator[ExpectationResult]:
    gone = [*table.columns_removed, *table.types_changed]
    columns: list[str | None] = [*gone] or [None]
    for column in columns:
        yield from _held(
            change, table.source, column, "columns_as_before", ", ".join(gone) or "all there", len(gone),
            limits.critical.columns_gone, limits.note.columns_gone, owner,
            lambda limit: f"at most {limit:g} columns are gone or of another type",
        )  # fmt: skip


def _column(
    change: DataChange, table: TableChange, column: ColumnChange, limits: PreviousLimits, owner: OwnerOf
) -> Iterator[ExpectationResult]:
    mine = limits.columns.get(column.name, limits.critical)
    missing = abs(column.missing_after - column.missing_before)
    yield from _held(
        change, table.source, column.name, "missing_as_before", f"{column.missing_before:.2%} → {column.missing_after:.2%} missing",
        missing, mine.missing, limits.note.missing, owner, lambda limit: f"the share of missing values moves by at most {limit:.1%}",
    )  # fmt: skip
    if column.distance is not None:
        yield from _held(
            change, table.source, column.name, "distribution_as_before", f"{column.measure} distance {column.distance:.3f}",
            column.distance, mine.distance, limits.note.distance, owner, lambda limit: f"a distance of at most {limit:g}",
        )  # fmt: skip
    if column.measure == "TV":
        named = ", ".join(column.new_levels.examples)
        yield from _held(
            change, table.source, column.name, "levels_as_before", f"{column.new_levels.count} new{f': {named}' if named else ''}",
            column.new_levels.count, mine.new_levels, limits.note.new_levels, owner, lambda limit: f"at most {limit:g} new levels",
        )  # fmt: skip


def _held(
    change: DataChange,
    source: str,
    column: str | None,
    expectation: str,
    observed: str,
    size: float,
    critical: float | None,
    noted: float | None,
    owner: OwnerOf,
    said: Callable[[float], str],
) -> Iterator[ExpectationResult]:
    """One measurement against its limits: a critical failure, a note, or, where a limit was set and holds, that it does."""
    if critical is not None and size > critical:
        text = f"{said(critical)}; {owner(source, column)} answers for it"
        yield _result(
            source, expectation, column, critical=True, passed=False, observed=observed, said=text, change=change
        )
    elif noted is not None and size > noted:
        yield _result(
            source,
            expectation,
            column,
            critical=False,
            passed=False,
            observed=observed,
            said=said(noted),
            change=change,
        )
    elif critical is not None:
        yield _result(
            source,
            expectation,
            column,
            critical=True,
            passed=True,
            observed=observed,
            said=said(critical),
            change=change,
        )


def _result(
    source: str,
    expectation: str,
    column: str | None,
    *,
    critical: bool,
    passed: bool,
    observed: str,
    said: str,
    change: DataChange,
) -> ExpectationResult:
    return ExpectationResult(
        layer="statistical",
        source=source,
        expectation=expectation,
        column=column,
        critical=critical,
        passed=passed,
        observed=observed,
        explanation=f"held against {change.before}{f': {said}' if said else ''}",
    )


def owners(model_owner: str, columns: Mapping[tuple[str, str], str | None]) -> OwnerOf:
    """Who answers for a column, by source and column; the *model_owner* where nobody is named."""
    return lambda source, column: columns.get((source, column or "")) or model_owner
