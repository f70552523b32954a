"""Finds one entity's rows in Parquet files, and leaves them out, in DuckDB."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from argosy import errors
from argosy.adapters.duckdb_tables import avro_rows, bounded_database, sql
from argosy.adapters.duckdb_tables.tables import PARQUET
from argosy.ml import avro_file
from argosy.ml.avro_file import AvroFile


class DuckDBRowEraser:
    """See :class:`argosy.ports.erasers.RowEraser`."""

    def holds(self, file: Path, entity: Mapping[str, str]) -> int:
        """See the port."""
        with bounded_database.opened(None) as database:
            return (_count_avro if _is_avro(file) else _count)(database, file, entity)

    def leave_out(self, file: Path, entity: Mapping[str, str], into: Path) -> int:
        """See the port."""
        with (
            bounded_database.opened(None) as database,
            bounded_database.within_limits(f"{file.name} cannot be written anew"),
        ):
            # An order that was read is kept, so that the bytes are those of any other time.
            kept = f"SELECT * FROM {sql.parquet(file)} WHERE NOT {_is_of(entity)}"  # noqa: S608 - quoted
            said = _said(database, file)
            database.execute(f"COPY ({kept}) TO {sql.text(str(into))} {PARQUET.removesuffix(')')}{said})")
            row = database.execute(f"SELECT count(*) FROM {sql.parquet(into)}").fetchone()  # noqa: S608 - quoted
            return int(row[0]) if row else 0


def _said(database: duckdb.DuckDBPyConnection, file: Path) -> str:
    """What *file* says of itself in our words, as an option of COPY: a part of a scoring without it would be scored again."""
    of_file = f"parquet_kv_metadata({sql.text(str(file))})"
    asked = f"SELECT decode(key), decode(value) FROM {of_file} WHERE decode(key) LIKE 'argosy.%'"  # noqa: S608 - quoted
    told = database.execute(asked).fetchall()
    named = ", ".join(f"{sql.text(key)}: {sql.text(value)}" for key, value in told)
    return f", KV_METADATA {{{named}}}" if told else ""


def _is_avro(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(avro_file.MAGIC)) == avro_file.MAGIC


def _count_avro(database: duckdb.DuckDBPyConnection, file: Path, entity: Mapping[str, str]) -> int:
    avro = AvroFile(str(file), lambda: file.open("rb"), set(entity), why="a key is one value")
    if not entity.keys() <= set(avro.names):
        return 0
    with avro_rows.handed_on(avro, database):
        query = f"SELECT count(*) FROM {avro_rows.TABLE} WHERE {_is_of(entity)}"  # noqa: S608 - quoted
        ((rows,),) = database.execute(query).fetchall()
    return int(rows)


def _count(database: duckdb.DuckDBPyConnection, file: Path, entity: Mapping[str, str]) -> int:
    source = sql.parquet(file)
    try:
        columns = {line[0] for line in database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}  # noqa: S608 - quoted
        if not columns.issuperset(entity):
            return 0
        row = database.execute(f"SELECT count(*) FROM {source} WHERE {_is_of(entity)}").fetchone()  # noqa: S608 - quoted
    except duckdb.Error as error:
        raise errors.Misconfigured(f"{file} cannot be read as Parquet: {errors.first_line(error)}") from None
    return int(row[0]) if row else 0


def _is_of(entity: Mapping[str, str]) -> str:
    """The condition that a row is of *entity*; a row without a key is of nobody."""
    same = " AND ".join(f"{sql.name(key)}::VARCHAR = {sql.text(value)}" for key, value in entity.items())
    return f"coalesce({same}, false)"
