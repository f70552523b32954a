"""DuckDB says nothing by itself: what a program prints as JSON stays JSON."""

import contextlib

import pytest

from argosy.adapters.duckdb_tables.label_join import DuckDBLabelJoin
from argosy.adapters.duckdb_tables.tables import DuckDBTables


@pytest.mark.parametrize("made", [DuckDBTables, DuckDBLabelJoin])
def test_no_progress_bar_is_printed(made: type[DuckDBTables] | type[DuckDBLabelJoin]) -> None:
    """It takes a child that was spawned for a person at a terminal, and would print into standard output."""
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(made()._database())
        assert database.execute("SELECT current_setting('enable_progress_bar')").fetchall() == [(False,)]
