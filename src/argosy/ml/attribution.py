"""Why a model answers as it does: SHAP values, overall and for single predictions, as numbers and as a sentence.

The values are those of TreeSHAP (Lundberg and others, 2020), which XGBoost calculates exactly and adds up to the margin (log-odds for
classes). Names and values of columns that are personal data appear nowhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argosy.domain import figures
from argosy.domain.bundle import Signature

Array = npt.NDArray[np.float64]
Row = Mapping[str, float | str | None]
DIGITS = 6
SMALLEST = 0.005
"""Contributions below it read as 0.00; no sentence names them."""
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


@dataclass(frozen=True, slots=True)
class RowAttribution:
    """Why one row got its prediction."""

    sentence: str
    """The prediction and the features that moved it most, for a person."""
    scale: str
    """What the numbers add up to."""
    base: float
    """The mean over the rows of training."""
    contributions: dict[str, float]
    """By feature, strongest first; none that is personal data."""
    rest: float
    """Of all features that are not named."""


def of_row(signature: Signature, row: Row | None, contributions: Array, prediction: Array | float) -> RowAttribution:
    """The attribution of one row. *row* is None where its values are not for whoever reads this; then they are not named.

    *contributions*: a number a feature and the base; for multiclass models a line of them a class, of which the one decided for counts.
    """
    own = contributions[int(np.argmax(prediction))] if signature.task == "multiclass" else contributions
    named = _strongest(signature, own)
    shares = {signature.features[index].name: round(float(own[index]), DIGITS) for index in named}
    return RowAttribution(
        sentence=sentence(signature, row, own, prediction),
        scale=_scale(signature, prediction),
        base=round(float(own[-1]), DIGITS),
        contributions=shares,
        rest=round(float(np.delete(own[:-1], named).sum()), DIGITS),
    )


def sentence(signature: Signature, row: Row | None, contributions: Array, prediction: Array | float) -> str:
    """One prediction in words. *row*: as :func:`of_row` says. *contributions*: a number a feature and the base, of multiclass models those
    to the class decided for."""
    parts = []
    moved = [index for index in _strongest(signature, contributions) if abs(contributions[index]) >= SMALLEST]
    for index in moved[:STRONGEST]:
        name = signature.features[index].name
        shown = name if row is None else f"{name} = {_value(row[name])}"
        parts.append(
            f"{shown} {'raises' if contributions[index] > 0 else 'lowers'} it ({_moved(contributions[index])})"
        )
    reasons = "; ".join(parts) or "nothing that may be named moves it"
    return f"{_answer(signature, prediction)}: {reasons}."


def _moved(contribution: float) -> str:
    return f"{contribution:+.2f}" if abs(contribution) < 1000 else figures.signed(contribution)


def _strongest(signature: Signature, contributions: Array) -> list[int]:
    """Places of the features that may be named, the strongest first."""
    shown = [index for index, feature in enumerate(signature.features) if not feature.personal]
    return sorted(shown, key=lambda index: -abs(contributions[index]))


def _scale(signature: Signature, prediction: Array | float) -> str:
    if signature.task == "regression":
        return "the value"
    if signature.task == "binary":
        return f"log-odds of '{signature.classes[1]}'"
    return f"score of '{signature.classes[int(np.argmax(prediction))]}' before softmax"


def _answer(signature: Signature, prediction: Array | float) -> str:
    if signature.task == "regression":
        return f"Predicted {figures.number(float(prediction))}"
    if signature.task == "multiclass":
        return f"Decided '{signature.classes[int(np.argmax(prediction))]}' with {float(np.max(prediction)):.0%}"
    threshold = 0.5 if signature.threshold is None else signature.threshold
    decided = signature.classes[int(prediction >= threshold)]
    return f"Decided '{decided}' with {prediction:.0%} for '{signature.classes[1]}' (from {threshold:.0%} on)"


def _value(value: float | str | None) -> str:
    if value is None:
        return "unknown"
    return value if isinstance(value, str) else figures.number(value)
