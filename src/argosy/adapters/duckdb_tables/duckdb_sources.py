"""Reads sources out of files of DuckDB, ``duckdb:///<path>``: opened to be read, with no other file within reach of a query.

Values are kept as text, as those of other databases are; what they mean is the contract's word.
"""

import contextlib
import datetime
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from argosy import errors
from argosy.adapters.duckdb_tables import bounded_database, sql
from argosy.domain import source_addresses
from argosy.domain.data import ReachedPlace, SourceReading
from argosy.domain.source_settings import Source, SqlQuery
from argosy.ports.source_reader import NOTHING, Fetched, TableOutline

SCHEME = "duckdb://"
BATCH_ROWS = 5_000
MAIN = "main"
"""The schema that a name without one is of."""
CLOSED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
"""A query, or a view that somebody left in the file, reads and writes nothing beside it."""
NO_VALUES = ("BLOB", "BIT", "STRUCT", "MAP", "UNION", "VARIANT", "GEOMETRY")
SOMEBODY_HAS_TO_ACT = (
    duckdb.DataError,
    duckdb.NotSupportedError,
    duckdb.ProgrammingError,
    duckdb.InvalidInputException,
    duckdb.PermissionException,
)
"""What fails again however often it is tried: a cast that no value bears, a query that is none."""
LOCKED = "Could not set lock"


class DuckDBSources:
    """Sources in the files at *addresses*, by variable; see :class:`argosy.ports.source_reader.Database`."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = addresses

    def fetch(
        self,
        sources: Sequence[Source],
        into: Path,
        since: Mapping[str, ReachedPlace] = NOTHING,  # noqa: ARG002 - the port's
    ) -> Mapping[str, Fetched]:
        """See the port. Everything is read, whatever was read before: a file of this machine is near."""
        found: dict[str, Fetched] = {}
        asked = [(source, source.sql) for source in sources if source.sql is not None]
        for secret in dict.fromkeys(query.secret for _, query in asked):
            with self._opened(secret) as (database, file):
                # One state for all of them.
                database.execute("BEGIN")
                mine = [(source, query) for source, query in asked if query.secret == secret]
                found |= {source.name: _fetched(database, file, source, query, into) for source, query in mine}
        return found

    def tables(self, secret: str) -> Sequence[str]:
        """See the port."""
        with self._opened(secret) as (database, _):
            found = database.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal "
                "UNION SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
            ).fetchall()
        return [name if schema == MAIN else f"{schema}.{name}" for schema, name in found]

    def outline(self, secret: str, table: str) -> TableOutline:
        """See the port."""
        with self._opened(secret) as (database, _):
            place = _quoted_table(table)
            rows = database.execute(f"SELECT * FROM {place} LIMIT 0")  # noqa: S608 - a quoted name
            kinds = {each[0]: str(each[1]) for each in rows.description or []}
            schema, _, name = table.rpartition(".")
            keys = database.execute(
                "SELECT constraint_column_names FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY' "
                "AND schema_name = ? AND table_name = ?",
                [schema or MAIN, name],
            ).fetchall()
        others = {column: kind for column, kind in kinds.items() if _has_no_value(kind)}
        columns = tuple(column for column in kinds if column not in others)
        key = keys[0][0][0] if keys and len(keys[0][0]) == 1 else None
        return TableOutline(columns, others, key, {column: sql.name(column) for column in columns}, place)

    @contextlib.contextmanager
    def _opened(self, secret: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
        variable = source_addresses.variable(secret)
        file = Path(self._addresses.get(variable, "").removeprefix(f"{SCHEME}/"))
        if not file.is_file():
            raise errors.Misconfigured(f"there is no DuckDB file {file}, which {variable} names: duckdb:///<its path>")
        config: dict[str, str | bool | int | float | list[str]] = dict(CLOSED)
        config["memory_limit"] = f"{bounded_database.most() >> 20}MiB"
        try:
            with duckdb.connect(file, read_only=True, config=config) as database:
                yield bounded_database.prepared(database), file
        except SOMEBODY_HAS_TO_ACT as error:
            raise errors.Misconfigured(
                f"{file} cannot be read: {errors.first_line(error)}; mend `sql` of the source, or {variable}"
            ) from None
        except duckdb.IOException as error:
            said = errors.first_line(error)
            if LOCKED in said:
                raise errors.TryAgain(
                    f"{file} cannot be read while another program writes into it: end that one, and try again"
                ) from None
            raise errors.Misconfigured(f"{file} is no file that this DuckDB reads: {said}") from None
        except duckdb.Error as error:
            raise errors.TryAgain(
                f"{file} cannot be read: {errors.first_line(error)}; nothing of it was kept"
            ) from None


def _fetched(database: duckdb.DuckDBPyConnection, place: Path, source: Source, query: SqlQuery, into: Path) -> Fetched:
    asked = _asked(source, query)
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    described = database.execute(f"DESCRIBE {asked}").fetchall()
    for name, kind, *_ in described:
        if _has_no_value(kind):
            raise errors.Rejected(
                f"source {source.name!r}: column {name!r} holds values of the kind {kind}, which no type of a contract is; cast it in the "
                "query, or leave it out"
            )
    # A number that is none is a missing value; texts stay as they are.
    texts = ", ".join(_as_text(position, name, kind) for position, (name, kind, *_) in enumerate(described, start=1))
    names = ", ".join(f"c{position}" for position in range(1, len(described) + 1))
    file = into / source.file_name
    partial = file.with_name(f".{file.name}.partial")
    selected = f"SELECT {texts} FROM ({asked}\n) AS argosy_rows({names})"  # noqa: S608 - the model's own query, which it may ask
    reader = database.sql(selected).to_arrow_reader(BATCH_ROWS)
    schema = pa.schema([pa.field(name, pa.string()) for name, *_ in described])
    with reader, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(
                pa.RecordBatch.from_arrays([column.cast(pa.string()) for column in batch], schema=schema)
            )
    partial.rename(file)
    reading = SourceReading(asked=asked, at=at, position={"version": duckdb.__version__})
    return Fetched(file, f"{SCHEME}/{place}", reading)


def _asked(source: Source, query: SqlQuery) -> str:
    if query.query is not None:
        return query.query.strip().rstrip(";")
    columns = ", ".join(sql.name(column.name) for column in source.columns)
    return f"SELECT {columns} FROM {_quoted_table(query.table or '')}"  # noqa: S608 - quoted names


def _as_text(position: int, name: str, kind: str) -> str:
    column = f"c{position}"
    value = sql.without_nan(column) if kind in sql.FRACTIONS else column
    return f"CAST({value} AS VARCHAR) AS {sql.name(name)}"


def _has_no_value(kind: str) -> bool:
    return kind.endswith("]") or kind.startswith(NO_VALUES)


def _quoted_table(table: str) -> str:
    return ".".join(map(sql.name, table.split(".")))
