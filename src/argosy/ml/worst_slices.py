"""Where a model is worst: every score of its task on the values of each column that is sliced by, and of two such columns crossed.

A mean over all rows hides a group that the model fails; two columns that are harmless each may be none together. Slices of fewer rows than
``measuring.smallest_slice`` are left out, and each score has its interval: among many slices the worst is worse than it looks.
"""

import itertools
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from argosy.domain import figures
from argosy.domain.evidence import Table
from argosy.domain.model_settings import Task
from argosy.ml import metrics, performance, score_intervals
from argosy.ml.score_intervals import Labelled, ScoreInterval

Rows = npt.NDArray[np.int64]

MOST = 5
"""Slices that are shown by the score that gates go by; of every other score the one worst slice is."""
CONFIDENCE = 0.95


def tables(task: Task, found: Labelled, columns: Mapping[str, list[str]], smallest: int) -> list[Table]:
    """The worst slices of *found* by the task's first score, and by each score the worst one; none where no slice is large enough.

    *columns*: column to the values of the rows, as texts; *smallest*: rows of a slice.
    """
    chosen = {name: rows for name, rows in _slices(columns) if len(rows) >= smallest}
    if not chosen:
        return []
    first = performance.PRIMARY[task]
    ranked = {name: _ranked(task, name, found, chosen) for name in score_intervals.NAMES[task]}
    rows = [[name, f"{len(chosen[name]):,}", _said(score)] for name, score in ranked[first][:MOST]]
    whole = score_intervals.measure(task, found, CONFIDENCE)
    return [
        Table(
            title=f"Where {first} is worst, of {len(chosen)} slices by one column or two",
            dimension="performance",
            header=["Slice", "Rows", f"{first} [95 %]"],
            rows=[["all", f"{len(found):,}", _said(whole[first])], *rows],
        ),
        Table(
            title="Every score, on all rows and where it is worst",
            dimension="performance",
            header=["Score", "All [95 %]", "Worst [95 %]", "Slice", "Rows"],
            rows=[
                [name, _said(whole[name]), _said(each[0][1]), each[0][0], f"{len(chosen[each[0][0]]):,}"]
                for name, each in ranked.items()
                if each
            ],
        ),
    ]


def _slices(columns: Mapping[str, list[str]]) -> Iterator[tuple[str, Rows]]:
    single: dict[str, list[tuple[str, Rows]]] = {}
    for column, value, rows in performance.slices(columns):
        single.setdefault(column, []).append((f"{column} = {value}", rows))
        yield f"{column} = {value}", rows
    for one, other in itertools.combinations(single.values(), 2):
        for (name, rows), (also, others) in itertools.product(one, other):
            yield f"{name}, {also}", np.intersect1d(rows, others, assume_unique=True)


def _ranked(task: Task, score: str, found: Labelled, chosen: Mapping[str, Rows]) -> list[tuple[str, ScoreInterval]]:
    """The slices of which *score* is defined, the worst first."""
    measured = (
        (name, score_intervals.interval(task, score, found.only(rows), CONFIDENCE)) for name, rows in chosen.items()
    )
    known = [(name, one) for name, one in measured if one is not None]
    best_last = 1 if metrics.direction(task, score) == "maximize" else -1
    return sorted(known, key=lambda each: best_last * each[1].value)


def _said(score: ScoreInterval | None) -> str:
    if score is None:
        return "undefined"
    return f"{figures.number(score.value)} [{figures.number(score.low)}, {figures.number(score.high)}]"
