"""Reads the folder that ``build-features`` writes into arrays: the examples of one model, split into training side and holdout.

Keeps to Arrow and NumPy, because a fan-out of small tasks cannot afford a data frame library's import. A row group at a time is looked at,
and of it only what is asked for is kept. Which columns there are is ``domain.data.FeatureSchema``'s word.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import compute

from argosy import errors
from argosy.domain.data import FeatureSchema
from argosy.domain.documents import sha256
from argosy.ml.encoding import Encoder, Matrix

ROWS = "rows.parquet"
SCHEMA = "schema.json"
LEFT_OUT = "left_out.parquet"
"""A column ``<view>:<name>`` for each feature that the model leaves out, a line a row of the holdout, in its order."""
LEFT_OUT_RECENT = "left_out_recent.parquet"
"""The same for the recent rows; there where any are kept."""
LABEL = "label"
SIDE = "side"
TIME = "event_timestamp"


def digest(folder: Path) -> str:
    """One digest over the examples of *folder* and their schema."""
    return sha256("".join(sha256((folder / name).read_bytes()) for name in (ROWS, SCHEMA)).encode())


@dataclass(frozen=True)
class Examples:
    """Rows of one side, in the order of the file (by join keys)."""

    schema: FeatureSchema
    table: pa.Table
    matrix: Matrix
    """One line a row, one column a feature, encoded as the signature says."""
    labels: npt.NDArray[np.float64]
    """Class index, or the value itself for regression."""

    def __len__(self) -> int:
        return len(self.labels)

    def keys(self) -> list[str]:
        """Each row's join keys as one text."""
        return [str(key) for key in keys(self.table, self.schema.join_keys).to_pylist()]

    def days(self) -> list[str]:
        """Each row's calendar day (UTC), as ``2013-01-31``."""
        return [str(day) for day in days(self.table).to_pylist()]


def schema(folder: Path) -> FeatureSchema:
    """The schema of the features in *folder*."""
    return FeatureSchema.read(folder / SCHEMA)


def left_out(folder: Path, name: str = LEFT_OUT) -> pa.Table:
    """The features of the holdout in *folder* that the model does not take; without a column where none are kept.

    *name*: of the file, which is another for the recent rows.
    """
    return pq.read_table(folder / name) if (folder / name).exists() else pa.table({})


def keys(table: pa.Table, join_keys: Sequence[str]) -> pa.ChunkedArray:
    """The columns *join_keys* of each row of *table* as one text."""
    texts = [compute.fill_null(table.column(name).cast(pa.string()), "None") for name in join_keys]
    return compute.binary_join_element_wise(*texts, "\x1f") if len(texts) > 1 else texts[0]


def days(table: pa.Table) -> pa.ChunkedArray:
    """The calendar day (UTC) of each row of *table*, as ``2013-01-31``."""
    return table.column(TIME).cast(pa.timestamp("us", tz="UTC")).cast(pa.date32()).cast(pa.string())


def read(folder: Path, side: str, kept: Callable[[pa.Table], pa.Array] | None = None) -> Examples:
    """The examples of *side* ("train", "holdout" or "recent") in *folder*; of those *kept* where it is given, a mask of a part's rows.

    Raises Rejected where there are none, Misconfigured where columns are absent.
    """
    columns = schema(folder)
    found = parts(folder, side)
    table = pa.concat_tables(found if kept is None else (part.filter(kept(part)) for part in found))
    return Examples(columns, table, Encoder(columns.features).table(table), _labels(table, side))


def _labels(table: pa.Table, side: str) -> npt.NDArray[np.float64]:
    if table.num_rows == 0:
        raise errors.Rejected(f"the features have no row on the {side} side; look at `split` in the settings")
    return np.asarray(table.column(LABEL).cast("float64").to_numpy(), dtype=np.float64)


def outline(folder: Path, side: str) -> Examples:
    """The examples of *side* in *folder* without their features: keys, times and labels alone, and a matrix of no columns.

    Raises as :func:`read`.
    """
    columns = schema(folder)
    table = pa.concat_tables(parts(folder, side, list(dict.fromkeys([*columns.join_keys, TIME, LABEL]))))
    labels = _labels(table, side)
    return Examples(columns, table, np.empty((len(labels), 0), np.float32), labels)


def places(folder: Path, side: str) -> npt.NDArray[np.int64]:
    """The row, from 0, at which each example of *side* stands in the file of *folder*; in order."""
    found, first = [np.empty(0, np.int64)], 0
    with pq.ParquetFile(folder / ROWS) as file:
        for group in range(file.num_row_groups):
            sides = file.read_row_group(group, columns=[SIDE]).column(SIDE)
            found.append(first + np.flatnonzero(compute.equal(sides, side).to_numpy()))
            first += len(sides)
    return np.concatenate(found)


def parts(folder: Path, side: str, names: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The rows of *side* in *folder*, a part a row group, after one of no rows. *names*: of the columns; None: all.

    Raises Misconfigured where columns are absent.
    """
    columns = schema(folder)
    asked = None if names is None else [*names, SIDE]
    with pq.ParquetFile(folder / ROWS) as file:
        needed = [*columns.join_keys, *(feature.name for feature in columns.features), LABEL, SIDE, TIME]
        if absent := [name for name in needed if name not in file.schema_arrow.names]:
            raise errors.Misconfigured(f"{folder / ROWS} has no column {absent[0]!r}; {SCHEMA} beside it names it")
        empty = file.schema_arrow.empty_table()
        yield empty if asked is None else empty.select(asked)
        for group in range(file.num_row_groups):
            part = file.read_row_group(group, columns=asked)
            yield part.filter(compute.equal(part.column(SIDE), side))
