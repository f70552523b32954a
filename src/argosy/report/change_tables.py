"""What changed in the data, for a terminal, a request and a page: the same tables everywhere."""

from collections.abc import Iterator, Sequence

from argosy.domain import figures
from argosy.domain.data_diff import ColumnChange, DataChange, LevelChange, TableChange
from argosy.domain.evidence import Table
from argosy.report import formats
from argosy.report.markdown_text import escape

DIMENSION = "data"
MOST_COLUMNS = 40
"""Columns that a table has; the rest is counted."""


def title(change: DataChange) -> str:
    """One line about all of it."""
    if change.is_same:
        return f"{change.after} holds the same data as {change.before}"
    notable = [column.name for table in change.tables for column in table.columns if column.is_notable]
    named = (
        f"; look at {', '.join(notable[:5])}{f' and {len(notable) - 5} more' * (len(notable) > 5)}" if notable else ""
    )
    return f"{change.after} held against {change.before}{named}"


def tables(change: DataChange) -> list[Table]:
    """The tables that say it."""
    rows = [_source(table) for table in change.tables]
    rows += [[name, "new", "", "", "", ""] for name in change.sources_added]
    rows += [[name, "gone", "", "", "", ""] for name in change.sources_removed]
    header = ["Source", "Rows", "New keys", "Gone keys", "Changed rows", "Columns"]
    found = [Table(title="Sources", dimension=DIMENSION, header=header, rows=rows)]
    return found + [each for table in change.tables for each in _columns(table)]


def markdown(change: DataChange, *, heading: str = "## What changed in the data") -> str:
    """The whole as Markdown, columns folded."""
    first, *others = tables(change)
    parts = [heading, escape(title(change)), _table(first.header, first.rows)]
    parts += [
        f"<details><summary>{escape(each.title)}</summary>\n\n{_table(each.header, each.rows)}\n\n</details>"
        for each in others
    ]
    return "\n\n".join(parts) + "\n"


def _source(table: TableChange) -> list[str]:
    keys = table.keys
    return [
        table.source,
        f"{table.rows_before:,} → {table.rows_after:,}{_relative(table.rows_before, table.rows_after)}",
        figures.number(keys.added if keys else None),
        figures.number(keys.removed if keys else None),
        figures.number(keys.changed if keys else None),
        ", ".join(_schema(table)) or "the same",
    ]


def _relative(before: int, after: int) -> str:
    return f" ({(after - before) / before:+.1%})" if before and after != before else ""


def _schema(table: TableChange) -> Iterator[str]:
    yield from (f"new: {name}" for name in table.columns_added)
    yield from (f"gone: {name}" for name in table.columns_removed)
    yield from (f"{name}: {before} → {after}" for name, (before, after) in table.types_changed.items())


def _columns(table: TableChange) -> Iterator[Table]:
    moved = [each for each in table.columns if _differs(each)]
    if not moved:
        return
    same = len(table.columns) - len(moved)
    left = len(moved) - MOST_COLUMNS
    name = f"Columns of {table.source}: {len(moved)} differ{'s' * (len(moved) == 1)}, {same} the same"
    header = ["Column", "Distance", "Missing", "Rows changed", "New levels", "Gone levels"]
    rows = [_row(each) for each in moved[:MOST_COLUMNS]] + (
        [[f"and {left} more", "", "", "", "", ""]] if left > 0 else []
    )
    yield Table(title=name, dimension=DIMENSION, header=header, rows=rows)


def _differs(column: ColumnChange) -> bool:
    return bool(column.distance or column.rows_changed or column.missing_before != column.missing_after)


def _row(column: ColumnChange) -> list[str]:
    mark = " (!)" if column.is_notable else ""
    return [
        f"{column.name}{mark}",
        figures.DASH if column.distance is None else f"{column.distance:.3f} {column.measure}",
        _missing(column),
        figures.number(column.rows_changed),
        _levels(column.new_levels),
        _levels(column.gone_levels),
    ]


def _missing(column: ColumnChange) -> str:
    before, after = formats.percent(column.missing_before), formats.percent(column.missing_after)
    return before if before == after else f"{before} → {after}"


def _levels(change: LevelChange) -> str:
    if not change.count:
        return ""
    more = change.count - len(change.examples)
    named = ", ".join(change.examples)
    return named if not more else f"{named} and {more:,} more" if named else f"{change.count:,}, withheld: personal"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [[*header], ["---"] * len(header)]
    shown = [f"| {' | '.join(cells)} |" for cells in lines]
    return "\n".join([*shown, *(f"| {' | '.join(map(escape, row))} |" for row in rows)])
