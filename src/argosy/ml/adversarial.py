"""Adversarial search: can a row's decision be turned by changing few of its columns, each to a value that it might well have?

A greedy search over several columns, all candidates of all rows asked in one batch: of every column that is not changed yet, every value
in reach; the change that brings a decision nearest to turning is kept, then the next. A number moves by a stated part of its standard
deviation at most, and stays within what the holdout has of it; one that is whole there moves by whole steps; what is missing stays so. A
category, or a number of two values, may become any other level that the holdout has. The search is no proof: what it does not turn, others
may.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from argosy.domain.evidence import Table
from argosy.domain.measuring import Measuring
from argosy.domain.model_settings import Task
from argosy.ml import metrics, sampled
from argosy.ml.sampled import Array, Matrix, Places, Predict

MOST_COLUMNS = 40
"""Columns that are searched: of more, those that the model goes by most."""
MOST_LEVELS = 12
"""Levels of a category that are tried, the commonest."""
PURPOSE = 1
STEPS = (-1.0, -0.5, 0.5, 1.0)
"""Parts of the reach that a number is moved by: trees do not answer in proportion."""


@dataclass(frozen=True)
class Tampering:
    """One way to change one column of every row."""

    column: int
    to: float | None = None
    """The level that a category becomes."""
    by: float = 0.0
    low: float = 0.0
    high: float = 0.0
    whole: bool = False

    def apply(self, values: Matrix) -> None:
        """Change *values*, the column of some rows, in place; what is missing stays so."""
        known = ~np.isnan(values)
        if self.to is not None:
            values[known] = self.to
            return
        # What lies outside already, in a row of an odd kind, is not moved further out.
        moved = np.clip(
            values[known] + self.by, np.minimum(self.low, values[known]), np.maximum(self.high, values[known])
        )
        values[known] = np.round(moved) if self.whole else moved


@dataclass(frozen=True)
class AttackOutcome:
    """What a search came to."""

    turned: Places
    """For each row after how many changed columns its decision had turned; 0 where it never did. None turn of a regression."""
    moved: Array
    """For each number of changed columns, how far the answers of a regression had moved on average, in standard deviations of the label."""
    used: list[int]
    """The columns that were changed in rows that turned (of a regression, in all), as often as they were."""

    def share(self, columns: int) -> float:
        """Of the rows, those that turned with *columns* changed or fewer; of a regression how far they moved."""
        if len(self.moved):
            return float(self.moved[columns - 1])
        return float(((self.turned > 0) & (self.turned <= columns)).mean())


def measure(
    task: Task,
    predict: Predict,
    matrix: Matrix,
    scale: float,
    names: list[str],
    numeric: list[int],
    importance: list[float],
    threshold: float,
    seed: int,
    measuring: Measuring,
) -> tuple[dict[str, float | None], Table]:
    """``robustness.adversarial_flip_rate``, by numbers alone, ``.adversarial_flip_rate_any``, by categories too; and by how many columns.

    Share of the drawn rows whose decision turns; of a regression how far answers move on average, in *scale*, the label's standard
    deviation. *importance*: of each column.
    """
    rows = matrix[sampled.rows(len(matrix), measuring.attacked_rows, seed, PURPOSE)]
    ranked = sorted(range(len(names)), key=lambda column: (-importance[column], column))[:MOST_COLUMNS]
    numbers = [each for column in ranked if column in set(numeric) for each in _moves(matrix, column, measuring.reach)]
    levels = [each for column in ranked for each in _levels(matrix, column, numeric=column in set(numeric))]
    asked = (task, predict, rows, threshold, scale, measuring.attacked_columns)
    of_numbers, of_any = search(*asked, numbers), search(*asked, [*numbers, *levels])
    most = measuring.attacked_columns
    found: dict[str, float | None] = {
        "robustness.adversarial_flip_rate": of_numbers.share(most),
        "robustness.adversarial_flip_rate_any": max(of_any.share(most), of_numbers.share(most)),
    }
    lines = [
        [
            str(count),
            _told(task, of_numbers.share(count)),
            _told(task, max(of_any.share(count), of_numbers.share(count))),
        ]
        for count in range(1, most + 1)
    ]
    commonest = [_commonest(each.used, names) for each in (of_numbers, of_any)]
    what = "answers moved by, in standard deviations of the label" if task == "regression" else "decisions turned"
    searched = "" if len(ranked) == len(names) else f" of the {len(ranked)} it goes by most"
    return found, Table(
        title=f"Adversarial search over {len(rows):,} drawn rows: {what}",
        dimension="robustness",
        header=[
            f"Columns changed{searched}",
            f"numbers, by {measuring.reach:g} standard deviations at most",
            "categories too",
        ],
        rows=[*lines, ["changed most often", *commonest]],
    )


def search(
    task: Task, predict: Predict, rows: Matrix, threshold: float, scale: float, columns: int, changes: list[Tampering]
) -> AttackOutcome:
    """Change up to *columns* columns of each of *rows*, each once, by *changes*."""
    before = predict(rows)
    decided = (
        np.zeros(len(rows), dtype=np.int64) if task == "regression" else metrics.decisions(task, before, threshold)
    )
    current, turned = rows.copy(), np.zeros(len(rows), dtype=np.int64)
    own = np.array([change.column for change in changes], dtype=np.int64)
    chosen = np.full((len(rows), columns), -1, dtype=np.int64)
    nearest, moved = np.zeros(len(rows)), []
    for count in range(columns if changes else 0):
        open_rows = np.flatnonzero(turned == 0)
        if not len(open_rows):
            break
        answers = sampled.variants(
            predict,
            current[open_rows],
            len(changes),
            lambda block, number: changes[number].apply(block[:, changes[number].column]),
        )
        gain = np.stack([_towards(task, each, before[open_rows], decided[open_rows], scale) for each in answers])
        gain[(own[:, None, None] == chosen[open_rows][None]).any(axis=2)] = -np.inf
        best = gain.argmax(axis=0)
        reached = gain[best, np.arange(len(open_rows))]
        if task == "regression":
            # A further change that moves an answer back is none.
            kept = reached > nearest[open_rows]
        else:
            kept = np.isfinite(reached)
            after = answers[best, np.arange(len(open_rows))]
            turns = kept & (metrics.decisions(task, after, threshold) != decided[open_rows])
            turned[open_rows[turns]] = count + 1
        for place in np.flatnonzero(kept):
            change, row = changes[best[place]], open_rows[place]
            change.apply(current[row : row + 1, change.column])
            chosen[row, count], nearest[row] = change.column, reached[place]
        moved.append(float(nearest.mean()))
    counted = chosen if task == "regression" else chosen[turned > 0]
    still = [*moved, *[moved[-1] if moved else 0.0] * (columns - len(moved))]
    return AttackOutcome(
        turned, np.array(still if task == "regression" else []), [int(each) for each in counted.ravel() if each >= 0]
    )


def _towards(task: Task, after: Array, before: Array, decided: Places, scale: float) -> Array:
    """How near each answer is to turning the decision; of a regression how far it moved."""
    if task == "regression":
        return np.abs(after - before) / scale
    if task == "binary":
        return np.where(decided == 1, -after, after)
    every = np.arange(len(after))
    others = after.copy()
    others[every, decided] = -np.inf
    return np.asarray(others.max(axis=1) - after[every, decided], dtype=np.float64)


def _moves(matrix: Matrix, column: int, reach: float) -> list[Tampering]:
    """Steps of a number; none of one that is no more than two values, or whose whole steps are longer than the reach."""
    known = _known(matrix, column)
    distance = sampled.spread(known) * reach
    if not distance or len(np.unique(known[:10_000])) <= 2:
        return []
    whole = bool((known == np.round(known)).all())
    low, high = float(known.min()), float(known.max())
    steps = [step * distance for step in STEPS]
    if whole:
        steps = sorted({float(np.trunc(step)) for step in steps} - {0.0})
    return [Tampering(column, by=step, low=low, high=high, whole=whole) for step in steps]


def _levels(matrix: Matrix, column: int, *, numeric: bool) -> list[Tampering]:
    """The levels of a category, or of a number of two values."""
    values, counts = np.unique(_known(matrix, column), return_counts=True)
    if numeric and len(values) > 2:
        return []
    commonest = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
    return [Tampering(column, to=float(values[place])) for place in commonest] if len(values) > 1 else []


def _known(matrix: Matrix, column: int) -> Matrix:
    values = matrix[:, column]
    return values[np.isfinite(values)]


def _told(task: Task, share: float) -> str:
    return f"{share:.3f}" if task == "regression" else f"{share:.2%}"


def _commonest(used: list[int], names: list[str]) -> str:
    counts: Counter[int] = Counter(used)
    ranked = sorted(counts, key=lambda column: (-counts[column], column))[:3]
    return ", ".join(f"{names[column]} ({counts[column]:,})" for column in ranked) or "none"
