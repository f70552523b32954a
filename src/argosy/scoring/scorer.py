"""Scores tables as the server scores rows: the same checks by the same policy, and the same bits, a column at a time.

A row that the server would refuse has no answer: it is kept aside with the reason.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from argosy import errors
from argosy.domain.data import FeatureColumn
from argosy.ml.encoding import LARGEST
from argosy.ml.predictor import Predictor, UndefinedPrediction
from argosy.scoring.parts import UNREADABLE

Mask = npt.NDArray[np.bool_]
REASON = "refused_because"


@dataclass(frozen=True)
class Scored:
    """One batch, scored."""

    rows: pa.Table
    """The rows that have an answer, with all their columns; features as the model took them: numbers as float64, categories as text."""
    predictions: npt.NDArray[np.float64]
    decisions: list[str] | None
    """None for a regression."""
    refused: pa.Table
    """The other rows, with the column ``REASON``."""
    missing: Counter[str] = field(default_factory=Counter)
    """Values that the model was not made for and that were scored as missing, by feature."""


class BatchScorer:
    """Scores with one model."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._features = predictor.signature.features

    def score(self, table: pa.Table, where: str) -> Scored:
        """The answers to the rows of *table*, which *where* names. Raises Misconfigured for columns that are absent or of another kind."""
        told: list[str | None] = [None] * table.num_rows
        if UNREADABLE in table.column_names:
            told, table = table.column(UNREADABLE).to_pylist(), table.drop_columns(UNREADABLE)
        table = self._typed(table, where)
        reasons, missing = self._judged(table, told)
        keeps = np.array([reason is None for reason in reasons], dtype=bool)
        rows = table if keeps.all() else table.filter(pa.array(keeps))
        refused = table.filter(pa.array(~keeps))
        refused = refused.append_column(REASON, pa.array([reason for reason in reasons if reason], pa.string()))
        try:
            predictions = self._predictor.predict_table(rows)
        except UndefinedPrediction as error:
            raise errors.Rejected(f"{where}: {error}") from error
        decides = self._predictor.signature.task != "regression"
        return Scored(rows, predictions, self._predictor.decide(predictions) if decides else None, refused, missing)

    def _typed(self, table: pa.Table, where: str) -> pa.Table:
        absent = [column.name for column in self._features if column.name not in table.column_names]
        if absent:
            listed = ", ".join(absent[:10]) + (f" and {len(absent) - 10} more" if len(absent) > 10 else "")
            raise errors.Misconfigured(
                f"{where} lacks {listed}; the model takes every feature of its signature as a column"
            )
        for column in self._features:
            place = table.schema.get_field_index(column.name)
            if place < 0:
                raise errors.Misconfigured(f"{where} has the column {column.name} twice")
            table = table.set_column(place, column.name, _as_taken(table.column(place), column, where))
        return table

    def _judged(self, table: pa.Table, told: list[str | None]) -> tuple[list[str | None], Counter[str]]:
        """For each row why it has no answer, or None, where nothing was *told* of it; and how many values were taken for missing."""
        policy = self._predictor.signature.serving
        reasons, missing = list(told), Counter[str]()
        readable = np.array([reason is None for reason in told], dtype=bool)
        for column in self._features:
            for kind, refuses, found in (
                ("not a number that a model can take", True, _beyond(table, column)),
                ("unknown level", policy.unknown_level == "refuse", _unknown(table, column)),
                ("unexpected null", policy.unexpected_null == "refuse", _null(table, column)),
            ):
                if not refuses:
                    missing[column.name] += int((found & readable).sum())
                    continue
                for row in np.flatnonzero(found):
                    reasons[row] = reasons[row] or f"{column.name}: {kind}"
        return reasons, +missing


def levels_known(table: pa.Table, column: FeatureColumn) -> Mask:
    """True where the category *column* has a level that the model knows; False for null too."""
    known = pc.is_in(table.column(column.name), value_set=pa.array(column.levels or [], pa.string()), skip_nulls=True)
    return np.asarray(known.to_numpy(zero_copy_only=False), dtype=bool)


def _beyond(table: pa.Table, column: FeatureColumn) -> Mask:
    if column.type != "number":
        return np.zeros(table.num_rows, dtype=bool)
    values = np.asarray(table.column(column.name).to_numpy(), dtype=np.float64)
    found: Mask = np.abs(values) > LARGEST
    return found


def _unknown(table: pa.Table, column: FeatureColumn) -> Mask:
    if column.type != "category":
        return np.zeros(table.num_rows, dtype=bool)
    return ~levels_known(table, column) & ~_is_null(table, column)


def _null(table: pa.Table, column: FeatureColumn) -> Mask:
    return np.zeros(table.num_rows, dtype=bool) if column.nullable else _is_null(table, column)


def _is_null(table: pa.Table, column: FeatureColumn) -> Mask:
    nulls = pc.is_null(table.column(column.name), nan_is_null=True)
    return np.asarray(nulls.to_numpy(zero_copy_only=False), dtype=bool)


def _as_taken(values: pa.ChunkedArray, column: FeatureColumn, where: str) -> pa.ChunkedArray:
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    number = (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    )
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if not (pa.types.is_null(kind) or (number if column.type == "number" else text)):
        wanted = "numbers" if column.type == "number" else "text"
        raise errors.Misconfigured(f"{where}: column {column.name} is {kind}, and the model takes {wanted} there")
    if column.type == "category":
        return values.cast(pa.string())
    # As JSON's numbers become doubles: the nearest one.
    return (
        values.cast(kind).cast(pa.float64(), safe=False)
        if not pa.types.is_boolean(kind)
        else values.cast(pa.int8()).cast(pa.float64())
    )
