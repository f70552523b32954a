"""Whether answers go the way that the settings declare: never down where a column rises, or never up (a monotonic constraint)."""

from collections.abc import Mapping

import numpy as np

from argosy.domain.evidence import Table
from argosy.domain.measuring import Measuring
from argosy.domain.model_settings import Direction
from argosy.ml import sampled
from argosy.ml.sampled import Array, Matrix, Predict

PURPOSE = 3
POINTS = 12
"""Values of a column that each row is asked with, evenly over the rows' own."""
HAIR = 1e-6
"""Sums of leaves in 32 bits differ by less."""


def measure(
    predict: Predict,
    matrix: Matrix,
    names: list[str],
    declared: Mapping[str, Direction],
    seed: int,
    measuring: Measuring,
    *,
    bound: bool,
) -> tuple[dict[str, float | None], list[Table]]:
    """``robustness.order_violations``: share of rows whose answer goes the other way, of the worst column; nothing where none is declared.

    *bound*: whether training was held to it.
    """
    if not declared:
        return {}, []
    rows = matrix[sampled.rows(len(matrix), measuring.rows, seed, PURPOSE)]
    lines, shares = [], []
    for name, direction in declared.items():
        column = names.index(name)
        points = _points(matrix[:, column])
        answers = _answers(predict, rows, column, points)
        steps = np.diff(answers, axis=0) * (1 if direction == "increasing" else -1)
        # What a row answers at its own scale: of a regression answers may be thousands.
        slack = HAIR * max(1.0, float(np.abs(answers).max(initial=0.0)))
        worst = -steps.min(axis=0, initial=0.0)
        shares.append(float((worst > slack).mean()))
        lines.append([name, direction, str(len(points)), f"{shares[-1]:.2%}", f"{float(worst.max(initial=0.0)):.4g}"])
    return {"robustness.order_violations": max(shares)}, [
        Table(
            title=f"Order of answers, {'bound in training' if bound else 'measured only'}, on {len(rows):,} drawn rows",
            dimension="robustness",
            header=["Column", "Answers are", "Values tried", "Rows that go the other way", "Largest step back"],
            rows=lines,
        )
    ]


def _points(column: Matrix) -> Matrix:
    """Values of the column, the lowest and the highest among them."""
    known = np.unique(column[np.isfinite(column)])
    return known[np.unique(np.linspace(0, len(known) - 1, POINTS).round().astype(np.int64))] if len(known) else known


def _answers(predict: Predict, rows: Matrix, column: int, points: Matrix) -> Array:
    """A line a point."""
    if not len(points):
        return np.zeros((1, len(rows)))

    def put(block: Matrix, number: int) -> None:
        block[:, column] = points[number]

    return sampled.variants(predict, rows, len(points), put)
