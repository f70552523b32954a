"""Takes the measurements that installed packages bring, each under ``own.<package's name for it>.<value's name>``."""

import math
import re
from collections.abc import Mapping

from argosy import errors
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import OWN
from argosy.ml.frames import Examples
from argosy.ml.predictor import Predictor
from argosy.ports.measures import JudgedRows, OwnMeasure

NAME = re.compile(r"[a-z][a-z0-9_]*")


def taken(
    measures: Mapping[str, OwnMeasure], settings: ModelSettings, predictor: Predictor, holdout: Examples
) -> dict[str, float | None]:
    """What each of *measures* says of *predictor* on *holdout*. Raises Misconfigured, with whose fault it is, where one fails."""
    if not measures:
        return {}
    judged = JudgedRows(
        task=settings.task,
        classes=tuple(settings.label.classes),
        table=holdout.table,
        labels=holdout.labels,
        predictions=predictor.predict_matrix(holdout.matrix),
        threshold=predictor.signature.threshold,
    )
    found: dict[str, float | None] = {}
    for name, measure in measures.items():
        for key, value in _said(name, measure, judged).items():
            found[f"{OWN}.{name}.{key}"] = value
    return found


def _said(name: str, measure: OwnMeasure, judged: JudgedRows) -> dict[str, float | None]:
    try:
        said = dict(measure(judged))
        values = {key: None if value is None else float(value) for key, value in said.items()}
    except Exception as error:  # code of others may fail in any way; that it did must not look like a value
        raise errors.Misconfigured(
            f"the measurement {name!r}, which an installed package brings, failed: {type(error).__name__}: {error}"
        ) from error
    if odd := next((key for key in values if not NAME.fullmatch(str(key))), None):
        raise errors.Misconfigured(
            f"the measurement {name!r} calls a value {odd!r}; names are lower case letters, digits and underscores"
        )
    return {key: value if value is not None and math.isfinite(value) else None for key, value in values.items()}
