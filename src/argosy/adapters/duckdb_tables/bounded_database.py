"""A DuckDB that keeps to the memory its step was given, and goes to disk beyond that; and what to say where neither is enough."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from argosy import errors, memory

LEAST = 96 << 20
"""Bytes below which DuckDB cannot even sort what waits on disk."""
SHARE = 0.5
"""Of what the step has left: buffers of files, and batches on their way to Python, are not in DuckDB's own count."""
PER_THREAD = 128 << 20
FULL = "max_temp_directory_size"
"""The setting that DuckDB names when what it wrote to disk fills it: nine tenths of what was free by default."""


@contextlib.contextmanager
def opened(scratch: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory, and on disk in *scratch* where tables are larger than that."""
    with tempfile.TemporaryDirectory(dir=scratch, prefix="argosy-duckdb-") as spill:
        allowed = most()
        # Each thread has buffers of its own, however many cores the machine has beside this step.
        threads = max(1, min(os.cpu_count() or 1, allowed // PER_THREAD))
        config = {"temp_directory": spill, "memory_limit": f"{allowed >> 20}MiB", "threads": threads}
        with duckdb.connect(config=config) as database:
            yield prepared(database)


def prepared(database: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """*database*, with times in UTC and nothing printed."""
    return database.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")


def most() -> int:
    """The bytes that DuckDB may keep in memory beside what this process has there already."""
    return max(LEAST, int((memory.limit() - memory.in_use()) * SHARE))


@contextlib.contextmanager
def within_limits(subject: str) -> Iterator[None]:
    """Say what is short where what *subject* says cannot be done in the memory or on the disk there is. Raises LocalDisk, Misconfigured."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        said = errors.first_line(error)
        if FULL in str(error) or errors.says_disk_full(said):
            raise errors.LocalDisk(
                f"{subject}: what waits on disk needs more room than {tempfile.gettempdir()} has: {said}; make room there"
            ) from None
        if "Out of Memory" in said or "could not allocate" in said:
            raise errors.Misconfigured(
                f"{subject} in the memory of the step, {memory.limit() >> 20:,} MiB: {said}; give it more in model.yaml, "
                "`resources: {<step>: {memory: 2Gi}}`"
            ) from None
        raise
