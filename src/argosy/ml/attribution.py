"""Why a model answers as it does: SHAP values, overall and for single predictions, as numbers and as a sentence.

The values are those of TreeSHAP (Lundberg and others, 2020), which XGBoost calculates exactly and adds up to the margin (log-odds for
classes). Names and values of columns that are personal data appear nowhere.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from argosy.domain import figures
from argosy.domain.bundle import Signature

Array = npt.NDArray[np.float64]
STRONGEST = 3
"""Features a sentence names; a person reads no more."""


def overall(contributions: Array, names: Sequence[str]) -> dict[str, float]:
    """Mean absolute contribution by feature, largest first. *contributions*: row by feature and base, or row by class by those."""
    magnitude = np.abs(contributions[..., :-1])
    means = magnitude.mean(axis=tuple(range(magnitude.ndim - 1)))
    ranked = sorted(zip(names, means, strict=True), key=lambda entry: (-entry[1], entry[0]))
    return {name: round(float(value), 6) for name, value in ranked}


def measure(importance: dict[str, float]) -> dict[str, float | None]:
    """``explainability.top_share``: how much of all contributions the strongest feature has; ``.features_for_ninety``: how many features
    have nine tenths together."""
    total = sum(importance.values())
    if total == 0:
        return {"explainability.top_share": None, "explainability.features_for_ninety": None}
    shares = np.cumsum(list(importance.values())) / total
    return {
        "explainability.top_share": next(iter(importance.values())) / total,
        "explainability.features_for_ninety": float(np.searchsorted(shares, 0.9) + 1),
    }


def sentence(signature: Signature, row: dict[str, float | str | None], contributions: Array, prediction: float) -> str:
    """One prediction in words. *contributions*: of this row, a number a feature and the base; not for multiclass models."""
    parts = []
    shown = [index for index, feature in enumerate(signature.features) if not feature.personal]
    for index in sorted(shown, key=lambda index: -abs(contributions[index]))[:STRONGEST]:
        name = signature.features[index].name
        parts.append(
            f"{name} = {_value(row[name])} {'raises' if contributions[index] > 0 else 'lowers'} it ({contributions[index]:+.2f})"
        )
    return f"{_answer(signature, prediction)}: {'; '.join(parts)}."


def _answer(signature: Signature, prediction: float) -> str:
    if signature.task == "regression":
        return f"Predicted {figures.number(prediction)}"
    threshold = 0.5 if signature.threshold is None else signature.threshold
    decided = signature.classes[int(prediction >= threshold)]
    return f"Decided '{decided}' with {prediction:.0%} for '{signature.classes[1]}' (from {threshold:.0%} on)"


def _value(value: float | str | None) -> str:
    if value is None:
        return "unknown"
    return value if isinstance(value, str) else figures.number(value)
