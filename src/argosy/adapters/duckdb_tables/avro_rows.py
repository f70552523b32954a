"""Hands the rows of an Avro file to DuckDB, which reads none itself."""

import contextlib
from collections.abc import Iterator

import duckdb
import pyarrow as pa

from argosy import errors
from argosy.ml.avro_file import AvroFile

TABLE = "argosy_avro"
"""What DuckDB knows the rows of a file as."""


@contextlib.contextmanager
def handed_on(avro: AvroFile, database: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Within, *database* has the rows of *avro* as the table ``TABLE``, to be read once; of those that are damaged Rejected is raised."""
    refusals: list[errors.Rejected] = []

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            yield from avro.batches()
        except errors.Rejected as refusal:
            refusals.append(refusal)
            raise

    database.register(TABLE, pa.RecordBatchReader.from_batches(avro.schema, batches()))
    try:
        yield
    except duckdb.Error:
        if refusals:  # DuckDB says of it what it was called in Python
            raise refusals[0] from None
        raise
    finally:
        database.unregister(TABLE)
