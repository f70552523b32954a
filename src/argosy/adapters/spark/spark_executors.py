"""Spark's executors as processes that answer numbers: a task each, done again elsewhere where an executor goes away.

What they read and write is what is sent to them; no row passes through Spark.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from argosy.adapters.spark.spark_session import Spark

NUMBER, SAID = "number", "said"


class SparkExecutors:
    """See :class:`argosy.scoring.sent_work.Pool`."""

    def __init__(self, spark: Spark) -> None:
        self._spark = spark

    def each(self, work: Callable[[int], str], count: int) -> Iterator[str]:
        """See the port."""
        with self._spark.reported("parts cannot be scored"):
            numbers = self._spark.session().range(0, count, 1, count).withColumnRenamed("id", NUMBER)
            said = [row[SAID] for row in numbers.mapInArrow(_Each(work), f"{SAID} string").collect()]
        yield from said


@dataclass(frozen=True)
class _Each:
    work: Callable[[int], str]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            said = [self.work(number) for number in batch.column(NUMBER).to_pylist()]
            yield pa.RecordBatch.from_arrays([pa.array(said, pa.string())], names=[SAID])
