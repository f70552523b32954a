"""Expensive looks at a model go by some rows of its holdout, drawn by the seed, and ask it in batches that fit a cache."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Predict = Callable[[Matrix], Array]

CELLS = 4_000_000
"""Values of a matrix that is made for one batch: 16 MB."""


def rows(count: int, most: int, seed: int, purpose: int) -> Places:
    """Which of *count* rows are looked at, *most* of them, in order; *purpose* tells the draws of one seed apart."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng([seed, purpose]).permutation(count)[:most])


def variants(predict: Predict, matrix: Matrix, count: int, change: Callable[[Matrix, int], None]) -> Array:
    """The answers to *count* variants of *matrix*: ``(variant, row)``, and for several classes a last axis of them.

    *change* is handed a copy of *matrix* and the number of the variant, and makes it that variant.
    """
    at_once = max(1, CELLS // max(1, matrix.size))
    parts = []
    for first in range(0, count, at_once):
        numbers = range(first, min(count, first + at_once))
        block = np.repeat(matrix[None], len(numbers), axis=0)
        for place, number in enumerate(numbers):
            change(block[place], number)
        answers = predict(block.reshape(-1, matrix.shape[1]))
        parts.append(answers.reshape(len(numbers), len(matrix), *answers.shape[1:]))
    return np.concatenate(parts)


def spread(column: Matrix) -> float:
    """The standard deviation of *column*, of what is known of it; 0 where nothing is."""
    known = column[np.isfinite(column)]
    return float(known.std()) if len(known) else 0.0
