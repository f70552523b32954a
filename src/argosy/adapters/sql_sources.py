"""Reads sources out of databases through SQLAlchemy: PostgreSQL, SQLite, MySQL, and whatever else has a driver installed.

All sources of one database are read in one transaction that sees one state of it and may write nothing, in batches, so that memory stays
flat. Values are kept as text, exactly as the database has them (a decimal keeps its digits, a large id its last one); what they mean is the
contract's word, as with a file. What a driver says when it fails ends here, without the address.
"""

import contextlib
import datetime
import decimal
import math
import re
import socket
import uuid
import zoneinfo
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy
from sqlalchemy import Connection, CursorResult, NullPool, exc, text

from argosy import errors, network, sql_addresses
from argosy.domain import epoch, source_addresses, watermarks
from argosy.domain.data import ReachedPlace, SourceReading
from argosy.domain.source_settings import EPOCHS, Column, Source, SqlQuery
from argosy.ports.source_reader import NOTHING, Fetched, TableOutline

FAULTS_OF_QUERIES = (exc.DataError, exc.NotSupportedError, exc.ProgrammingError)
FIRST_ROWS = 10
"""Of a query, whose size tells how many rows the next batch may have."""
BATCH_ROWS = 5_000
BATCH_BYTES = 16 * 2**20
"""Of values as text, from which on a batch is written although it has fewer rows."""
LONGEST_VALUE = 2**24
"""Characters of one value. A longer one is a document, and no column of a table that a model learns from."""
CONNECT_SECONDS = 20
KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 6}
"""Seconds of silence until a connection asks whether the other end is there, seconds between questions, questions without an answer."""
NO_VALUES = (sqlalchemy.LargeBinary, sqlalchemy.JSON, sqlalchemy.ARRAY)
"""Types of columns whose values are no type of a contract."""
DAY = datetime.timedelta(days=1)
DATE_FIRST = re.compile(r"\d{4}-\d{2}-\d{2}")
"""How a time begins as text whose order is that of time."""

PACKAGES = {
    "bigquery": "sqlalchemy-bigquery",
    "mariadb": "pymysql",
    "mysql": "pymysql",
    "mssql": "pyodbc",
    "oracle": "oracledb",
    "postgresql": "psycopg",
    "snowflake": "snowflake-sqlalchemy",
}
"""Where the driver of a kind of address comes from."""
MYSQL = ("mysql", "mariadb")
ISOLATED = dict.fromkeys(("postgresql", *MYSQL), "REPEATABLE READ")
POSITION = {
    "postgresql": "SELECT now()::text AS time, pg_current_snapshot()::text AS snapshot, CASE WHEN pg_is_in_recovery() "
    "THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text AS lsn, current_setting('server_version') AS version",
    **dict.fromkeys(MYSQL, "SELECT CAST(NOW(6) AS CHAR) AS time, VERSION() AS version"),
    "sqlite": "SELECT sqlite_version() AS version",
}
"""What a server is asked about the state that it answers from."""
SOMEBODY_HAS_TO_ACT = (
    *("authentication failed", "does not exist", "pg_hba.conf", "no password supplied", "permission denied"),
    *("syntax error", "no such table", "no such column", "unable to open database file", "not a database"),
    *(
        "Access denied",
        "Unknown database",
        "Unknown column",
        "doesn't exist",
        "error in your SQL syntax",
        "read-only transaction",
        "READ ONLY transaction",
    ),
    *("readonly database", "malformed"),
)
"""Words of refusals that come again until somebody does something. Of a connection that was refused there is only the text."""


class SqlSources:
    """Sources in the databases at *addresses*, by the variable that holds each; see :class:`argosy.ports.source_reader.Database`."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = addresses

    def fetch(
        self, sources: Sequence[Source], into: Path, since: Mapping[str, ReachedPlace] = NOTHING
    ) -> Mapping[str, Fetched]:
        """See the port."""
        found: dict[str, Fetched] = {}
        asked = [(source, source.sql) for source in sources if source.sql is not None]
        for secret in dict.fromkeys(query.secret for _, query in asked):
            mine = [(source, query) for source, query in asked if query.secret == secret]
            found |= self._of_database(source_addresses.variable(secret), mine, into, since)
        return found

    def tables(self, secret: str) -> Sequence[str]:
        """See the port. Of the schema that a name without one is of; one of another schema is named with it."""
        with self._asked(secret) as (connection, _):
            found = sqlalchemy.inspect(connection)
            return sorted({*found.get_table_names(), *found.get_view_names()})

    def outline(self, secret: str, table: str) -> TableOutline:
        """See the port."""
        schema, _, name = table.rpartition(".")
        with self._asked(secret) as (connection, place):
            found = sqlalchemy.inspect(connection)
            try:
                columns = {column["name"]: column["type"] for column in found.get_columns(name, schema or None)}
            except exc.NoSuchTableError:
                raise errors.Misconfigured(f"{place} has no table {table!r}") from None
            key = found.get_pk_constraint(name, schema or None)["constrained_columns"]
            quote = connection.dialect.identifier_preparer.quote
            others = {column: str(kind) for column, kind in columns.items() if isinstance(kind, NO_VALUES)}
            kept = tuple(column for column in columns if column not in others)
            quoted_table = ".".join(quote(part) for part in (schema, name) if part)
            return TableOutline(
                kept,
                others,
                key[0] if len(key) == 1 else None,
                {column: quote(column) for column in kept},
                quoted_table,
            )

    @contextlib.contextmanager
    def _asked(self, secret: str) -> Iterator[tuple[Connection, "_Place"]]:
        url = self._url(variable := source_addresses.variable(secret))
        place = _Place(variable, url)
        with place.failures(), _transaction(url) as connection:
            # What is asked for an outline has parameters.
            yield connection.execution_options(no_parameters=False), place

    def _of_database(
        self, variable: str, asked: Sequence[tuple[Source, SqlQuery]], into: Path, since: Mapping[str, ReachedPlace]
    ) -> dict[str, Fetched]:
        url = self._url(variable)
        place = _Place(variable, url)
        with place.failures(), _transaction(url) as connection:
            position = _position(connection, url.get_backend_name())
            return {
                source.name: _fetched(connection, place, source, query, into, position, since.get(source.name))
                for source, query in asked
            }

    def _url(self, variable: str) -> sqlalchemy.URL:
        address = self._addresses.get(variable)
        if not address:
            raise errors.Misconfigured(
                f"{variable} is empty, and a source is read from there: set it to the database's address, such as "
                "postgresql://<user>:<password>@<host>/<database> (on a cluster: in the Secret argosy-data)"
            )
        return sql_addresses.parsed(address, variable)


class _Place:
    """A database as messages and lineage name it, and what its failures mean."""

    def __init__(self, variable: str, url: sqlalchemy.URL) -> None:
        self._variable = variable
        self._url = url
        self.source = ""
        """The source that is being read."""

    def __str__(self) -> str:
        """The address without user, password and options."""
        port = f":{self._url.port}" if self._url.port else ""
        return f"{self._url.get_backend_name()}://{self._url.host or ''}{port}/{self._url.database or ''}"

    @contextlib.contextmanager
    def failures(self) -> Iterator[None]:
        """Turn what drivers raise into what Argosy says."""
        try:
            yield
        except (exc.NoSuchModuleError, ImportError) as error:
            raise self._lacking(error) from None
        except exc.ArgumentError as error:
            raise errors.Misconfigured(f"{self._variable}: {self._plain(error)}") from None
        except exc.SQLAlchemyError as error:
            raise self._failure(error) from None
        except OSError as error:
            if errors.is_disk_full(error):
                raise errors.LocalDisk(
                    f"{self._read()}: there is no room for its rows on this machine; free some, read less with `query`, or raise the "
                    "step's storage, and try again"
                ) from None
            raise errors.TryAgain(f"{self._read()}: {self._plain(error)}") from None

    def _read(self) -> str:
        return f"source {self.source!r} cannot be read from {self}" if self.source else f"{self} cannot be read"

    def _lacking(self, error: Exception) -> errors.Misconfigured:
        kind = self._url.get_backend_name()
        package = PACKAGES.get(kind, f"the SQLAlchemy dialect of {kind}")
        return errors.Misconfigured(
            f"{self._variable} is the address of a {kind}, whose driver is not installed here ({errors.first_line(error)}): "
            f"install {package} beside Argosy; in a pod, in an image of your own for the family data (images/images.lock)"
        )

    def _failure(self, error: exc.SQLAlchemyError) -> errors.ArgosyError:
        said = self._plain(sql_addresses.cause(error))
        if fault := network.explained(str(self), said):
            return fault
        if any(words in said for words in SOMEBODY_HAS_TO_ACT) or isinstance(error, FAULTS_OF_QUERIES):
            where = f"`sql` of the source, or {self._variable}" if self.source else self._variable
            return errors.Misconfigured(f"{self._read()}: {said}; mend {where}")
        return errors.TryAgain(f"{self._read()}: {said}; nothing of it was kept, and it is read anew")

    def _plain(self, error: BaseException) -> str:
        return sql_addresses.said(error, self._url)


@contextlib.contextmanager
def _transaction(url: sqlalchemy.URL) -> Iterator[Connection]:
    """A transaction that sees one state of the database, and cannot change it where the database knows how to refuse that."""
    kind = url.get_backend_name()
    options: dict[str, Any] = {"isolation_level": ISOLATED[kind]} if kind in ISOLATED else {}
    if kind == "sqlite":
        engine = sqlalchemy.create_engine("sqlite+pysqlite://", creator=_sqlite(url), poolclass=NullPool)
    else:
        engine = sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=_patience(url), **options)
    if url.drivername.endswith("+pymysql"):
        sqlalchemy.event.listen(engine, "do_connect", _signed_in)
        sqlalchemy.event.listen(engine, "connect", _lasting)
    with engine.connect() as connection:
        if kind == "postgresql":
            connection.execute(text("SET TRANSACTION READ ONLY"))
            connection.execute(text("SET LOCAL TimeZone = 'UTC'"))
        if kind in MYSQL:
            _begin_mysql(connection)
        if kind == "sqlite":
            # Python's driver begins no transaction for what only reads, and each statement would see a state of its own.
            connection.exec_driver_sql("BEGIN")
        # Without parameters a driver leaves a percent sign of the query alone.
        yield connection.execution_options(stream_results=True, max_row_buffer=BATCH_ROWS, no_parameters=True)
        connection.rollback()


def _begin_mysql(connection: Connection) -> None:
    connection.exec_driver_sql("SET SESSION time_zone = '+00:00', NAMES utf8mb4")
    # Of the session, too: a definition ends the transaction by itself, and MariaDB then carries it out.
    connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
    # Otherwise the state is that of the first table that is read, and tables of engines without transactions have none.
    connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")


def _sqlite(url: sqlalchemy.URL) -> Callable[[], Any]:
    import sqlite3  # noqa: PLC0415 - with a database of another kind it is not needed

    file = Path(url.database or "")
    if not file.is_file():
        raise errors.Misconfigured(f"there is no SQLite file {file}, which the source's address names")
    return lambda: sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=CONNECT_SECONDS)


def _patience(url: sqlalchemy.URL) -> dict[str, Any]:
    if url.get_backend_name() == "postgresql":
        # A server that is gone without a word is noticed after a minute and a half.
        return {
            "connect_timeout": CONNECT_SECONDS,
            "keepalives_idle": KEEPALIVE["TCP_KEEPIDLE"],
            "keepalives_interval": KEEPALIVE["TCP_KEEPINTVL"],
            "keepalives_count": KEEPALIVE["TCP_KEEPCNT"],
        }
    # Of the greeting; what comes after it may take a server longer (_lasting).
    patience = {"connect_timeout": CONNECT_SECONDS, "read_timeout": CONNECT_SECONDS}
    return patience if url.drivername.endswith("+pymysql") else {}


def _signed_in(dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
    """A connection of PyMySQL, which raises a RuntimeError where a way of signing in needs a package that is not there."""
    try:
        return dialect.connect(*arguments, **options)
    except RuntimeError as error:
        raise errors.Misconfigured(
            f"the server at {options['host']} asks for a way of signing in that needs more ({errors.first_line(error)}): install that "
            "beside Argosy; in a pod, in an image of your own for the family data (images/images.lock)"
        ) from None


def _lasting(connection: Any, _record: Any) -> None:
    """Let the server take its time over a query: a minute without a byte is no fault; a server that is gone without a word is, and the
    system's own questions tell. PyMySQL has one patience for greeting and answers, and no other way to change it."""
    connection._read_timeout = None  # noqa: SLF001
    for name, value in KEEPALIVE.items():
        if connection.unix_socket is None and (option := getattr(socket, name, None)) is not None:
            connection._sock.setsockopt(socket.IPPROTO_TCP, option, value)  # noqa: SLF001 - as above


def _position(connection: Connection, kind: str) -> dict[str, str]:
    asked = POSITION.get(kind)
    if asked is None:
        return {}
    row = connection.exec_driver_sql(asked).mappings().one()
    return {name: str(value) for name, value in row.items() if value is not None}


def _fetched(
    connection: Connection,
    place: _Place,
    source: Source,
    query: SqlQuery,
    into: Path,
    position: dict[str, str],
    since: ReachedPlace | None,
) -> Fetched:
    place.source = source.name
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    asked, unread = _asked(connection, source, query), None
    wanted = None if since is None else _not_settled(connection, source, asked, since)
    if wanted is not None:
        rows = f"FROM ({asked}\n) AS argosy_rows WHERE"
        (unread,) = connection.exec_driver_sql(f"SELECT count(*) {rows} NOT ({wanted})").one()
        asked = f"SELECT * {rows} {wanted}"
    file = into / source.file_name
    partial = file.with_name(f".{file.name}.partial")
    with connection.exec_driver_sql(asked) as result:
        _write(result, source, partial)
    partial.rename(file)
    reading = SourceReading(asked=asked, at=at, position=position)
    return Fetched(file, str(place), reading, since=since if wanted is not None else None, unread=unread)


def _asked(connection: Connection, source: Source, query: SqlQuery) -> str:
    """The query as it is sent."""
    if query.query is not None:
        return query.query.strip().rstrip(";")
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(column.name) for column in source.columns)
    table = ".".join(quote(part) for part in (query.table or "").split("."))
    return f"SELECT {columns} FROM {table}"  # noqa: S608 - names, quoted as this database wants them


def _not_settled(connection: Connection, source: Source, asked: str, since: ReachedPlace) -> str | None:
    """The condition on the rows of *asked* that all which are not settled satisfy, and few more; None where none can be told.

    What the database holds in that column says how it is compared there: the type of the contract is only what becomes of it.
    """
    column = watermarks.column(source)
    if column is None or since.settled is None:
        return None
    quoted = connection.dialect.identifier_preparer.quote(column.name)
    (newest,) = connection.exec_driver_sql(f"SELECT max({quoted}) FROM ({asked}\n) AS argosy_rows").one()  # noqa: S608
    bound = _bound(source, column, since.settled, newest)
    return None if bound is None else f"({quoted} >= {bound} OR {quoted} IS NULL)"


def _bound(source: Source, column: Column, settled: int, like: Any) -> str | None:
    """*settled*, or a little before it, in SQL, as a value of the kind that *like* is; None where there is no such value."""
    if isinstance(like, int | float | decimal.Decimal) and not isinstance(like, bool):
        return str(settled // EPOCHS.get(column.format or "", 1))
    if column.type == "integer":
        # As text 10 comes before 9.
        raise _unordered(source, column, like)
    try:
        moment = epoch.moment(settled)
        match like:
            case datetime.datetime() if like.tzinfo is not None:
                return f"'{moment.isoformat(sep=' ')}'"
            case datetime.datetime():
                # By a clock of the wall, whose hours come twice or never where it is set back or forth.
                return f"'{(moment - DAY).astimezone(zoneinfo.ZoneInfo(column.timezone or 'UTC')).replace(tzinfo=None).isoformat(sep=' ')}'"
            case datetime.date():
                return f"'{(moment - 2 * DAY).date().isoformat()}'"
            case str() if DATE_FIRST.match(like):
                # Offsets are behind the date, and move it by less than a day.
                return f"'{(moment - 2 * DAY).date().isoformat()}'"
            case None:
                return None
            case _:
                raise _unordered(source, column, like)
    except OverflowError:
        return None


def _unordered(source: Source, column: Column, like: Any) -> errors.Misconfigured:
    return errors.Misconfigured(
        f"source {source.name!r}: `watermark.column`: {column.name!r} is a {type(like).__name__} in the database, where its order is not "
        f"that of {'numbers' if column.type == 'integer' else 'time'}: cast it in the query, or name another column"
    )


def _write(result: CursorResult[Any], source: Source, file: Path) -> None:
    if not result.returns_rows:
        raise errors.Misconfigured(f"source {source.name!r}: `query` answers no rows: it is to be one SELECT")
    names = list(result.keys())
    # Names that are there twice stay, for whoever reads the contract to refuse.
    schema = pa.schema([pa.field(name, pa.string()) for name in names])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in _batches(result, source, names):
            writer.write_batch(pa.RecordBatch.from_arrays(batch, schema=schema))


def _batches(result: CursorResult[Any], source: Source, names: Sequence[str]) -> Iterator[list[pa.Array]]:
    rows, plain = FIRST_ROWS, _of_mysql(result)
    while chunk := result.fetchmany(rows):
        by_column = zip(names, zip(*chunk, strict=True), plain or [None] * len(names), strict=True)
        columns = [
            _texts(source, name, [None if value is None else means(value) for value in values] if means else values)
            for name, values, means in by_column
        ]
        yield columns
        size = sum(column.nbytes for column in columns)
        # Rows with large values come in smaller batches.
        rows = max(1, min(BATCH_ROWS, int(len(chunk) * BATCH_BYTES / max(size, 1))))


def _of_mysql(result: CursorResult[Any]) -> list[Callable[[Any], Any] | None]:
    """By column what makes a value of a number of bits, or of a time of day, out of the driver's; none of another driver."""
    if result.dialect.name not in MYSQL or result.cursor is None or result.dialect.driver != "pymysql":
        return []
    described: Sequence[Any] = result.cursor.description  # whose types are each driver's own
    return [MYSQL_VALUES.get(each[1]) for each in described]


def _duration(value: Any) -> str:
    """A TIME of MySQL, which is up to 838 hours in either direction, as MySQL writes it."""
    if not isinstance(value, datetime.timedelta):
        return str(value)
    sign, rest = ("-", -value) if value < datetime.timedelta() else ("", value)
    minutes, seconds = divmod(rest.days * 86_400 + rest.seconds, 60)
    fraction = f".{rest.microseconds:06}" if rest.microseconds else ""
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}"


MYSQL_VALUES: Mapping[int, Callable[[Any], Any]] = {16: lambda bits: int.from_bytes(bits, "big"), 11: _duration}
"""By the protocol's number of a type: BIT and TIME."""


def _texts(source: Source, name: str, values: Sequence[Any]) -> pa.Array:
    texts = [None if value is None else value if type(value) is str else _text(source, name, value) for value in values]
    if longest := next((value for value in texts if value is not None and len(value) > LONGEST_VALUE), None):
        raise errors.Rejected(
            f"source {source.name!r}: a value of column {name!r} has {len(longest):,} characters, more than the {LONGEST_VALUE:,} that one "
            "may have; leave the column out of the query, or cut it there"
        )
    return pa.array(texts, pa.string())


def _text(source: Source, name: str, value: Any) -> str | None:
    """The text of *value*, as a contract's types are read from one; None for what is no number."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return None if math.isnan(value) else repr(value)
        case decimal.Decimal():
            return None if value.is_nan() else format(value, "f")
        case datetime.datetime():
            return value.isoformat(sep=" ")
        case int() | str() | datetime.date() | datetime.time() | uuid.UUID():
            return str(value)
        case _:
            raise errors.Rejected(
                f"source {source.name!r}: column {name!r} holds values of the kind {type(value).__name__}, which no type of a contract is; "
                "cast it in the query, or leave it out"
            )
