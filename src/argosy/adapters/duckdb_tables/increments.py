"""Rows that were read now, put together with the settled rows of an earlier snapshot; see :mod:`argosy.domain.watermarks`.

What is read may overlap what is settled: the earlier snapshot's rows count then. A source that says how many rows it was not asked for is
held to that, so that a row which came later than stated, or went, or moved, is noticed.
"""

import duckdb

from argosy.adapters.duckdb_tables import sql
from argosy.domain import watermarks
from argosy.domain.source_settings import Column, Source
from argosy.ports.tables import Earlier, Progress

EARLIER = "earlier_rows"
"""The rows of the earlier snapshot that stay."""


def is_new(source: Source, earlier: Earlier) -> str:
    """The condition that a row of ``converted`` is not settled in *earlier*."""
    column = watermarks.column(source)
    return "true" if column is None else f"coalesce({_count_of(column)} >= {earlier.reached.settled}, true)"


def take(database: duckdb.DuckDBPyConnection, source: Source, earlier: Earlier) -> int:
    """Make the view ``earlier_rows`` beside ``typed_rows``; how many rows it has. Raises DivergedError."""
    column = watermarks.column(source)
    rows = f"SELECT * FROM {sql.parquet(earlier.table)}"  # noqa: S608 - the name is quoted
    if column is not None:
        rows += f" WHERE {_count_of(column)} < {earlier.reached.settled}"
    if source.watermark is not None and source.watermark.key:
        same = " AND ".join(f"before.{sql.name(key)} = now.{sql.name(key)}" for key in source.watermark.key)
        rows = f"SELECT before.* FROM ({rows}) AS before ANTI JOIN typed_rows AS now ON {same}"  # noqa: S608
    database.execute(f"CREATE TEMP TABLE {EARLIER} AS {rows}")
    taken = _number(database, f"SELECT count(*) FROM {EARLIER}") or 0  # noqa: S608 - our own name
    if column is not None:
        _demand_same(database, column, earlier, taken)
    return taken


def progress(database: duckdb.DuckDBPyConnection, source: Source, earlier: Earlier | None) -> Progress | None:
    """How far ``typed_rows`` and *earlier* reach together; None of a source without a column for that."""
    column = watermarks.column(source)
    if column is None:
        return None
    before = earlier.reached if earlier else None
    newest = _number(database, f"SELECT max({_count_of(column)}) FROM typed_rows")  # noqa: S608 - names are quoted
    if newest is None:
        return Progress(None, None, 0)
    settled = newest - watermarks.lateness(source)
    aside = _number(
        database,
        f"SELECT count(*) FROM typed_rows WHERE {sql.REASON} IS NOT NULL AND {_count_of(column)} < {settled}",  # noqa: S608
    )
    return Progress(newest, settled, (aside or 0) + (before.set_aside if before else 0))


def _demand_same(database: duckdb.DuckDBPyConnection, column: Column, earlier: Earlier, taken: int) -> None:
    """Raise DivergedError where the source's settled rows are not as many as *earlier* has, or its newest row is gone."""
    before = earlier.reached
    newest = _number(database, f"SELECT max({_count_of(column)}) FROM typed_rows")  # noqa: S608 - names are quoted
    if before.until is not None and (newest is None or newest < before.until):
        now = "nothing" if newest is None else watermarks.text(column, newest)
        raise watermarks.DivergedError(
            f"it goes back: its newest {column.name} is {now}, and was {watermarks.text(column, before.until)}"
        )
    if earlier.unread is None or before.settled is None:
        return
    overlapping = _number(
        database,
        f"SELECT count(*) FROM converted WHERE {_count_of(column)} < {before.settled}",  # noqa: S608
    )
    there, had = earlier.unread + (overlapping or 0), taken + before.set_aside
    if there != had:
        raise watermarks.DivergedError(
            f"it has {there:,} rows with a {column.name} before {watermarks.text(column, before.settled)}, and the snapshot before had "
            f"{had:,} of them: rows came later than `lateness` says, were changed in place or deleted"
        )


def _count_of(column: Column) -> str:
    quoted = sql.name(column.name)
    return f"epoch_us({quoted})" if column.type == "timestamp" else quoted


def _number(database: duckdb.DuckDBPyConnection, query: str) -> int | None:
    row = database.execute(query).fetchone()
    return None if row is None or row[0] is None else int(row[0])
