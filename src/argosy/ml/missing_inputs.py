"""What a model's answers are worth when columns are missing at serving: each by itself, as rows have had them missing, and a whole view.

Each is tried on the same drawn rows, whose answers as they are it is held against.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from argosy.domain.data import FeatureColumn
from argosy.domain.evidence import Table
from argosy.domain.measuring import Measuring
from argosy.domain.model_settings import Task
from argosy.ml import metrics, performance, sampled
from argosy.ml.sampled import Array, Matrix, Predict

PURPOSE = 2
MOST_PATTERNS = 10
"""Patterns that are tried, the commonest."""
MOST_ASKED = 200_000
"""Predictions in all; with more columns there are fewer rows."""
FEWEST_ROWS = 100
SHOWN = 5


@dataclass(frozen=True)
class MissingPattern:
    """Columns that are missing together."""

    name: str
    columns: tuple[int, ...]
    kind: str
    """``column``, ``observed`` or ``view``."""


def measure(
    task: Task,
    predict: Predict,
    matrix: Matrix,
    labels: Array,
    features: Sequence[FeatureColumn],
    threshold: float,
    seed: int,
    measuring: Measuring,
) -> tuple[dict[str, float | None], Table]:
    """``robustness.missing_column_drop`` and ``.missing_pattern_drop``: how much the primary score falls at worst.

    The first without one column, the second as any row of the holdout had columns missing, or without a whole view; 0 where nothing was
    ever missing. Both are None where the score is.
    """
    patterns = [*_columns(features), *_observed(matrix, features), *_views(features)]
    most = max(FEWEST_ROWS, min(measuring.rows, MOST_ASKED // len(patterns)))
    places = sampled.rows(len(matrix), most, seed, PURPOSE)
    rows, truth = matrix[places], labels[places]

    def remove(block: Matrix, number: int) -> None:
        block[:, list(patterns[number].columns)] = np.nan

    before = predict(rows)
    answers = sampled.variants(predict, rows, len(patterns), remove)
    base = performance.primary(task, truth, before)
    drops = [base - performance.primary(task, truth, each) for each in answers]
    turned = [_turned(task, each, before, threshold, float(labels.std()) or 1.0) for each in answers]
    found = {
        "robustness.missing_column_drop": _worst(drops, patterns, {"column"}),
        "robustness.missing_pattern_drop": _worst(drops, patterns, {"observed", "view"}),
    }
    # Of columns those that cost most, of patterns all: those are few, and did come.
    ranked = sorted(range(len(patterns)), key=lambda place: (-_order(drops[place]), place))
    worst = [place for place in ranked if patterns[place].kind == "column"][:SHOWN]
    joint = [place for place in ranked if patterns[place].kind != "column"]
    lines = [
        [patterns[place].name, f"{base - drops[place]:.4f}", f"{0.0 - drops[place]:+.4f}", _told(task, turned[place])]
        for place in [*worst, *joint]
    ]
    return found, Table(
        title=f"Missing at serving, on {len(rows):,} drawn rows",
        dimension="robustness",
        header=[
            "Missing",
            performance.PRIMARY[task],
            "Change",
            "Answers moved by" if task == "regression" else "Decisions turned",
        ],
        rows=lines,
    )


def _columns(features: Sequence[FeatureColumn]) -> Iterator[MissingPattern]:
    for place, feature in enumerate(features):
        yield MissingPattern(feature.name, (place,), "column")


def _observed(matrix: Matrix, features: Sequence[FeatureColumn]) -> list[MissingPattern]:
    """The commonest ways in which rows of the holdout have columns missing."""
    absent = np.isnan(matrix)
    packed = np.packbits(absent[absent.any(axis=1)], axis=1)
    if not len(packed):
        return []
    kinds, counts = np.unique(packed, axis=0, return_counts=True)
    commonest = np.argsort(-counts, kind="stable")[:MOST_PATTERNS]
    found = []
    for place in commonest:
        columns = tuple(np.flatnonzero(np.unpackbits(kinds[place], count=len(features))).tolist())
        named = ", ".join(features[column].name for column in columns[:SHOWN])
        more = f" and {len(columns) - SHOWN} more" if len(columns) > SHOWN else ""
        found.append(MissingPattern(f"{named}{more}: as in {counts[place]:,} rows", columns, "observed"))
    return found


def _views(features: Sequence[FeatureColumn]) -> Iterator[MissingPattern]:
    """Everything of one view, where the model has several: its source is late."""
    names = list(dict.fromkeys(feature.view for feature in features))
    for name in names if len(names) > 1 else ():
        columns = tuple(place for place, feature in enumerate(features) if feature.view == name)
        yield MissingPattern(f"all of the view {name}", columns, "view")


def _turned(task: Task, after: Array, before: Array, threshold: float, scale: float) -> float:
    if task == "regression":
        return float(np.abs(after - before).mean()) / scale
    return float((metrics.decisions(task, after, threshold) != metrics.decisions(task, before, threshold)).mean())


def _told(task: Task, turned: float) -> str:
    return f"{turned:.3f} standard deviations" if task == "regression" else f"{turned:.2%}"


def _order(drop: float) -> float:
    return drop if np.isfinite(drop) else -np.inf


def _worst(drops: Sequence[float], patterns: Sequence[MissingPattern], kinds: set[str]) -> float | None:
    own = [drop for drop, pattern in zip(drops, patterns, strict=True) if pattern.kind in kinds]
    if np.isnan(drops).any():
        return None
    return max(own, default=0.0)
