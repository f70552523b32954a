"""The SQL of a snapshot's table with the columns that expectations look at beside its own."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from argosy.adapters.duckdb_tables import sql
from argosy.ports.tables import LABEL, Derived

ACROSS_ROWS = frozenset({"SUBQUERY", "WINDOW"})
"""Classes of expressions that look at other rows than their own. Aggregates cannot be asked of a row at all."""
CLOCK = frozenset({"age", "ago", "getvariable", "now", "today", "transaction_timestamp", "txid_current"})
"""Functions that say another thing in another run. Those of a time zone do not: it is always UTC."""
CLOCK_WORDS = ("current_", "get_current_", "localtime")
"""What the others of them begin with, of which some need no parentheses."""


def query(derived: Derived, columns: Sequence[str] | None = None, *, row: str | None = None) -> str:
    """The query for *derived*, or only *columns* of it; *row*: the name of a column more, by which rows can be put in their order."""
    added = [f"({expression}) AS {sql.name(name)}" for name, expression in derived.expressions.items()]
    if derived.label is not None:
        added.append(f"{sql.of_label(derived.label)} AS {LABEL}")
    if row is not None:
        added.append(f"{_position(derived)} AS {row}")
    selected = ", ".join([_own(derived, numbered=row is not None), *added])
    inner = f"SELECT {selected} FROM {_files(derived, numbered=row is not None)}"  # noqa: S608 - the expressions are the model's own
    return inner if columns is None else f"SELECT {', '.join(map(sql.name, columns)) or '1'} FROM ({inner})"  # noqa: S608


def is_by_row(database: duckdb.DuckDBPyConnection, expressions: Sequence[str]) -> bool:
    """Whether each of *expressions* looks at one row and nothing else: at no other row, not at the clock, not at chance."""
    found = [each for expression in expressions for each in _nodes(database, expression)]
    if any(each.get("class") in ACROSS_ROWS for each in found):
        return False
    called = [each["function_name"].casefold() for each in found if "function_name" in each]
    words = [each["column_names"][0].casefold() for each in found if each.get("class") == "COLUMN_REF"]
    if CLOCK.intersection(called) or any(name.startswith(CLOCK_WORDS) for name in [*called, *words]):
        return False
    row = database.execute(
        "SELECT count(*) FROM duckdb_functions() WHERE function_name IN (SELECT unnest(?)) AND stability = 'VOLATILE'",
        [[*called, ""]],
    ).fetchone()
    return row is not None and row[0] == 0


def _nodes(database: duckdb.DuckDBPyConnection, expression: str) -> Iterator[dict[str, Any]]:
    """The parts of *expression* as DuckDB reads it; where it cannot, a subquery, of which nobody knows."""
    row = database.execute("SELECT json_serialize_sql(?)", [f"SELECT ({expression})"]).fetchone()
    read = json.loads(row[0]) if row else {"error": True}
    return _below(read) if not read["error"] else iter([{"class": "SUBQUERY"}])


def _below(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _below(each)


def problem(derived: Derived) -> str:
    """What cannot be done where the query fails."""
    asked = [f"`{name}: {expression}`" for name, expression in derived.expressions.items()]
    if derived.label is not None:
        asked.append(f"`label.sql: {derived.label.sql}`")
    return f"{'; '.join(asked) or 'nothing'} cannot be asked of source {derived.source.name!r}"


def _own(derived: Derived, *, numbered: bool) -> str:
    # A column that is itself called label gives way to what the settings make of it.
    left_out = [LABEL] if derived.label is not None and _has(derived, LABEL) else []
    left_out += [name for name in _numbering(derived) if numbered]
    return f"* EXCLUDE ({', '.join(left_out)})" if left_out else "*"


def _has(derived: Derived, name: str) -> bool:
    return any(column.name.casefold() == name for column in derived.source.columns)


def _files(derived: Derived, *, numbered: bool) -> str:
    options = [f"{name} = true" for name in _numbering(derived)] if numbered else []
    return sql.parquet(derived.files, *options)


def _numbering(derived: Derived) -> list[str]:
    return ["file_row_number", *(["filename"] if len(derived.parts) > 1 else [])]


def _position(derived: Derived) -> str:
    if len(derived.parts) == 1:
        return "file_row_number"
    names = ", ".join(sql.text(str(file)) for file in derived.files)
    return f"{{'file': list_position([{names}], filename), 'row': file_row_number}}"
