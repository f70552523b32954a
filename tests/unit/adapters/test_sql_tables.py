"""Results of scoring as rows of a database: each part once, whatever happens meanwhile, in a table that has their columns."""

import datetime
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy
from sqlalchemy import text

from argosy import errors
from argosy.adapters import sql_tables
from argosy.adapters.sql_tables import SqlTables
from argosy.domain import table_places
from kit.databases import postgres_server

VARIABLE = "ARGOSY_SOURCE_WAREHOUSE"
PLACE = "sql://warehouse/scores/as_of=2026-01-31/version=3"


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A real server."""
    with postgres_server() as database:
        yield database.uri


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/warehouse.db"
        return
    uri = request.getfixturevalue("postgres")
    asked(uri, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    yield uri


def engine(address: str) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine(
        address.replace("postgresql:", "postgresql+psycopg:"), poolclass=sqlalchemy.NullPool
    )


def asked(address: str, *statements: str) -> list[tuple[object, ...]]:
    """The rows that the last of *statements* answers."""
    with engine(address).begin() as connection:
        for statement in statements:
            found = connection.execute(text(statement))
        return [tuple(row) for row in found.all()] if found.returns_rows else []


def tables(address: str, place: str = PLACE) -> SqlTables:
    return SqlTables(place, "--out", {VARIABLE: address})


def part(count: int = 3, **more: pa.Array) -> pa.Table:
    """Results of so many rows."""
    ids = pa.array([f"C{number}" for number in range(count)])
    day = pa.array([datetime.date(2026, 1, 2)] * count)
    answers = {
        "prediction": pa.array([number / count for number in range(count)]),
        "decision": pa.array(["no"] * count),
    }
    return pa.table({"customer_id": ids, "since": day, **answers, "model_version": pa.array([3] * count), **more})


def keep(files: SqlTables, name: str, table: pa.Table, over: str | None = None) -> bool:
    """Whether *table* was kept as *name*, with a word in its metadata."""
    with files.draft(name) as draft:
        pq.write_table(table.replace_schema_metadata({"argosy.scored": "so many"}), draft)
        return files.keep(name, draft, over)


def test_a_part_is_there_once(address: str) -> None:
    """With its day and its name in each row; written again in place of what was there, and gone with its name."""
    files = tables(address)
    assert keep(files, "a.parquet", part())
    assert keep(files, "b.parquet", part(2))
    assert not keep(files, "a.parquet", part())
    assert asked(address, "SELECT count(*) FROM scores") == [(5,)]
    found = asked(
        address, "SELECT customer_id, prediction, decision, model_version, as_of, scored_part FROM scores ORDER BY 6, 1"
    )
    assert found[0] == ("C0", 0.0, "no", 3, "2026-01-31", "as_of=2026-01-31/version=3/a.parquet")
    version = files.version("a.parquet")
    with files.open("a.parquet", version) as stream:
        metadata = pq.read_metadata(stream)
    assert (metadata.num_rows, metadata.metadata[b"argosy.scored"]) == (0, b"so many")
    assert keep(files, "a.parquet", part(1), over=version)
    assert asked(address, "SELECT count(*) FROM scores") == [(3,)]
    assert tables(address, PLACE.replace("31", "30")).version("a.parquet") is None
    files.remove("b.parquet")
    assert (asked(address, "SELECT count(*) FROM scores"), files.names()) == ([(1,)], ["a.parquet"])


def test_refused_rows_have_a_table_of_their_own(address: str) -> None:
    """Their columns are others."""
    files = tables(address)
    assert keep(files, "a.parquet", part())
    assert keep(files, "_refused/a.parquet", pa.table({"customer_id": ["C9"], "refused_because": ["age is text"]}))
    assert asked(address, "SELECT refused_because FROM scores_refused") == [("age is text",)]
    assert asked(address, "SELECT count(*) FROM scores") == [(3,)]


def test_a_chance_a_class_is_json(address: str) -> None:
    """A list is a text that every database has functions for."""
    assert keep(tables(address), "a.parquet", part(1).set_column(2, "prediction", pa.array([[0.25, 0.75]])))
    assert asked(address, "SELECT prediction FROM scores") == [("[0.25, 0.75]",)]


def test_a_table_of_somebody_s_own(address: str) -> None:
    """One that has the columns is written to, with defaults of its own; one that lacks some is refused, and no row of it is touched."""
    asked(
        address,
        "CREATE TABLE scores (customer_id TEXT, since DATE, prediction DOUBLE PRECISION, decision TEXT, model_version BIGINT, "
        "as_of TEXT, scored_part TEXT, noted TEXT DEFAULT 'by night' NOT NULL)",
    )
    assert keep(tables(address), "a.parquet", part())
    assert asked(address, "SELECT DISTINCT noted FROM scores") == [("by night",)]
    other = tables(address, "sql://warehouse/others")
    asked(address, "CREATE TABLE others (customer_id BIGINT, prediction TEXT, owner TEXT NOT NULL)")
    with pytest.raises(errors.Misconfigured) as refused:
        keep(other, "a.parquet", part())
    said = str(refused.value)
    for words in (
        "has no column 'scored_part'",
        "its column 'customer_id' is BIGINT",
        "its column 'owner' may not be null",
    ):
        assert words in said
    assert asked(address, "SELECT count(*) FROM others") == [(0,)]
    asked(address, "CREATE UNIQUE INDEX once ON scores (customer_id)")
    with pytest.raises(errors.Misconfigured, match="the table scores refuses a row"):
        keep(tables(address), "b.parquet", part())
    assert tables(address).version("b.parquet") is None
    assert other.version("a.parquet") is None


KILLED = """
import os, signal, sys
from pathlib import Path
from argosy.adapters import sql_tables
noted = sql_tables.SqlTables._insert
def killed(self, connection, name, draft):
    noted(self, connection, name, draft)
    os.kill(os.getpid(), signal.SIGKILL)
sql_tables.SqlTables._insert = killed
files = sql_tables.SqlTables(sys.argv[1], "--out", {sys.argv[2]: sys.argv[3]})
files.keep("a.parquet", Path(sys.argv[4]), None)
"""


def test_killed_between_write_and_commit_it_is_written_once(address: str, tmp_path: Path) -> None:
    """Nothing is seen of the first attempt; the second writes each row once."""
    pq.write_table(part(), tmp_path / "a.parquet")
    words = [sys.executable, "-c", KILLED, PLACE, VARIABLE, address, str(tmp_path / "a.parquet")]
    assert subprocess.run(words, check=False, env=dict(os.environ)).returncode == -signal.SIGKILL
    files = tables(address)
    assert files.version("a.parquet") is None
    assert asked(address, "SELECT count(*) FROM scores") == [(0,)]
    assert keep(files, "a.parquet", part())
    assert asked(address, "SELECT count(*) FROM scores") == [(3,)]


def test_two_at_once_write_one(address: str) -> None:
    """Both find nothing there; one of them keeps its rows, and the other is told."""
    found: list[bool] = []
    both = threading.Barrier(2)

    def write() -> None:
        both.wait()
        found.append(keep(tables(address), "a.parquet", part()))

    threads = [threading.Thread(target=write) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == [False, True]
    assert asked(address, "SELECT count(*) FROM scores") == [(3,)]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param("", "ARGOSY_SOURCE_WAREHOUSE is empty", id="nothing"),
        pytest.param("warehouse", "holds no address of a database", id="no-address"),
        pytest.param("sqlite:////nowhere/at/all.db", "unable to open database file", id="no-folder"),
        pytest.param("nosuch://a:secret@b/c", "driver of a nosuch is not installed", id="no-driver"),
    ],
)
def test_an_address_that_leads_nowhere(address: str, said: str) -> None:
    """One line, with the variable's name and without the password."""
    with pytest.raises(errors.Misconfigured) as refused:
        tables(address).version("a.parquet")
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_server_that_is_down_is_asked_again() -> None:
    """It may be back in a moment; the password is not told."""
    with pytest.raises(errors.TryAgain) as failed:
        tables("postgresql://argosy:secret@127.0.0.1:1/db").version("a.parquet")
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    "place", ["sql://warehouse", "sql://Ware/t", "sql://warehouse/a;drop", "sql://u:p@h/t", "sql://w/a.b.c"]
)
def test_what_is_no_place_in_a_database(place: str) -> None:
    """No address, and nothing but names, is part of one."""
    assert table_places.in_database(place) is None
    with pytest.raises(errors.Misconfigured, match="expected sql://<name>/<table>"):
        SqlTables(place, "--out", {})


def test_columns_that_no_database_has() -> None:
    """A struct is refused by its name."""
    with pytest.raises(errors.Misconfigured, match="the column 'x' is struct"):
        sql_tables._kind(pa.field("x", pa.struct([("a", pa.int64())])), "here")
