"""Turns rows, columns and tables into the one matrix a model is fitted on and asked with.

This is the transformation ``argosy.dev/tabular-v1`` of a signature: columns in the signature's order; a number as float32; a
category as the index of its level; null, and a level that is not listed, as missing (NaN). Training, evaluation and serving all go
through it, so that a value becomes the same bits everywhere. What the matrix means to a model is ``predictor``'s business.
"""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from argosy import errors
from argosy.domain.data import FeatureColumn

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Value = float | str | None
Row = Mapping[str, Value]
Matrix = npt.NDArray[np.float32]

# float32 has no room for more; a larger number would become infinite without a word.
LARGEST = float(np.finfo(np.float32).max)
_PLAIN = frozenset({int, float, type(None)})
"""Types of a number or null. True is an int to Python and no number to us."""


class BadValue(errors.Rejected):
    """A row that a model cannot be asked with. *row*: its index; *feature*: the field; *problem*: what is wrong with it."""

    def __init__(self, row: int, feature: str, problem: str) -> None:
        super().__init__(f"row {row}, feature {feature!r}: {problem}")
        self.row = row
        self.feature = feature
        self.problem = problem


class Encoder:
    """Encodes for one list of features."""

    def __init__(self, features: Sequence[FeatureColumn]) -> None:
        self.features = tuple(features)
        self.names = [feature.name for feature in features]
        self._levels: list[dict[str, float] | None] = [_positions(feature) for feature in features]
        self._columns = list(zip(self.names, self._levels, strict=True))

    @property
    def types(self) -> list[str]:
        """The feature types as XGBoost calls them: "c" for a category, "q" for a number."""
        return ["q" if levels is None else "c" for levels in self._levels]

    @property
    def booster_names(self) -> list[str]:
        """The features' names for XGBoost, which takes no ``[``, ``]`` or ``<``; no two are the same."""
        found: list[str] = []
        for position, name in enumerate(self.names):
            safe = re.sub(r"[\[\]<]", "_", name)
            found.append(safe if safe == name or safe not in (*self.names, *found) else f"{safe}.{position}")
        return found

    def rows(self, rows: Sequence[Row]) -> Matrix:
        """The matrix of *rows*, one mapping of every feature's name to its value each. Raises BadValue."""
        matrix = np.empty((len(rows), len(self.names)), dtype=np.float32)
        for index, row in enumerate(rows):
            matrix[index] = self._row(index, row)
        return matrix

    def columns(self, columns: Sequence[Sequence[Any]]) -> Matrix | None:
        """The matrix of *columns*, lists or tuples of values, one a feature in the features' order, all of one length.

        No value is looked at by itself, so a wrong one is not told: None where there is any that :meth:`rows` would refuse, or a level that
        is not listed, which only :meth:`rows` takes as missing.
        """
        numbers = [column for column, levels in zip(columns, self._levels, strict=True) if levels is None]
        if not _PLAIN.issuperset(map(type, chain.from_iterable(numbers))):
            return None
        try:
            coded = [
                column if levels is None else _coded(column, levels)
                for column, levels in zip(columns, self._levels, strict=True)
            ]
            wide = np.array(coded, dtype=np.float64)  # null becomes NaN
        except (_UnknownLevel, OverflowError):
            return None
        if (np.abs(wide) > LARGEST).any() or _holds_nan(coded, wide):
            return None
        return wide.T.astype(np.float32, order="C")

    def table(self, table: "pa.Table") -> Matrix:
        """The matrix of an Arrow table that has a column for every feature; NaN in it means missing. Raises BadValue."""
        matrix = np.empty((table.num_rows, len(self.names)), dtype=np.float32)
        for position, (name, levels) in enumerate(self._columns):
            column = table.column(name)
            matrix[:, position] = _numbers(name, column) if levels is None else _indices(column, list(levels))
        return matrix

    def frame(self, frame: "pd.DataFrame") -> Matrix:
        """The matrix of a data frame that has a column for every feature; NaN in it means missing. Raises BadValue."""
        import pyarrow as pa

        return self.table(pa.table({name: pa.array(frame[name], from_pandas=True) for name in self.names}))

    def _row(self, index: int, row: Row) -> list[float]:
        if len(row) != len(self.names):
            self._refuse_unknown(index, row)
        try:
            return [
                _number(index, name, row[name]) if levels is None else _level(index, name, levels, row[name])
                for name, levels in self._columns
            ]
        except KeyError as error:
            raise BadValue(index, str(error.args[0]), "is missing; give null where the value is unknown") from None

    def _refuse_unknown(self, index: int, row: Row) -> None:
        unknown = sorted(set(row) - set(self.names))
        if unknown:
            raise BadValue(index, unknown[0], "is no feature of this model")


class _UnknownLevel(Exception):
    """A category's value is none of its levels, or no text."""


def _coded(column: Sequence[Any], levels: Mapping[str, float]) -> Sequence[float | None]:
    """The indices of the levels in *column*, None for null. Raises _UnknownLevel."""
    try:
        coded = list(map(levels.get, column))
    except TypeError:  # a list or an object has no hash
        raise _UnknownLevel from None
    if None in coded and coded.count(None) != column.count(None):
        raise _UnknownLevel
    return coded


def _holds_nan(columns: Sequence[Sequence[float | None]], wide: npt.NDArray[np.float64]) -> bool:
    """True where one of *columns*, which are *wide* as numbers, has NaN as such: null alone is what absent is spelled."""
    missing = np.isnan(wide)
    return bool(missing.any()) and any(
        columns[place].count(None) != count for place, count in enumerate(missing.sum(axis=1).tolist()) if count
    )


def _positions(feature: FeatureColumn) -> dict[str, float] | None:
    if feature.type == "number":
        return None
    return {level: float(position) for position, level in enumerate(feature.levels or [])}


def _number(index: int, name: str, value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValue(index, name, f"expected a number or null, got {type(value).__name__}")
    # Written so that NaN fails it too: absent is spelled null, and NaN is somebody's failed calculation.
    if not -LARGEST <= value <= LARGEST:
        raise BadValue(
            index, name, f"{value} is not a finite number that a model can take; give null where it is unknown"
        )
    return float(value)


def _level(index: int, name: str, levels: dict[str, float], value: Any) -> float:
    if value is None:
        return math.nan
    if not isinstance(value, str):
        raise BadValue(index, name, f"expected a string or null, got {type(value).__name__}")
    return levels.get(value, math.nan)


def _numbers(name: str, column: "pa.ChunkedArray") -> npt.NDArray[np.float64]:
    values = np.asarray(column.cast("float64").to_numpy(), dtype=np.float64)
    beyond = np.flatnonzero(np.abs(values) > LARGEST)
    if len(beyond):
        raise BadValue(int(beyond[0]), name, f"{values[beyond[0]]} is not a finite number that a model can take")
    return values


def _indices(column: "pa.ChunkedArray", levels: list[str]) -> npt.NDArray[np.float64]:
    import pyarrow as pa
    from pyarrow import compute

    found = compute.index_in(column.cast(pa.string()), value_set=pa.array(levels, pa.string()), skip_nulls=True)
    return np.asarray(found.cast(pa.float64()).to_numpy(), dtype=np.float64)
