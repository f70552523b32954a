"""The readers of databases keep one contract: SQLAlchemy's, DuckDB's, and one that a package brings for addresses of its own."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from argosy import errors, plugins, wiring
from argosy.adapters.duckdb_tables.duckdb_sources import DuckDBSources
from argosy.adapters.sql_sources import SqlSources
from argosy.ports.source_reader import SourceReader
from argosy.settings import Settings
from argosy.testing.source_contract import ROWS, SourceReaderContract, source
from kit.installed_package import install

VARIABLE = "ARGOSY_SOURCE_CRM"
MODULE = """
import pyarrow as pa, pyarrow.parquet as pq
from argosy.ports.source_reader import Fetched

class Reader:
    def __init__(self, addresses):
        self.addresses = addresses

    def fetch(self, sources, into, since=None):
        found = {}
        for source in sources:
            pq.write_table(pa.table({column.name: ["1"] for column in source.columns}), into / source.file_name)
            found[source.name] = Fetched(into / source.file_name, "a warehouse")
        return found
"""


class TestSqliteReader(SourceReaderContract):
    """A file of SQLite, through SQLAlchemy."""

    @pytest.fixture
    def reader(self, tmp_path_factory: pytest.TempPathFactory) -> SourceReader:
        file = tmp_path_factory.mktemp("base") / "crm.db"
        with sqlite3.connect(file) as database:
            database.execute("CREATE TABLE people (id INTEGER, name TEXT, share REAL)")
            database.executemany("INSERT INTO people VALUES (?, ?, ?)", ROWS)
        database.close()
        return SqlSources({VARIABLE: f"sqlite:///{file}"})


class TestDuckDB(SourceReaderContract):
    """A file of DuckDB."""

    @pytest.fixture
    def reader(self, tmp_path_factory: pytest.TempPathFactory) -> SourceReader:
        file = tmp_path_factory.mktemp("base") / "crm.duckdb"
        with duckdb.connect(file) as database:
            database.execute("CREATE TABLE people (id BIGINT, name VARCHAR, share DOUBLE)")
            database.executemany("INSERT INTO people VALUES (?, ?, ?)", ROWS)
        return DuckDBSources({VARIABLE: f"duckdb:///{file}"})


def test_a_reader_that_a_package_brings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for the addresses that begin with its name, and for no others; what it cannot say is told."""
    project = {
        "name": "own-source",
        "version": "0.1",
        "entry-points": {plugins.SOURCES: {"warehouse": "own_reader:Reader"}},
    }
    install(tmp_path / "site", project, "own_reader", MODULE)
    monkeypatch.syspath_prepend(tmp_path / "site")
    variables = {"ARGOSY_HOME": str(tmp_path), VARIABLE: "warehouse://eu/sales"}
    with wiring.fetched(Settings.from_environment(variables), [source()]) as found:
        assert found["rows"].location == "a warehouse"
    with pytest.raises(errors.Misconfigured, match="what reads warehouse:// cannot say which tables"):
        wiring.database({VARIABLE: "warehouse://eu/sales"}, "crm")


def test_a_duckdb_file_that_is_none_is_not_tried_again(tmp_path: Path) -> None:
    """Whatever its name has in it: nothing changes by waiting."""
    file = tmp_path / "stock_blocks.duckdb"
    file.write_bytes(b"no database" * 1_000)
    with pytest.raises(errors.Misconfigured, match="is no file that this DuckDB reads"):
        DuckDBSources({VARIABLE: f"duckdb:///{file}"}).tables("crm")


def test_a_duckdb_file_that_somebody_writes_is_tried_again(tmp_path: Path) -> None:
    """Another process holds it."""
    file = tmp_path / "crm.duckdb"
    hold = f"import duckdb; held = duckdb.connect({str(file)!r}); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(errors.TryAgain, match="while another program writes into it"):
            DuckDBSources({VARIABLE: f"duckdb:///{file}"}).tables("crm")
        other.communicate("\n", timeout=30)


def test_a_cast_that_no_value_bears_is_not_tried_again(tmp_path: Path) -> None:
    """The query has to be mended."""
    file = tmp_path / "crm.duckdb"
    with duckdb.connect(file) as database:
        database.execute("CREATE TABLE people AS SELECT 'x' AS id, 'y' AS name, 1.0 AS share")
    wrong = source(query="SELECT CAST(id AS INTEGER) AS id, name, share FROM people")
    with pytest.raises(errors.Misconfigured, match=r"Conversion Error.*mend `sql` of the source"):
        DuckDBSources({VARIABLE: f"duckdb:///{file}"}).fetch([wrong], tmp_path)
