"""How far a judge and people say the same: Cohen's kappa (1960), with a percentile interval over draws with replacement.

Kappa is what is left of their agreement once that which chance gives is taken out: 1 where they always agree, 0 where chance would do as
well. Answers to one question are drawn together, as they are alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from argosy.ml import resampling
from argosy.ml.resampling import Bootstrap

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class JudgeAgreement:
    """Kappa of two raters who say yes or no, and its interval; None where one of them says the same of every item."""

    items: int
    agreed: int
    kappa: float | None = None
    low: float | None = None
    high: float | None = None


def of(judge: Sequence[bool], people: Sequence[bool], questions: Sequence[str], drawing: Bootstrap) -> JudgeAgreement:
    """The agreement of *judge* with *people* on the same items, each an answer to one of *questions*."""
    if not len(judge) == len(people) == len(questions):
        raise ValueError(f"{len(judge)} judgements, {len(people)} labels and {len(questions)} questions")
    ours, theirs = np.asarray(judge, dtype=float), np.asarray(people, dtype=float)
    agreed = int((ours == theirs).sum())
    if not len(ours) or np.isnan(whole := float(kappas(ours, theirs, np.ones((1, len(ours))))[0])):
        return JudgeAgreement(len(ours), agreed)
    units = resampling.of_columns([pa.chunked_array([list(questions)])])
    blocks = resampling.drawn(units, drawing.resamples, np.random.default_rng(drawing.seed))
    drawn = np.concatenate([kappas(ours, theirs, units.spread(block)) for block in blocks])
    tail = (1 - drawing.confidence) / 2
    # A draw on which one of them says the same of all tells nothing, and counts as no agreement: else few items would look sure.
    low, high = np.quantile(np.nan_to_num(drawn, nan=0.0), [tail, 1 - tail])
    return JudgeAgreement(len(ours), agreed, whole, float(low), float(high))


def kappas(judge: Array, people: Array, weights: Array) -> Array:
    """Kappa with each line of *weights* for the items; NaN where chance alone would agree always."""
    total = weights.sum(axis=1)
    same = weights @ (judge == people).astype(float) / total
    yes, others = weights @ judge / total, weights @ people / total
    chance = yes * others + (1 - yes) * (1 - others)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isclose(chance, 1.0), np.nan, (same - chance) / (1 - chance))
