"""Answers to a whole small table in its own order, a row each: for whoever looks at a model by hand, in a notebook or at a prompt.

Checks, refusals and bits are ``scorer``'s, and so the server's; nothing is logged. Large tables are ``job``'s.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from argosy import errors
from argosy.domain.bundle import Signature
from argosy.domain.data import FeatureColumn
from argosy.ml.predictor import Predictor
from argosy.scoring import parts, scorer
from argosy.scoring.scorer import BatchScorer, Scored

PREDICTION, DECISION = "prediction", "decision"
PLACE = "__argosy_place"


def of(predictor: Predictor, table: pa.Table, where: str) -> pa.Table:
    """The answers to the rows of *table*, which *where* names: a row each, in order, null where the server would refuse the row.

    Columns: ``prediction`` (of several classes ``prediction_<class>`` each), ``decision`` unless it is a regression, and, where a row was
    refused, ``refused_because``. Raises Misconfigured for columns that are absent or of another kind.
    """
    places = pa.array(np.arange(table.num_rows), pa.int64())
    scored = BatchScorer(predictor).score(table.append_column(PLACE, places), where)
    columns = dict(_answers(predictor.signature, scored, table.num_rows))
    if scored.refused.num_rows:
        reasons = scored.refused.column(scorer.REASON).to_pylist()
        columns[scorer.REASON] = _placed(scored.refused, reasons, table.num_rows, pa.string())
    return pa.table(columns)


def beside(table: pa.Table, answers: pa.Table, asked: Sequence[FeatureColumn], *, features: bool) -> pa.Table:
    """*answers* beside the columns of *table* that are none of those *asked*, and with *features* of all.

    Raises Misconfigured for a name twice.
    """
    left_out = {parts.UNREADABLE} | (set() if features else {column.name for column in asked})
    kept = table.select([name for name in table.column_names if name not in left_out])
    taken = next((name for name in answers.column_names if name in kept.column_names), None)
    if taken is not None:
        raise errors.Misconfigured(f"the column {taken!r} of the table is called like one of the answers; rename it")
    for name in answers.column_names:
        kept = kept.append_column(name, answers.column(name))
    return kept if kept.num_columns > answers.num_columns else answers


def _answers(signature: Signature, scored: Scored, rows: int) -> list[tuple[str, pa.Array]]:
    found = scored.predictions
    by_column = [(PREDICTION, found.ravel())]
    if signature.task == "multiclass":
        found = found.reshape(
            scored.rows.num_rows, len(signature.classes)
        )  # XGBoost's answer to no rows has no columns
        by_column = [(f"{PREDICTION}_{name}", found[:, place]) for place, name in enumerate(signature.classes)]
    columns = [(name, _placed(scored.rows, values.tolist(), rows, pa.float64())) for name, values in by_column]
    if scored.decisions is not None:
        columns.append((DECISION, _placed(scored.rows, scored.decisions, rows, pa.string())))
    return columns


def _placed(those: pa.Table, values: Sequence[object], rows: int, kind: pa.DataType) -> pa.Array:
    """*values*, one of each of *those* rows, at the places that these have among all *rows*."""
    placed: list[object] = [None] * rows
    for place, value in zip(those.column(PLACE).to_pylist(), values, strict=True):
        placed[place] = value
    return pa.array(placed, kind)
