"""Why a row got its prediction: asked for by ``:explain`` of V1, or by a parameter or an output of V2.

A prediction that is explained is predicted, counted and logged like any other. What is personal data is not named; values that the online
store has are not told either, since whoever may ask for a prediction by id may not read features by it.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from argosy.domain.bundle import Signature
from argosy.ml import attribution
from argosy.ml.attribution import RowAttribution
from argosy.serving.request_columns import RequestColumns
from argosy.serving.request_problems import RequestProblem

MOST_ROWS = 100
"""Rows of one request; with a deep model each takes milliseconds."""


def asked_why(asked: RequestColumns, field: str) -> RequestColumns:
    """*asked*, to be explained. Raises RequestProblem (413), which names *field*, where it has too many rows for that."""
    if asked.count > MOST_ROWS:
        message = f"{asked.count} rows came; at most {MOST_ROWS} are explained at once"
        raise RequestProblem(413, message, field=field)
    return replace(asked, explained=True)


def explanations(
    signature: Signature,
    asked: RequestColumns,
    contributions: npt.NDArray[np.float64],
    predictions: npt.NDArray[np.float64],
) -> list[RowAttribution]:
    """The explanation of each row *asked* for."""
    stored = set(asked.by_id)
    told = [None if place in stored else asked.row(place) for place in range(asked.count)]
    return [
        attribution.of_row(signature, row, own, prediction)
        for row, own, prediction in zip(told, contributions, predictions, strict=True)
    ]


def as_json(given: RowAttribution) -> dict[str, Any]:
    """*given* as JSON has it."""
    return {
        "sentence": given.sentence,
        "scale": given.scale,
        "base": given.base,
        "contributions": given.contributions,
        "rest": given.rest,
    }
