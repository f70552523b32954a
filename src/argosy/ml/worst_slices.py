"""Where a model is worst: every score of its task on the values of each column that is sliced by, and of two such columns crossed.

A mean over all rows hides a group that the model fails; two columns that are harmless each may be none together. Slices of fewer rows than
``measuring.smallest_slice`` are left out, and each score has its interval: among many slices the worst is worse than it looks.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from argosy.domain import figures
from argosy.domain.evidence import Table
from argosy.domain.model_settings import Task
from argosy.ml import metrics, performance, score_intervals
from argosy.ml.row_groups import RowGroups
from argosy.ml.score_intervals import Labelled, ScoreInterval

Rows = npt.NDArray[np.int64]

MOST = 5
"""Slices that are shown by the score that gates go by; of every other score the one worst slice is."""
CONFIDENCE = 0.95


def tables(task: Task, found: Labelled, columns: Mapping[str, Sequence[str] | RowGroups], smallest: int) -> list[Table]:
    """The worst slices of *found* by the task's first score, and by each score the worst one; none where no slice is large enough.

    *columns*: column to the values of the rows, as texts; *smallest*: rows of a slice.
    """
    chosen = list(_slices({name: RowGroups.of(groups) for name, groups in columns.items()}, smallest))
    if not chosen:
        return []
    first, sizes = performance.PRIMARY[task], {name: len(rows) for name, rows in chosen}
    measured = [(name, score_intervals.measure(task, found.only(rows), CONFIDENCE)) for name, rows in chosen]
    ranked = {name: _ranked(task, name, measured) for name in score_intervals.NAMES[task]}
    rows = [[name, f"{sizes[name]:,}", _said(score)] for name, score in ranked[first][:MOST]]
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
                [name, _said(whole[name]), _said(each[0][1]), each[0][0], f"{sizes[each[0][0]]:,}"]
                for name, each in ranked.items()
                if each
            ],
        ),
    ]


def _slices(columns: Mapping[str, RowGroups], smallest: int) -> Iterator[tuple[str, Rows]]:
    """The slices of *smallest* rows or more, by one column and by two."""
    for column, value, rows in performance.slices(columns):
        if len(rows) >= smallest:
            yield f"{column} = {value}", rows
    for (column, one), (beside, two) in itertools.combinations(columns.items(), 2):
        crossed = one.codes * len(two.names) + two.codes
        # The cells that have rows, not all there might be: of two columns of many values most are empty.
        cells, places, counts = np.unique(crossed, return_inverse=True, return_counts=True)
        parts = np.split(np.argsort(places, kind="stable"), np.cumsum(counts)[:-1])
        for cell, rows in zip(cells.tolist(), parts, strict=False):
            if len(rows) >= smallest:
                of_one, of_two = divmod(cell, len(two.names))
                yield f"{column} = {one.names[of_one]}, {beside} = {two.names[of_two]}", rows


def _ranked(
    task: Task, score: str, measured: Sequence[tuple[str, Mapping[str, ScoreInterval | None]]]
) -> list[tuple[str, ScoreInterval]]:
    """The slices of which *score* is defined, the worst first."""
    known = [(name, one) for name, scores in measured if (one := scores[score]) is not None]
    best_last = 1 if metrics.direction(task, score) == "maximize" else -1
    return sorted(known, key=lambda each: best_last * each[1].value)


def _said(score: ScoreInterval | None) -> str:
    if score is None:
        return "undefined"
    return f"{figures.number(score.value)} [{figures.number(score.low)}, {figures.number(score.high)}]"
