"""Results of scoring as rows of a database: PostgreSQL, SQLite, and whatever else SQLAlchemy has a driver for.

A file of results that is kept becomes rows of one table, and a row of a ledger beside it, in one transaction: a part that is killed before
the commit is not there, one that is killed after it is not written again. The ledger has what the file said of itself without its rows
(columns, metadata), small files as they are, and stands for the files of the port. Values are the file's, in columns of the kind that the
database has for them; a table that is there is written to as it is, or refused by its columns, before a row of it is touched.
"""

import contextlib
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy
from sqlalchemy import Column, Connection, MetaData, NullPool, Table, delete, exc, insert, select, types

from argosy import errors, network, scratch, sql_addresses
from argosy.domain import source_addresses, table_places

BATCH_ROWS = 5_000
ATTEMPTS = 5
PATIENCE = 30
"""Seconds that one writer of an SQLite file waits for another, and anybody for a connection."""
PART = "scored_part"
"""The column that says of which part a row is: the name of its file."""
FOLDER = re.compile(r"(?P<name>[a-z_][a-z0-9_]*)=(?P<value>[^/]*)")
"""A folder that is a column, as Hive has them; ``model_version`` says that of the version already."""
SAID = {"version"}
PARQUET = b"PAR1"
NUMBERS = (types.Numeric, types.Float)
SOMEBODY_HAS_TO_ACT = (
    *("authentication failed", "does not exist", "pg_hba.conf", "no password supplied", "permission denied"),
    *("readonly database", "unable to open database file", "not a database", "Access denied", "Unknown database"),
)
"""Words of refusals that come again until somebody does something."""


class SqlTables:
    """The results below one prefix of a table; see :class:`argosy.ports.table_files.TableFiles`."""

    def __init__(self, place: str, setting: str, addresses: Mapping[str, str]) -> None:
        """*place*: ``sql://<name>/<table>[/<prefix>]``; *addresses*: of databases, by variable.

        Raises Misconfigured, which names *setting*.
        """
        named = table_places.in_database(place)
        if named is None:
            raise errors.Misconfigured(
                f"{setting} is {place!r}; expected sql://<name>/<table>, the database's address in "
                f"{source_addresses.variable('<name>')}"
            )
        self._name, self._table, self._prefix = named
        self._setting = setting
        self._address = addresses.get(source_addresses.variable(self._name), "")
        self._there = False

    @property
    def uri(self) -> str:
        """See the port."""
        return "/".join(part for part in (f"sql://{self._name}/{self._table}", self._prefix) if part)

    def below(self, folder: str) -> "SqlTables":
        """See the port."""
        return SqlTables(f"{self.uri}/{folder}", self._setting, {source_addresses.variable(self._name): self._address})

    def names(self) -> list[str]:
        """See the port."""
        with self._transaction() as connection:
            ledger = self._ledger
            kept = connection.execute(select(ledger.c.name)).scalars().all()
        names = sorted(name.removeprefix(self._below) for name in kept if name.startswith(self._below))
        if not names:
            raise errors.Misconfigured(
                f"{self.uri}: there is no such place of results; tables to score are files, and rows of a database are none"
            )
        return names

    def version(self, name: str) -> str | None:
        """See the port."""
        with self._transaction() as connection:
            return self._version(connection, name)

    def fingerprint(self, name: str) -> str:
        """See the port."""
        version = self.version(name)
        if version is None:
            raise errors.TryAgain(f"{self.uri}: {name} is gone; begin again")
        return version

    def open(self, name: str, version: str | None) -> BinaryIO:
        """See the port. Of a file of rows: its columns and metadata, and no row."""
        with self._transaction() as connection:
            found = self._version(connection, name)
            content = self._content(connection, name)
        if content is None or (version is not None and found != version):
            raise errors.TryAgain(
                f"{self.uri}: {name} was changed since it was looked at; begin again, and what is done is left"
            )
        return io.BytesIO(content)

    @contextlib.contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        """See the port."""
        with scratch.folder("score") as place:
            yield place / Path(name).name

    def keep(self, name: str, draft: Path, over: str | None) -> bool:
        """See the port. Rows, and that they are there, in one transaction."""
        digest = _digest(draft)
        rows = _is_parquet(draft)
        content = _without_rows(draft) if rows else draft.read_bytes()
        if rows:
            self._make_room(name, draft)
        try:
            with self._transaction() as connection:
                if self._version(connection, name) != over:
                    return False
                self._forget(connection, name)
                self._note(connection, name, digest, content)  # first: who writes the same name waits here, or fails
                if rows:
                    self._insert(connection, name, draft)
        except exc.IntegrityError:
            return False  # somebody else was there between look and write
        return True

    def get(self, name: str) -> bytes | None:
        """See the port."""
        with self._transaction() as connection:
            return self._content(connection, name)

    def put(self, name: str, content: bytes) -> None:
        """See the port."""
        version = f"sha256:{hashlib.sha256(content).hexdigest()}"
        for _ in range(ATTEMPTS):
            with (
                contextlib.suppress(exc.IntegrityError),
                self._transaction() as connection,
            ):  # somebody else put it meanwhile
                self._forget(connection, name)
                self._note(connection, name, version, content)
                return
        raise errors.TryAgain(f"{self.uri}: {name} keeps changing under us; try again in a moment")

    def remove(self, name: str) -> None:
        """See the port. Its rows go with it."""
        with self._transaction() as connection:
            self._forget(connection, name)

    # The ledger

    @property
    def _below(self) -> str:
        return f"{self._prefix}/" if self._prefix else ""

    @property
    def _ledger(self) -> Table:
        schema, name = self._named("_ledger")
        return Table(
            name,
            MetaData(schema=schema),
            Column("name", types.String(512), primary_key=True),
            Column("version", types.String(80), nullable=False),
            Column("content", types.LargeBinary, nullable=False),
        )

    def _make(self, table: Table) -> None:
        """Make *table* where there is none. Where several begin at once, one makes it, and the others find it."""
        try:
            with self._connected() as connection:
                table.create(connection, checkfirst=True)
        except (exc.IntegrityError, errors.ArgosyError):
            with self._connected() as connection:
                if not sqlalchemy.inspect(connection).has_table(table.name, schema=table.schema):
                    raise

    def _named(self, suffix: str = "") -> tuple[str | None, str]:
        schema, _, name = self._table.rpartition(".")
        return schema or None, f"{name}{suffix}"

    def _version(self, connection: Connection, name: str) -> str | None:
        ledger = self._ledger
        asked = select(ledger.c.version).where(ledger.c.name == self._below + name)
        found: str | None = connection.execute(asked).scalar_one_or_none()
        return found

    def _content(self, connection: Connection, name: str) -> bytes | None:
        ledger = self._ledger
        found = connection.execute(
            select(ledger.c.content).where(ledger.c.name == self._below + name)
        ).scalar_one_or_none()
        return None if found is None else bytes(found)

    def _note(self, connection: Connection, name: str, version: str, content: bytes) -> None:
        ledger = self._ledger
        connection.execute(insert(ledger).values(name=self._below + name, version=version, content=content))

    def _forget(self, connection: Connection, name: str) -> None:
        """Take *name* out of the ledger, and its rows out of the table."""
        ledger = self._ledger
        gone = connection.execute(delete(ledger).where(ledger.c.name == self._below + name)).rowcount
        table = self._reflected(connection, name) if gone else None
        if table is not None and PART in table.c:
            connection.execute(delete(table).where(table.c[PART] == self._below + name))

    # The rows

    def _reflected(self, connection: Connection, name: str) -> Table | None:
        """The table of the rows of *name*, as the database has it; None where it has none."""
        schema, table = self._of_rows(name)
        if not sqlalchemy.inspect(connection).has_table(table, schema=schema):
            return None
        return Table(table, MetaData(schema=schema), autoload_with=connection, resolve_fks=False)

    def _of_rows(self, name: str) -> tuple[str | None, str]:
        """Rows that were refused have a table of their own, as they have a folder."""
        return self._named("_refused" if "_refused" in name.split("/") else "")

    def _make_room(self, name: str, draft: Path) -> None:
        """See that there is a table for the rows of *draft*, with the columns that they need. Raises Misconfigured."""
        columns = self._wanted(draft)
        schema, called = self._of_rows(name)
        with self._transaction() as connection:
            table = self._reflected(connection, name)
        if table is None:
            made = [Column(column, kind, index=column == PART) for column, kind in columns.items()]
            self._make(Table(called, MetaData(schema=schema), *made))
            with self._transaction() as connection:
                table = self._reflected(connection, name)
        if table is not None:
            self._refuse_other(table, columns)

    def _wanted(self, draft: Path) -> dict[str, Any]:
        """The columns of the rows of *draft*, and of what is said of each of them."""
        columns = _columns(pq.read_schema(draft), self.uri)
        if PART in columns:
            raise errors.Misconfigured(f"the column {PART!r} of the table is called like one of the results; rename it")
        return {**dict.fromkeys(self._values(), types.String(64)), **columns, PART: types.String(512)}

    def _insert(self, connection: Connection, name: str, draft: Path) -> None:
        table = self._reflected(connection, name)
        if table is None:
            raise errors.TryAgain(f"{self.uri}: its table went while it was written to; begin again")
        with pq.ParquetFile(draft) as file:
            folders = {key: value for key, value in self._values().items() if key not in file.schema_arrow.names}
            beside = {**folders, PART: self._below + name}
            for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
                if rows := [{**_plain(row), **beside} for row in batch.to_pylist()]:
                    self._insert_rows(connection, table, rows)

    def _insert_rows(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        try:
            connection.execute(insert(table), rows)
        except exc.IntegrityError as error:  # a rule of somebody's own table
            said = errors.first_line(error.orig or error)
            raise errors.Misconfigured(f"{self.uri}: the table {table.fullname} refuses a row: {said[:300]}") from None

    def _refuse_other(self, table: Table, columns: Mapping[str, Any]) -> None:
        """Refuse a table that has not the *columns*, or has them of another kind, or wants others besides."""
        wrong = [f"has no column {name!r} ({_word(kind)})" for name, kind in columns.items() if name not in table.c]
        wrong += [
            f"its column {name!r} is {table.c[name].type}, and the results' {_word(kind)}"
            for name, kind in columns.items()
            if name in table.c and not _takes(table.c[name].type, kind)
        ]
        wrong += [
            f"its column {column.name!r} may not be null, and results have none"
            for column in table.c
            if column.name not in columns
            and not column.nullable
            and column.server_default is None
            and not (column.primary_key and column.autoincrement)
        ]
        if wrong:
            raise errors.Misconfigured(
                f"{self.uri}: the table {table.fullname} {'; '.join(wrong)}. Change it, or name another in {self._setting}; one that is "
                "not there is made"
            )

    def _values(self) -> dict[str, str]:
        """What the folders of the prefix say, by name: the day of ``as_of=2026-01-31``."""
        found = (FOLDER.fullmatch(part) for part in self._prefix.split("/"))
        return {each["name"]: each["value"] for each in found if each and each["name"] not in SAID}

    # The database

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction, once there is a ledger: it is made before, for a writer of an SQLite file keeps every other out."""
        if not self._there:
            self._make(self._ledger)
            self._there = True
        with self._connected() as connection:
            yield connection

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection]:
        url = self._url()
        with self._failures(url):
            engine = sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=_patience(url))
            with engine.connect() as connection:
                if url.get_backend_name() == "sqlite":
                    # Python's driver would begin only at the first write, after the look that this write is about.
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
                connection.commit()

    def _url(self) -> sqlalchemy.URL:
        variable = source_addresses.variable(self._name)
        if not self._address:
            raise errors.Misconfigured(
                f"{variable} is empty, and {self._setting} {self.uri} names it: set it to the database's address, such as "
                "postgresql://<user>:<password>@<host>/<database> (on a cluster: in the Secret argosy-scores)"
            )
        return sql_addresses.parsed(self._address, variable)

    @contextlib.contextmanager
    def _failures(self, url: sqlalchemy.URL) -> Iterator[None]:
        """Turn what drivers raise into what Argosy says, without the password."""
        try:
            yield
        except exc.IntegrityError:
            raise
        except (exc.NoSuchModuleError, ImportError) as error:
            raise errors.Misconfigured(
                f"{self.uri}: the driver of a {url.get_backend_name()} is not installed here ({errors.first_line(error)})"
            ) from None
        except exc.SQLAlchemyError as error:
            said = sql_addresses.said(sql_addresses.cause(error), url)
            where = f"{url.get_backend_name()}://{url.host or ''}/{url.database or ''}"
            if fault := network.explained(where, said):
                raise fault from None
            refused = isinstance(error, exc.DataError | exc.ProgrammingError | exc.NotSupportedError)
            kind = (
                errors.Misconfigured
                if refused or any(word in said for word in SOMEBODY_HAS_TO_ACT)
                else errors.TryAgain
            )
            raise kind(f"{self.uri}: {where} takes no results: {said}") from None


def _patience(url: sqlalchemy.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"timeout": PATIENCE}
    return {"connect_timeout": PATIENCE} if url.drivername in sql_addresses.DRIVERS.values() else {}


def _is_parquet(draft: Path) -> bool:
    with draft.open("rb") as stream:
        return stream.read(len(PARQUET)) == PARQUET


def _digest(draft: Path) -> str:
    with draft.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def _without_rows(draft: Path) -> bytes:
    """A Parquet file with the columns and the metadata of *draft*, and no row."""
    with pq.ParquetFile(draft) as file:
        schema, metadata = file.schema_arrow, file.metadata.metadata or {}
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, schema) as writer:
        writer.add_key_value_metadata(
            {key.decode(): value.decode() for key, value in metadata.items() if key != b"ARROW:schema"}
        )
    return sink.getvalue()


def _columns(schema: pa.Schema, where: str) -> dict[str, Any]:
    return {field.name: _kind(field, where) for field in schema}


def _kind(field: pa.Field, where: str) -> Any:
    """The database's kind for the values of *field*."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_boolean(kind):
        return types.Boolean()
    if pa.types.is_integer(kind):
        return types.BigInteger()
    if pa.types.is_floating(kind):
        return types.Double()
    if pa.types.is_decimal(kind):
        return types.Numeric(kind.precision, kind.scale)
    if pa.types.is_date(kind):
        return types.Date()
    if pa.types.is_timestamp(kind):
        return types.DateTime(timezone=kind.tz is not None)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind) or pa.types.is_list(kind):
        return types.Text()
    raise errors.Misconfigured(
        f"{where}: the column {field.name!r} is {kind}, which no table of results takes; leave it out"
    )


def _word(kind: Any) -> str:
    return type(kind).__name__.lower()


def _takes(there: Any, kind: Any) -> bool:
    """Whether a column of the kind *there* takes the values of *kind* as they are."""
    if isinstance(kind, types.BigInteger):
        whole = isinstance(there, types.Integer) and not isinstance(there, types.SmallInteger)
        return whole or isinstance(there, types.Numeric)  # of decimals; a float loses the last digits of an id
    if isinstance(kind, types.Boolean):  # some databases have none, and keep it as a number
        return isinstance(there, types.Boolean | types.Integer)
    if isinstance(kind, NUMBERS):
        return isinstance(there, NUMBERS)
    families = (types.DateTime, types.Date, types.String)
    return any(isinstance(kind, family) and isinstance(there, family) for family in families)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of *row* as a driver takes them: a list, such as a chance a class, as JSON."""
    return {name: json.dumps(value) if isinstance(value, list) else value for name, value in row.items()}
