"""Reads what a caller sent as columns, a list a feature, without looking at a value by itself.

That is for requests with which nothing is wrong, nearly all. Any other goes to :mod:`argosy.serving.rows`, which looks at each value, says
which field is wrong, and takes the rare forms: rows by name and by place in one request, some by join key alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import numpy as np

from argosy.domain.bundle import Signature
from argosy.ml.encoding import Column, EncodedColumns, Encoder, Matrix
from argosy.serving.request_problems import RequestProblem
from argosy.serving.request_spans import RequestTrace
from argosy.serving.rows import Row, RowReader, Value, Where, entity

Entity = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class RequestColumns:
    """The rows of one request, in columns."""

    count: int
    """Rows."""
    features: Mapping[str, Sequence[Value]]
    """By name, in the model's order; null where the online store has them, until they are looked up."""
    entities: Sequence[Entity | None] | None
    """Per row its join keys, None where the caller gave none; None where no row has any."""
    by_id: Sequence[int]
    """Places of the rows whose features the online store has."""
    where: Where
    encoded: EncodedColumns | None = None
    """The features as the model takes them; None where they are not all there yet, or one of them is not as plain as it may be."""
    explained: bool = False
    """Whether each answer is to say why."""
    expired: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """By the place of a row that was looked up: the features whose values in the online store have outlived their view, and are null."""
    trace: RequestTrace | None = None
    """What notes how long each stage takes; None where the request is not recorded."""

    @property
    def matrix(self) -> Matrix | None:
        """The rows that the model is asked with, where they are encoded."""
        return None if self.encoded is None else self.encoded.matrix

    def row(self, place: int) -> Mapping[str, Value]:
        """The features of one row."""
        return {name: values[place] for name, values in self.features.items()}

    def rows(self) -> list[Mapping[str, Value]]:
        """The features of every row."""
        return [dict(zip(self.features, row, strict=True)) for row in zip(*self.features.values(), strict=True)]


class ListedColumns(Mapping[str, Sequence[Value]]):
    """Columns, some of which came as arrays: nearly no request needs their values one by one, so they are listed for whoever asks."""

    __slots__ = ("_columns",)

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = columns

    def __getitem__(self, name: str) -> Sequence[Value]:
        return listed(self._columns[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def listed(column: Column) -> Sequence[Any]:
    """*column* as JSON has it; NaN in an array is null."""
    if not isinstance(column, np.ndarray):
        return column
    values: list[Any] = column.tolist()
    if column.dtype.kind != "f" or not (missing := np.isnan(column)).any():
        return values
    return [None if absent else value for absent, value in zip(missing.tolist(), values, strict=True)]


class ColumnReader:
    """Reads rows and columns for one signature."""

    def __init__(self, signature: Signature) -> None:
        self._careful = RowReader(signature)
        self._encoder = Encoder(signature.features)
        self._features = list(self._encoder.names)
        self._keys = sorted(signature.join_keys)
        self._apart = bool(self._keys) and not set(self._keys) & set(self._features)
        self._by_name = getter(self._features)
        self._with_keys = getter([*self._features, *self._keys])
        self._keys_alone = getter(self._keys)
        self.names = self._careful.names
        self.most_columns = len(self.names)

    def rows(self, instances: Sequence[Any], where: Where) -> RequestColumns:
        """*instances*, each an object or a list, as columns. Raises RequestProblem (422) with the field, as *where* names it."""
        found = self._plain_rows(instances, where)
        return self._looked_at(instances, where) if found is None else found

    def columns(self, columns: Mapping[str, Column], count: int, where: Where) -> RequestColumns:
        """*columns* by name, each with *count* values, as columns in the model's order. Raises as :meth:`rows`."""
        found = self.plain_columns(columns, count, where)
        if found is not None:
            return found
        instances = [dict(zip(columns, row, strict=True)) for row in zip(*map(listed, columns.values()), strict=True)]
        return self._looked_at(instances, where)

    def in_order(self, columns: Sequence[Column], count: int, where: Where) -> RequestColumns:
        """*columns* in the model's order, one a feature. Raises as :meth:`rows`."""
        return self.columns(dict(zip(self._features, columns, strict=True)), count, where)

    def encoded(self, features: Mapping[str, Sequence[Value]]) -> EncodedColumns | None:
        """*features*, in the model's order, as the model takes them; None where :meth:`Encoder.columns` gives none."""
        return self._encoder.columns(list(features.values()))

    def encoded_rows(self, rows: Sequence[Mapping[str, Value]]) -> Matrix:
        """*rows* as the model takes them, each value looked at; what is no level counts as missing. Raises BadValue."""
        return self._encoder.rows(rows)

    def _plain_rows(self, instances: Sequence[Any], where: Where) -> RequestColumns | None:
        """Rows that all have one plain form, as columns; None where they have not."""
        kinds, lengths = set(map(type, instances)), _lengths(instances)
        count, width = len(instances), len(self._features)
        if kinds == {list} and lengths == {width}:
            return self._plain(list(zip(*instances, strict=True)), count, None, where)
        if kinds != {dict}:
            return None
        try:
            if lengths == {width}:
                return self._plain(list(zip(*map(self._by_name, instances), strict=True)), count, None, where)
            if not self._apart:
                return None
            if lengths == {width + len(self._keys)}:
                columns = list(zip(*map(self._with_keys, instances), strict=True))
                return self._plain(columns[:width], count, self._entities(columns[width:]), where)
            if lengths == {len(self._keys)}:
                return self._by_id(list(zip(*map(self._keys_alone, instances), strict=True)), count, where)
        except (KeyError, RequestProblem):
            pass
        return None

    def plain_columns(self, columns: Mapping[str, Column], count: int, where: Where) -> RequestColumns | None:
        """*columns* as :meth:`columns` has them, where they have a plain form; None where they have not, or something is wrong."""
        width, keys = len(self._features), len(self._keys)
        try:
            if len(columns) == width:
                return self._plain([columns[name] for name in self._features], count, None, where)
            if self._apart and len(columns) == width + keys:
                entities = self._entities([listed(columns[name]) for name in self._keys])
                return self._plain([columns[name] for name in self._features], count, entities, where)
            if self._apart and len(columns) == keys:
                return self._by_id([listed(columns[name]) for name in self._keys], count, where)
        except (KeyError, RequestProblem):
            pass
        return None

    def _plain(
        self, columns: Sequence[Column], count: int, entities: Sequence[Entity] | None, where: Where
    ) -> RequestColumns | None:
        """The request of *columns*, one a feature, if nothing is wrong with any value."""
        encoded = self._encoder.columns(columns)
        if encoded is None:
            return None
        features = ListedColumns(dict(zip(self._features, columns, strict=True)))
        return RequestColumns(count, features, entities, (), where, encoded)

    def _by_id(self, keys: Sequence[Sequence[Any]], count: int, where: Where) -> RequestColumns:
        """The request of join keys alone, a column a key. Raises RequestProblem where one is none."""
        nothing = [None] * count
        return RequestColumns(count, dict.fromkeys(self._features, nothing), self._entities(keys), range(count), where)

    def _entities(self, columns: Sequence[Sequence[Any]]) -> list[Entity]:
        """The join keys of each row, from a column a key. Raises RequestProblem where one is none."""
        return [entity(dict(zip(self._keys, row, strict=True))) for row in zip(*columns, strict=True)]

    def _looked_at(self, instances: Sequence[Any], where: Where) -> RequestColumns:
        rows = self._careful.read_all(instances, where)
        return self._of_rows(rows, where)

    def _of_rows(self, rows: Sequence[Row], where: Where) -> RequestColumns:
        by_id = [place for place, row in enumerate(rows) if row.features is None]
        nothing: Mapping[str, Value] = dict.fromkeys(self._features)
        given = [nothing if row.features is None else row.features for row in rows]
        features = {name: [row[name] for row in given] for name in self._features}
        encoded = None if by_id else self._encoder.columns(list(features.values()))
        return RequestColumns(len(rows), features, [row.entity for row in rows], by_id, where, encoded)


def getter(names: Sequence[str]) -> Any:
    """What takes the values of *names*, as a tuple, out of an object."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda given: tuple(given[name] for name in names)


def _lengths(instances: Sequence[Any]) -> set[int]:
    try:
        return set(map(len, instances))
    except TypeError:  # a number has none
        return set()
