"""Rows of databases as sources: exact values, one state of the database, nothing half, no password in any message."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.adapters.sql_sources import SqlSources
from argosy.domain.source_settings import Source
from argosy.ports.source_reader import Fetched
from kit.databases import Database, postgres_server


def source(types: dict[str, str], **sql: Any) -> Source:
    """A source of nullable columns by name and type; the first is the key."""
    return Source.model_validate(
        {
            "name": sql.pop("name", "rows"),
            "sql": {"secret": "crm", **sql},
            "entity": [next(iter(types))],
            "observed_at": "2020-01-01T00:00:00Z",
            "columns": [
                {"name": name, "type": kind, "meaning": "Something.", "nullable": True, "timezone": "UTC"}
                if kind == "timestamp"
                else {"name": name, "type": kind, "meaning": "Something.", "nullable": True}
                for name, kind in types.items()
            ],
        }
    )


def rows(fetched: Fetched, read: Source, into: Path) -> list[dict[str, Any]]:
    """The rows of a source as its snapshot has them."""
    DuckDBTables().snapshot(read, [], fetched.file, kept=into / "kept.parquet", rejected=into / "rejected.parquet")
    return pq.read_table(into / "kept.parquet").to_pylist()


@pytest.fixture(scope="module")
def postgres() -> Iterator[Database]:
    """A PostgreSQL with a table of odd values and one of many rows."""
    with postgres_server() as database:
        with psycopg.connect(database.uri, autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE odd (id bigint, amount numeric(30,4), share double precision, yes boolean, "
                "at timestamptz, day date, word text)"
            )
            connection.execute(
                "INSERT INTO odd VALUES (9007199254740993, 12345678901234567890.1200, 0.1, true, '2024-03-31 02:30+02', '2024-02-29', ''), "
                "(1, NULL, 'NaN', NULL, NULL, NULL, NULL)"
            )
            connection.execute(
                "CREATE TABLE many AS SELECT i AS id, repeat('x', 200) AS word FROM generate_series(1, 40000) AS i"
            )
        yield database


def reader(database: Database) -> SqlSources:
    """A reader of *database* under the name crm."""
    return SqlSources({"ARGOSY_SOURCE_CRM": database.uri})


def test_values_are_those_of_the_database(postgres: Database, tmp_path: Path) -> None:
    """An id beyond 2^53 keeps its last digit, an empty text is no missing value, NaN is one; a moment is that moment."""
    asked = source(
        {
            "id": "integer",
            "amount": "number",
            "share": "number",
            "yes": "boolean",
            "at": "timestamp",
            "day": "timestamp",
            "word": "string",
        },
        table="public.odd",
    )
    found = reader(postgres).fetch([asked], tmp_path)["rows"]
    one, two = sorted(rows(found, asked, tmp_path), key=lambda row: row["id"], reverse=True)
    assert one["id"] == 9007199254740993
    assert (one["amount"], one["share"], one["yes"], one["word"]) == (12345678901234567890.12, 0.1, True, "")
    assert [str(one[name]) for name in ("at", "day")] == ["2024-03-31 00:30:00+00:00", "2024-02-29 00:00:00+00:00"]
    assert {value for name, value in two.items() if name not in ("id", "event_timestamp")} == {None}
    assert found.reading is not None
    assert found.reading.asked == "SELECT id, amount, share, yes, at, day, word FROM public.odd"
    assert {"lsn", "snapshot", "time", "version"} == set(found.reading.position)
    assert found.location == f"postgresql://127.0.0.1:{postgres.uri.rpartition(':')[2]}"


def test_a_decimal_kept_as_text_keeps_its_digits(postgres: Database, tmp_path: Path) -> None:
    """Where the contract says string, nothing is rounded."""
    asked = source(
        {"id": "string", "amount": "string"}, query="SELECT id, amount FROM odd WHERE word LIKE '%%' OR word LIKE '%';"
    )
    found = rows(reader(postgres).fetch([asked], tmp_path)["rows"], asked, tmp_path)
    assert [(row["id"], row["amount"]) for row in found] == [("9007199254740993", "12345678901234567890.1200")]


def test_sources_of_one_database_are_of_one_state(
    postgres: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others commit between the first source and the second is in neither."""
    first = source({"id": "integer"}, query="SELECT id FROM odd", name="first")
    second = source({"id": "integer"}, query="SELECT id FROM odd WHERE id = 77", name="second")
    rename = Path.rename

    def committed_in_between(self: Path, target: Path) -> Path:
        if target.name == "first.parquet":
            with psycopg.connect(postgres.uri, autocommit=True) as other:
                other.execute("INSERT INTO odd (id) VALUES (77)")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", committed_in_between)
    found = reader(postgres).fetch([first, second], tmp_path)
    with psycopg.connect(postgres.uri, autocommit=True) as other:
        assert other.execute("DELETE FROM odd WHERE id = 77").rowcount == 1
    assert [pq.read_table(found[name].file).num_rows for name in ("first", "second")] == [2, 0]


def test_a_connection_that_breaks_off_leaves_nothing(
    postgres: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the session in the middle of the rows: to be tried again, and no file of that source is there."""
    asked = source({"id": "integer", "word": "string"}, table="many")
    batches: list[int] = []
    write = pq.ParquetWriter.write_batch

    def ended(self: Any, batch: Any) -> None:
        batches.append(batch.num_rows)
        if len(batches) == 2:
            with psycopg.connect(postgres.uri, autocommit=True) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
        write(self, batch)

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", ended)
    with pytest.raises(
        errors.TryAgain, match=r"source 'rows' cannot be read from postgresql://127.0.0.1:\d+/postgres: .*read anew"
    ):
        reader(postgres).fetch([asked], tmp_path)
    assert 2 <= len(batches) < 8
    assert not (tmp_path / "rows.parquet").exists()


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        pytest.param({"table": "nowhere"}, "relation \"nowhere\" does not exist", id="table"),
        pytest.param({"query": "SELECT id, nothing FROM odd"}, "column \"nothing\" does not exist", id="column"),
        pytest.param({"query": "DELETE FROM odd"}, "mend `sql` of the source", id="delete"),
        pytest.param({"query": "WITH gone AS (DELETE FROM odd RETURNING id) SELECT id FROM gone"}, "mend `sql` of the source", id="hidden"),
        pytest.param({"query": "SELECT 1; DROP TABLE odd"}, "mend `sql` of the source", id="two"),
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_answered(postgres: Database, tmp_path: Path, sql: dict[str, str], told: str) -> None:
    """Somebody has to mend it; what would change the database is refused by the database."""
    with pytest.raises(errors.Misconfigured, match=told) as raised:
        reader(postgres).fetch([source({"id": "integer"}, **sql)], tmp_path)
    assert "\n" not in str(raised.value)
    with psycopg.connect(postgres.uri) as connection:
        assert connection.execute("SELECT count(*) FROM odd").fetchone() == (2,)


def test_a_value_of_no_type_of_a_contract(postgres: Database, tmp_path: Path) -> None:
    """Bytes and documents are said by column, not written as something."""
    asked = source({"id": "integer", "word": "string"}, query="SELECT id, '\\x00'::bytea AS word FROM odd")
    with pytest.raises(errors.Rejected, match="column 'word' holds values of the kind bytes"):
        reader(postgres).fetch([asked], tmp_path)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        pytest.param(None, "ARGOSY_SOURCE_CRM is empty", id="none"),
        pytest.param("sesame", "ARGOSY_SOURCE_CRM holds no address", id="no-address"),
        pytest.param("postgresql://me:sesame@127.0.0.1:{port}/nowhere", "does not exist; mend ARGOSY_SOURCE_CRM", id="database"),
        pytest.param("snowflake://me:sesame@there/db", "install snowflake-sqlalchemy", id="snowflake"),
        pytest.param("bigquery://me:sesame@there/db", "install sqlalchemy-bigquery", id="bigquery"),
        pytest.param("mssql://me:sesame@there/db", "install pyodbc", id="mssql"),
        pytest.param("sqlite:////nowhere/sesame.db", "there is no SQLite file", id="sqlite"),
    ],
)  # fmt: skip
def test_an_address_that_leads_nowhere(postgres: Database, tmp_path: Path, address: str | None, told: str) -> None:
    """Said by the variable that holds it, in one line, without its password."""
    port = postgres.uri.rpartition(":")[2].partition("/")[0]
    given = {"ARGOSY_SOURCE_CRM": address.format(port=port)} if address else {}
    with pytest.raises(errors.Misconfigured, match=told) as raised:
        SqlSources(given).fetch([source({"id": "integer"}, table="odd")], tmp_path)
    assert "\n" not in str(raised.value)
    assert "sesame@" not in str(raised.value)
    assert ":sesame" not in str(raised.value)


def test_a_server_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    """It may be up in a minute."""
    address = {"ARGOSY_SOURCE_CRM": "postgresql://me:sesame@127.0.0.1:1/db"}
    with pytest.raises(errors.TryAgain, match=r"postgresql://127\.0\.0\.1:1/db cannot be read") as raised:
        SqlSources(address).fetch([source({"id": "integer"}, table="odd")], tmp_path)
    assert "sesame" not in str(raised.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An SQLite file with two rows."""
    path = tmp_path / "crm.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE people (id TEXT, age INTEGER, paid REAL)")
        connection.executemany("INSERT INTO people VALUES (?, ?, ?)", [("a", 5, 0.1), ("b", None, 3.0)])
    return path


def test_rows_of_an_sqlite_file(file: Path, tmp_path: Path) -> None:
    """As those of a server; a file beside it that a writer holds is no obstacle."""
    asked = source({"id": "string", "age": "integer", "paid": "number"}, table="people")
    with contextlib.closing(sqlite3.connect(file)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        found = SqlSources({"ARGOSY_SOURCE_CRM": f"sqlite:///{file}"}).fetch([asked], tmp_path)["rows"]
    assert [(row["id"], row["age"], row["paid"]) for row in rows(found, asked, tmp_path)] == [
        ("a", 5, 0.1),
        ("b", None, 3.0),
    ]


def test_an_sqlite_file_is_only_read(file: Path, tmp_path: Path) -> None:
    """A query that writes is refused by the file's own lock."""
    asked = source({"id": "string"}, query="INSERT INTO people (id) VALUES ('c') RETURNING id")
    with pytest.raises(errors.Misconfigured, match="readonly database"):
        SqlSources({"ARGOSY_SOURCE_CRM": f"sqlite:///{file}"}).fetch([asked], tmp_path)


def test_a_value_that_is_unreadable_names_the_query(file: Path, tmp_path: Path) -> None:
    """There is no file to mend and no delimiter to set: what helps is said for a query."""
    asked = source({"id": "integer"}, table="people")
    found = SqlSources({"ARGOSY_SOURCE_CRM": f"sqlite:///{file}"}).fetch([asked], tmp_path)["rows"]
    with pytest.raises(
        errors.Rejected, match=r"is no integer in 2 rows: in row 1 it says 'a'; convert it in the query"
    ):
        rows(found, asked, tmp_path)
