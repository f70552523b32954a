"""Tables whose joins Spark makes; all else is asked of the tables of one machine, which need no more memory for more rows."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from argosy import memory
from argosy.adapters.spark import as_of_windows
from argosy.adapters.spark.as_of_windows import column
from argosy.adapters.spark.spark_session import Spark
from argosy.domain.as_of import Knowledge
from argosy.domain.model_settings import Label
from argosy.domain.source_settings import RejectRule, Source
from argosy.ports import tables

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 65_536
"""Rows that are handed on at once, of a table that is not wide."""


class SparkTables:
    """See :class:`argosy.ports.tables.Tables`. *otherwise*: who is asked all but joins."""

    def __init__(self, spark: Spark, otherwise: tables.Tables) -> None:
        self._spark = spark
        self._otherwise = otherwise
        self._joins = 0

    def join(
        self,
        examples: Path,
        snapshot: Path,
        columns: Sequence[str],
        views: Sequence[tables.AsOfView],
        *,
        where: str | None = None,
    ) -> "Iterator[pa.RecordBatch]":
        """Join as of each row's time; see the port."""
        self._joins += 1
        with self._spark.reported("features cannot be joined to the examples"):
            rows = self._spark.table(examples)
            if where is not None:
                rows = rows.where(column("side") == where)
            asked = dict.fromkeys(
                [*columns, tables.NUMBER, tables.EVENT_TIME, *(key for view in views for key in view.keys)]
            )
            rows = rows.select(*map(column, asked))
            taken = []
            for number, view in enumerate(views):
                # No feature's own name: another view's key, or a column that is carried along, may have it, too.
                names = [f"argosy_{number}_{place}" for place in range(len(view.added))]
                rows = as_of_windows.joined(rows, self._spark.table(snapshot / f"{view.source}.parquet"), view, names)
                taken += [column(name).alias(each) for name, each in zip(names, view.added, strict=True)]
            answer = rows.sort(column(tables.NUMBER)).select(*map(column, columns), *taken)
            for stream in self._spark.written(answer, f"joined-{self._joins}"):
                with stream, pq.ParquetFile(stream) as file:
                    yield from file.iter_batches(memory.rows_at_once(BATCH, file.metadata.num_columns))

    def snapshot(
        self,
        source: Source,
        rules: Sequence[RejectRule],
        file: Path,
        *,
        kept: Path,
        rejected: Path,
        known: Knowledge | None = None,
        earlier: tables.Earlier | None = None,
    ) -> tables.Counts:
        """See the port."""
        return self._otherwise.snapshot(source, rules, file, kept=kept, rejected=rejected, known=known, earlier=earlier)

    def parts(
        self, source: Source, rules: Sequence[RejectRule], place: Path, into: Path
    ) -> Sequence[tables.TablePiece]:
        """See the port."""
        return self._otherwise.parts(source, rules, place, into)

    def examples(
        self, table: Path, source: Source, label: Label, columns: Sequence[str], order: Sequence[str]
    ) -> "Iterator[pa.RecordBatch]":
        """See the port."""
        return self._otherwise.examples(table, source, label, columns, order)

    def in_order(self, file: Path, column: str) -> "Iterator[pa.RecordBatch]":
        """See the port."""
        return self._otherwise.in_order(file, column)

    def derive(self, derived: tables.Derived, columns: Sequence[str] | None = None) -> "pa.Table":
        """See the port."""
        return self._otherwise.derive(derived, columns)

    def repeated(
        self, derived: tables.Derived, keys: Sequence[str], columns: Sequence[str] | None = None
    ) -> tables.Repeated:
        """See the port."""
        return self._otherwise.repeated(derived, keys, columns)

    def explain(self, source: Source, expression: str, *, condition: bool) -> str | None:
        """See the port."""
        return self._otherwise.explain(source, expression, condition=condition)
