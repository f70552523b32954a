"""Writes the examples of a model to a file, a batch at a time: numbered in their order, each on one side of the split."""

import datetime
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import compute

from argosy import errors, memory
from argosy.domain.model_settings import ModelSettings
from argosy.ml import frames, holdout
from argosy.ports.tables import EVENT_TIME, LABEL, NUMBER

GROUP = 131_072
"""Rows of a row group, of a table that is not wide: what is read of a file at once."""


def write(batches: Iterable[pa.RecordBatch], settings: ModelSettings, file: Path) -> None:
    """Write the examples in *batches* to *file*. Raises Rejected where one has no label."""
    newest = write_groups(_sided(batches, settings), file)
    dates = _dates(settings, file, newest)
    if dates != holdout.Dates():
        undated = file.with_suffix(".undated.parquet")
        file.rename(undated)
        write_groups((_dated(batch, dates) for batch in pq.ParquetFile(undated).iter_batches()), file)
        undated.unlink()


def spread(table: Path, time: str) -> tuple[datetime.datetime, datetime.datetime]:
    """The oldest and the newest moment in the column *time* of the file *table*, which has rows."""
    found = [
        compute.min_max(batch.column(0).cast(pa.timestamp("us", tz="UTC")))
        for batch in pq.ParquetFile(table).iter_batches(columns=[time])
    ]
    return min(each["min"].as_py() for each in found), max(each["max"].as_py() for each in found)


def write_groups(
    batches: Iterable[pa.RecordBatch], file: Path, schema: pa.Schema | None = None
) -> datetime.datetime | None:
    """Write *batches* to *file* in row groups that do not depend on how they came. *schema*: theirs, where there may be none.

    The same bytes for the same rows. Returns their newest time, where they have times.
    """
    newest: datetime.datetime | None = None
    writer: pq.ParquetWriter | None = None if schema is None else pq.ParquetWriter(file, schema, compression="zstd")
    for table in _groups(batches):
        if writer is None:
            writer = pq.ParquetWriter(file, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=table.num_rows)
        if EVENT_TIME in table.column_names:
            last = compute.max(table.column(EVENT_TIME)).as_py()
            newest = last if newest is None else max(newest, last)
    if writer is None:
        raise errors.Rejected("the snapshot has no examples: no row was kept; look at `reject` in the settings")
    writer.close()
    return newest


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        group = memory.rows_at_once(GROUP, batch.num_columns)
        held.append(batch)
        count += batch.num_rows
        while count >= group:
            table = pa.Table.from_batches(held)
            yield table.slice(0, group)
            held = table.slice(group).to_batches()
            count -= group
    if count:
        yield pa.Table.from_batches(held)


def _sided(batches: Iterable[pa.RecordBatch], settings: ModelSettings) -> Iterator[pa.RecordBatch]:
    kind = pa.float64() if settings.task == "regression" else pa.int64()
    number = undefined = 0
    for batch in batches:
        labels = batch.column(LABEL)
        undefined += labels.null_count
        side = holdout.sides(batch, settings.entity, EVENT_TIME, settings.split)
        columns = {
            **{name: batch.column(name) for name in batch.schema.names},
            LABEL: labels.cast(kind),
            frames.SIDE: pa.array(side, pa.string()),
            NUMBER: pa.array(range(number, number + batch.num_rows), pa.int64()),
        }
        number += batch.num_rows
        yield pa.RecordBatch.from_pydict(columns)
    if undefined:
        raise errors.Rejected(
            f"the label `{settings.label.sql}` is undefined in {undefined} of {number} examples: "
            "keep such rows aside with `reject`, or change the expression"
        )


def _dates(settings: ModelSettings, file: Path, newest: datetime.datetime | None) -> holdout.Dates:
    after = holdout.recent_after(newest, settings.evaluation.recent)
    if settings.training.window is None:
        return holdout.Dates(after)
    trained: list[datetime.datetime] = []
    for batch in pq.ParquetFile(file).iter_batches(columns=[EVENT_TIME, frames.SIDE]):
        moments = batch.column(EVENT_TIME)
        sides = holdout.Dates(after).of(batch.column(frames.SIDE), moments)
        last = compute.max(moments.filter(compute.equal(sides, holdout.TRAIN))).as_py()
        trained += [] if last is None else [last]
    return holdout.Dates(after, holdout.older_until(max(trained, default=None), settings.training.window))


def _dated(batch: pa.RecordBatch, dates: holdout.Dates) -> pa.RecordBatch:
    sides = dates.of(batch.column(frames.SIDE), batch.column(EVENT_TIME))
    return batch.set_column(batch.schema.get_field_index(frames.SIDE), frames.SIDE, sides)
