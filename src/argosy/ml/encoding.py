"""Turns rows, columns and tables into the one matrix a model is fitted on and asked with.

This is the transformation ``argosy.dev/tabular-v1`` of a signature: columns in the signature's order; a number as float32; a
category as the index of its level; null, and a level that is not listed, as missing (NaN). Training, evaluation and serving all go
through it, so that a value becomes the same bits everywhere. What the matrix means to a model is ``predictor``'s business.
"""

import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from typing import TYPE_CHECKING, Any, cast

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
Numbers = npt.NDArray[np.float64]
Column = Sequence[Any] | npt.NDArray[Any]
"""Values of one feature: as JSON has them, or an array of numbers, whose NaN is null."""

# float32 has no room for more; a larger number would become infinite without a word.
LARGEST = float(np.finfo(np.float32).max)
_FEW = 128
"""Values that are looked at sooner than it takes to find out which of them to look at."""


class BadValue(errors.Rejected):
    """A row that a model cannot be asked with. *row*: its index; *feature*: the field; *problem*: what is wrong with it."""

    def __init__(self, row: int, feature: str, problem: str) -> None:
        super().__init__(f"row {row}, feature {feature!r}: {problem}")
        self.row = row
        self.feature = feature
        self.problem = problem


@dataclass(frozen=True, slots=True)
class EncodedColumns:
    """Rows as a model takes them, and nothing lost of what they were."""

    matrix: Matrix
    exact: Numbers
    """A row a feature: a number as it was given, a category as the place of its level, NaN for null."""

    def only(self, places: Sequence[int]) -> "EncodedColumns":
        """The rows at *places*."""
        chosen = list(places)
        return EncodedColumns(self.matrix[chosen], self.exact[:, chosen])


class Encoder:
    """Encodes for one list of features."""

    def __init__(self, features: Sequence[FeatureColumn]) -> None:
        self.features = tuple(features)
        self.names = [feature.name for feature in features]
        self._levels: list[dict[str, float] | None] = [_positions(feature) for feature in features]
        self._numeric = np.array([levels is None for levels in self._levels], dtype=np.bool_)
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

    def columns(self, columns: Sequence[Column]) -> EncodedColumns | None:
        """*columns*, one a feature in the features' order, all of one length.

        No value is looked at by itself, so a wrong one is not told: None where there is any that :meth:`rows` would refuse, or a level that
        is not listed, which only :meth:`rows` takes as missing.
        """
        try:
            exact = self._doubles(columns)
        except (_NotPlain, OverflowError):
            return None
        sizes = np.abs(exact)
        # Of NaN neither is true, so that one comparison nearly always answers for both.
        if not sizes.max(initial=0.0) <= LARGEST and (
            np.fmax.reduce(sizes, axis=None) > LARGEST or _holds_nan(columns, exact)
        ):
            return None
        if self._holds_true_or_false(columns, exact):
            return None
        return EncodedColumns(exact.T.astype(np.float32, order="C"), exact)

    def _doubles(self, columns: Sequence[Column]) -> Numbers:
        """*columns*, a row each; a level is its place, null NaN, and true and false 1 and 0. Raises _NotPlain and OverflowError."""
        count = len(columns[0]) if columns else 0
        # Of what turns numbers of Python into doubles this is the quickest by half, and it takes nothing else for one.
        pack = struct.Struct(f"{count}d").pack
        rows = [
            _numbers_packed(column, pack) if levels is None else _levels_packed(column, levels, pack)
            for column, levels in zip(columns, self._levels, strict=True)
        ]
        return np.frombuffer(b"".join(rows)).reshape(len(columns), count)

    def _holds_true_or_false(self, columns: Sequence[Column], exact: Numbers) -> bool:
        """True where a column of numbers has a truth value in it. They were packed as 1 and 0: of many, only columns with those are
        looked at."""
        numbers = [column for column, levels in zip(columns, self._levels, strict=True) if levels is None]
        if exact.size > _FEW:
            doubtful = ((exact == 0.0) | (exact == 1.0)).any(axis=1)[self._numeric].tolist()
            numbers = list(compress(numbers, doubtful))
        listed = [column for column in numbers if not isinstance(column, np.ndarray)]
        return bool in set(map(type, chain.from_iterable(listed)))

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


class _NotPlain(Exception):
    """A category's value is none of its levels, or no text; a number is none."""


def _levels_packed(column: Column, levels: Mapping[str, float], pack: Callable[..., bytes]) -> bytes:
    """The places of the levels in *column* as doubles, NaN for null. Raises _NotPlain."""
    if isinstance(column, np.ndarray):
        raise _NotPlain
    try:
        return pack(*map(levels.get, column))
    except TypeError:  # a list or an object has no hash
        raise _NotPlain from None
    except struct.error:  # a null, or no level
        coded = list(map(levels.get, column))
        if coded.count(None) != column.count(None):
            raise _NotPlain from None
        return pack(*_with_nan(coded))


def _numbers_packed(column: Column, pack: Callable[..., bytes]) -> bytes:
    """*column* as doubles, NaN for null. Raises _NotPlain, and OverflowError for a whole number that no double holds."""
    if isinstance(column, np.ndarray):
        return column.astype(np.float64).tobytes()
    try:
        return pack(*column)
    except struct.error:  # a null, or no number
        try:
            return pack(*_with_nan(column))
        except struct.error:
            raise _NotPlain from None


def _with_nan(column: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in column]


def _holds_nan(columns: Sequence[Column], exact: Numbers) -> bool:
    """True where one of *columns*, which are *exact* as numbers, has NaN as such: but for arrays, null alone is what absent is spelled."""
    missing = np.isnan(exact)
    return any(
        not isinstance(columns[place], np.ndarray)
        and cast("Sequence[Any]", columns[place]).count(None) != np.count_nonzero(missing[place])
        for place in np.flatnonzero(missing.any(axis=1)).tolist()
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
