"""Rows of MariaDB as sources, with a real server: its own types, one state of the database, nothing that reading could change."""

import datetime
import gc
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pymysql
import pytest

from argosy import errors, sql_addresses
from argosy.adapters import sql_sources
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.adapters.sql_sources import SqlSources
from argosy.domain.data import ReachedPlace
from argosy.domain.source_settings import Source
from argosy.ports.source_reader import Fetched
from kit.databases import Database, mariadb_server

ODD = (
    "CREATE TABLE odd (id bigint unsigned PRIMARY KEY, amount decimal(30,4), flag tinyint(1), bits bit(10), one bit(1), took time(3), "
    "at datetime(6), stamp timestamp NULL, day date, born year, kind enum('a','b'), tags set('x','y'), word varchar(20)) "
    "CHARACTER SET utf8mb4"
)
ROW = (
    "INSERT INTO odd VALUES (18446744073709551615, 12345678901234567890.1200, 1, b'1000000001', b'1', '-838:59:58.5', "
    "'2024-03-31 02:30:00.000001', '2024-03-31 02:30:00', '2024-02-29', 2024, 'b', 'x,y', 'Zoë 🙂')"
)

HOURS = (
    "CREATE TABLE hours AS SELECT seq AS number, CAST(seq AS decimal(20,0)) AS counted, CAST(hour AS datetime(6)) AS at, hour AS stamp, "
    "CAST(hour AS date) AS day, date_format(hour, '%Y-%m-%dT%TZ') AS word "
    "FROM (SELECT seq, TIMESTAMP('2024-01-01') + INTERVAL seq HOUR AS hour FROM seq_1_to_1000) AS hours_of_weeks"
)

# PyMySQL's cursor of a session that is gone fails when it is collected.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module", autouse=True)
def cursors_of_this_module() -> Iterator[None]:
    """None of them is left for the tests of others."""
    yield
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "unraisablehook", lambda _: None)
        gc.collect()


def source(types: dict[str, str], watermark: dict[str, Any] | None = None, **sql: Any) -> Source:
    """A source of nullable columns by name and type; the first is the key."""
    columns = [
        {"name": name, "type": kind, "meaning": "Something.", "nullable": True}
        | ({"timezone": "UTC"} if kind == "timestamp" else {})
        | ({"means_true": ["1"], "means_false": ["0"]} if kind == "boolean" else {})
        for name, kind in types.items()
    ]
    return Source.model_validate(
        {
            "name": sql.pop("name", "rows"),
            "sql": {"secret": "shop", **sql},
            "entity": [next(iter(types))],
            "observed_at": "2020-01-01T00:00:00Z",
            "columns": columns,
            "watermark": watermark,
        }
    )


@pytest.fixture(scope="module")
def mariadb() -> Iterator[Database]:
    """A server with a table of odd values and one of many rows, whose clock is not that of UTC."""
    with mariadb_server() as database:
        with connected(database) as connection, connection.cursor() as cursor:
            cursor.execute("SET GLOBAL time_zone = '+05:30'")
            cursor.execute("SET time_zone = '+00:00', sql_mode = ''")
            for statement in (ODD, ROW, "INSERT INTO odd (id, day, at) VALUES (1, '0000-00-00', '0000-00-00')"):
                cursor.execute(statement)
            cursor.execute("CREATE TABLE many AS SELECT seq AS id, repeat('x', 200) AS word FROM seq_1_to_20000")
            cursor.execute("CREATE TABLE shapes (id int, area geometry, raw varbinary(4))")
            cursor.execute("INSERT INTO shapes VALUES (1, POINT(1, 2), 'ab')")
            cursor.execute(HOURS)
            cursor.execute(
                "ALTER TABLE hours MODIFY number bigint unsigned, MODIFY counted decimal(20,0) NULL, MODIFY stamp timestamp NULL"
            )
            cursor.execute("INSERT INTO hours (number) VALUES (NULL)")
            connection.commit()
        yield database


def connected(database: Database) -> "pymysql.connections.Connection[Any]":
    """A connection of somebody else."""
    port = int(database.uri.rpartition(":")[2].partition("/")[0])
    return pymysql.connect(host="127.0.0.1", port=port, user="argosy", password="sesame", database="test")


def fetch(database: Database, asked: Source, into: Path) -> Fetched:
    return SqlSources({"ARGOSY_SOURCE_SHOP": database.uri}).fetch([asked], into)["rows"]


def rows(found: Fetched, asked: Source, into: Path) -> list[dict[str, Any]]:
    """The rows of the snapshot."""
    DuckDBTables().snapshot(asked, [], found.file, kept=into / "kept.parquet", rejected=into / "rejected.parquet")
    return pq.read_table(into / "kept.parquet").to_pylist()


def test_values_are_those_of_the_database(mariadb: Database, tmp_path: Path) -> None:
    """An unsigned id and a decimal keep their digits, bits are a number, a time of day is MySQL's text, a moment is that of UTC."""
    kinds = {
        "id": "string", "amount": "string", "flag": "boolean", "bits": "integer", "one": "boolean", "took": "string", "at": "timestamp",
        "stamp": "timestamp", "day": "timestamp", "born": "integer", "kind": "string", "tags": "string", "word": "string",
    }  # fmt: skip
    asked = source(kinds, query=f"SELECT {', '.join(kinds)} FROM odd WHERE id > 1")  # noqa: S608 - names of this test
    found = fetch(mariadb, asked, tmp_path)
    (row,) = rows(found, asked, tmp_path)
    assert (row["id"], row["amount"]) == ("18446744073709551615", "12345678901234567890.1200")
    assert (row["flag"], row["one"], row["bits"], row["took"]) == (True, True, 513, "-838:59:58.500000")
    assert [str(row[name]) for name in ("at", "stamp", "day")] == [
        "2024-03-31 02:30:00.000001+00:00", "2024-03-31 02:30:00+00:00", "2024-02-29 00:00:00+00:00",
    ]  # fmt: skip
    assert (row["born"], row["kind"], row["tags"], row["word"]) == (2024, "b", "x,y", "Zoë 🙂")
    assert found.reading is not None
    assert set(found.reading.position) == {"time", "version"}
    assert "sesame" not in found.location


@pytest.mark.parametrize("column", ["number", "counted", "at", "stamp", "day", "word"])
def test_only_what_is_not_settled_is_read(mariadb: Database, tmp_path: Path, column: str) -> None:
    """By a number, a decimal, a moment, a date and a text: all rows of the last hundred hours, few more, those without a value; the
    server counts the others."""
    kind = "integer" if column in ("number", "counted") else "timestamp"
    end = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(hours=900)
    settled = 900 if kind == "integer" else int(end.timestamp() * 1e6)
    asked = source(
        {"number": "integer", column: kind}, {"column": column, "lateness": 10 if kind == "integer" else "1d"}, table="hours"
    )  # fmt: skip
    reached = {"rows": ReachedPlace(contract="-", settled=settled)}
    found = SqlSources({"ARGOSY_SOURCE_SHOP": mariadb.uri}).fetch([asked], tmp_path, reached)["rows"]
    numbers = {each["number"] for each in pq.read_table(found.file).to_pylist()}
    assert {None, *map(str, range(900, 1001))} <= numbers
    assert found.since is not None
    assert found.unread == 1001 - len(numbers) >= 830


def test_what_cannot_be_read_is_said_by_column(mariadb: Database, tmp_path: Path) -> None:
    """A date that is none, an id beyond 64 bits, bytes and shapes: each in one line that says what to write."""
    asked = source({"id": "integer", "day": "timestamp"}, table="odd")
    with pytest.raises(
        errors.Rejected, match=r"column 'day'.* it says '0000-00-00'; that is MySQL's date for none: .*nullif"
    ) as told:
        rows(fetch(mariadb, asked, tmp_path), asked, tmp_path)
    assert "column 'id'" in str(told.value)
    for column in ("area", "raw"):
        with pytest.raises(
            errors.Rejected, match=f"column '{column}' holds values of the kind bytes.*cast it in the query"
        ):
            fetch(mariadb, source({"id": "integer", column: "string"}, table="shapes"), tmp_path)


def test_sources_are_of_one_state_which_reading_cannot_change(
    mariadb: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others commit after the first source is in none; a statement that would write is refused by the server."""
    first, second = (source({"id": "integer"}, query="SELECT id FROM many", name=name) for name in ("first", "second"))
    rename = Path.rename

    def committed_in_between(self: Path, target: Path) -> Path:
        if target.name == "first.parquet":
            with connected(mariadb) as other, other.cursor() as cursor:
                cursor.execute("INSERT INTO many VALUES (0, '')")
                other.commit()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", committed_in_between)
    found = SqlSources({"ARGOSY_SOURCE_SHOP": mariadb.uri}).fetch([first, second], tmp_path)
    assert [pq.read_metadata(found[name].file).num_rows for name in ("first", "second")] == [20000, 20000]
    for query in ("DELETE FROM many", "CREATE TABLE other (id int)", "SELECT 1; DROP TABLE many"):
        with pytest.raises(errors.Misconfigured, match="mend `sql` of the source"):
            fetch(mariadb, source({"id": "integer"}, query=query), tmp_path)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the driver's own end of a session that is gone
def test_a_connection_that_breaks_off_leaves_nothing(
    mariadb: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the session between two batches: to be tried again, and no file of that source is there."""
    batches: list[int] = []
    write = pq.ParquetWriter.write_batch

    def ended(self: Any, batch: Any) -> None:
        batches.append(batch.num_rows)
        if len(batches) == 2:
            with connected(mariadb) as other, other.cursor() as cursor:
                cursor.execute(
                    "SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND user = 'argosy'"
                )
                for (session,) in cursor.fetchall():
                    cursor.execute(f"KILL {session}")
        write(self, batch)

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", ended)
    # More than the buffers between the two hold.
    query = "SELECT seq AS id, repeat('x', 2000) AS word FROM seq_1_to_40000"
    with pytest.raises(errors.TryAgain, match="read anew"):
        fetch(mariadb, source({"id": "integer", "word": "string"}, query=query), tmp_path)
    assert not (tmp_path / "rows.parquet").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(("sesame", "wrong"), "Access denied.*mend ARGOSY_SOURCE_SHOP", id="password"),
        pytest.param(("/test", "/nowhere"), "(Access denied|Unknown database).*mend ARGOSY_SOURCE_SHOP", id="database"),
    ],
)
def test_an_address_that_leads_nowhere(mariadb: Database, tmp_path: Path, change: tuple[str, str], told: str) -> None:
    """Said by the variable that holds it, without its password."""
    uri = mariadb.uri.replace(*change)
    with pytest.raises(errors.Misconfigured, match=told) as raised:
        SqlSources({"ARGOSY_SOURCE_SHOP": uri}).fetch([source({"id": "integer"}, table="odd")], tmp_path)
    assert "sesame" not in str(raised.value)


def test_a_query_may_take_its_time(mariadb: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may calculate longer than it may take to greet; whether it is there at all is asked in between."""
    monkeypatch.setattr(sql_sources, "CONNECT_SECONDS", 0.3)
    assert fetch(mariadb, source({"id": "integer"}, query="SELECT sleep(0.6) AS id"), tmp_path).file.exists()
    with sql_sources._transaction(sql_addresses.parsed(mariadb.uri, "-")) as connection:
        driver: Any = connection.connection.dbapi_connection
        assert driver._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"mysql://argosy@127.0.0.1:{silent.getsockname()[1]}/test"
        with pytest.raises(errors.TryAgain, match="timed out"):
            SqlSources({"ARGOSY_SOURCE_SHOP": uri}).fetch([source({"id": "integer"}, table="odd")], tmp_path)


def test_a_way_of_signing_in_that_needs_a_package(
    mariadb: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MariaDB's ed25519 without the package that signs: said by its name, once, and nothing is tried again."""
    with pymysql.connect(unix_socket=f"{mariadb.folder}/socket", user="root") as root, root.cursor() as cursor:
        cursor.execute("INSTALL SONAME 'auth_ed25519'")
        cursor.execute("CREATE USER signer@'127.0.0.1' IDENTIFIED VIA ed25519 USING PASSWORD('sesame')")
    monkeypatch.setitem(sys.modules, "nacl", None)
    uri = mariadb.uri.replace("argosy:", "signer:")
    with pytest.raises(errors.Misconfigured, match=r"'pynacl' package is required.*install that beside Argosy"):
        SqlSources({"ARGOSY_SOURCE_SHOP": uri}).fetch([source({"id": "integer"}, table="odd")], tmp_path)
