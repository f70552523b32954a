"""Reads the folder that ``build-features`` writes into arrays: the examples of one model, split into training side and holdout.

Keeps to Arrow and NumPy, because a fan-out of small tasks cannot afford a data frame library's import. Which columns there are is
``domain.data.FeatureSchema``'s word.
"""

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
        columns = [self.table.column(name).cast(pa.string()).to_pylist() for name in self.schema.join_keys]
        return ["\x1f".join(map(str, values)) for values in zip(*columns, strict=True)]

    def days(self) -> list[str]:
        """Each row's calendar day (UTC)."""
        return [moment.date().isoformat() for moment in self.table.column(TIME).to_pylist()]


def schema(folder: Path) -> FeatureSchema:
    """The schema of the features in *folder*."""
    return FeatureSchema.read(folder / SCHEMA)


def left_out(folder: Path, name: str = LEFT_OUT) -> pa.Table:
    """The features of the holdout in *folder* that the model does not take; without a column where none are kept.

    *name*: of the file, which is another for the recent rows.
    """
    return pq.read_table(folder / name) if (folder / name).exists() else pa.table({})


def read(folder: Path, side: str) -> Examples:
    """The examples of *side* ("train", "holdout" or "recent") in *folder*.

    Raises Rejected where there are none, Misconfigured where columns are absent.
    """
    columns = schema(folder)
    table = pq.read_table(folder / ROWS)
    needed = [*columns.join_keys, *(feature.name for feature in columns.features), LABEL, SIDE, TIME]
    if absent := [name for name in needed if name not in table.column_names]:
        raise errors.Misconfigured(f"{folder / ROWS} has no column {absent[0]!r}; {SCHEMA} beside it names it")
    chosen = table.filter(compute.equal(table.column(SIDE), side))
    if chosen.num_rows == 0:
        raise errors.Rejected(f"the features have no row on the {side} side; look at `split` in the settings")
    labels = np.asarray(chosen.column(LABEL).cast("float64").to_numpy(), dtype=np.float64)
    return Examples(columns, chosen, Encoder(columns.features).table(chosen), labels)
