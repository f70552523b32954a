"""Robustness: what happens to a model when its inputs are not as they were: noise, missing values, values out of range, small pushes.

Inputs are encoded matrices (a category as the index of its level); every draw has a fixed seed, so that a measurement repeats.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from argosy.domain import task_words
from argosy.domain.evidence import Table
from argosy.domain.measuring import AS_EVER, Measuring
from argosy.domain.model_settings import Task
from argosy.ml import metrics, performance
from argosy.ml.predictor import UndefinedPrediction

Array = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
Predict = Callable[[Matrix], Array]

EXTREMES = (0.0, -1.0, 1e6, -1e6, 3e38, -3e38, np.nan)
"""Each fills a whole row; the last is a row of which nothing is known."""


def measure(
    task: Task,
    predict: Predict,
    matrix: Matrix,
    labels: Array,
    numeric: list[int],
    threshold: float,
    seed: int,
    measuring: Measuring = AS_EVER,
    *,
    answered: Array | None = None,
) -> tuple[dict[str, float | None], Table]:
    """``robustness.noise_drop``, ``.missing_drop`` (how much the primary score falls), ``.flip_rate`` (share of rows whose decision a small
    push turns; of regression, mean change in standard deviations), ``.undefined`` (answers to extreme inputs that are no number).

    *answered*: what the model says of *matrix*, where it was asked already.
    """
    random = np.random.default_rng(seed)
    base = performance.primary(task, labels, predict(matrix) if answered is None else answered)
    noisy = performance.primary(task, labels, predict(noise(matrix, numeric, measuring.noise, random)))
    gaps = performance.primary(task, labels, predict(missing(matrix, measuring.missing, random)))
    flips = _pushed(
        task, predict, matrix[: measuring.rows], numeric, threshold, float(labels.std()) or 1.0, measuring.push
    )
    broken = _undefined(predict, matrix)
    found: dict[str, float | None] = {
        "robustness.noise_drop": performance.defined(base - noisy),
        "robustness.missing_drop": performance.defined(base - gaps),
        "robustness.flip_rate": flips,
        "robustness.undefined": float(broken),
    }
    score = performance.PRIMARY[task]
    rows = [
        ["as it is", f"{base:.4f}", ""],
        [f"noise of {measuring.noise:g} standard deviations on numbers", f"{noisy:.4f}", f"{noisy - base:+.4f}"],
        [f"{100 * measuring.missing:.4g}% of all values missing", f"{gaps:.4f}", f"{gaps - base:+.4f}"],
        [f"worst push of {measuring.push:g} standard deviations", "", task_words.pushed(task, flips)],
        ["extreme and empty rows", "", f"{broken} answers undefined"],
    ]
    return found, Table(title="Robustness", dimension="robustness", header=["Inputs", score, "Change"], rows=rows)


def noise(matrix: Matrix, numeric: list[int], size: float, random: np.random.Generator) -> Matrix:
    """*matrix* with noise on its numbers, of *size* standard deviations of each."""
    noisy = matrix.copy()
    for column in numeric:
        spread = float(np.nanstd(matrix[:, column])) if np.isfinite(matrix[:, column]).any() else 0.0
        noisy[:, column] += random.normal(0.0, size, len(matrix)).astype(np.float32) * np.float32(spread)
    return noisy


def missing(matrix: Matrix, share: float, random: np.random.Generator) -> Matrix:
    """*matrix* with a *share* of its values missing."""
    gaps = matrix.copy()
    gaps[random.random(matrix.shape) < share] = np.nan
    return gaps


def _pushed(
    task: Task, predict: Predict, matrix: Matrix, numeric: list[int], threshold: float, scale: float, push: float
) -> float:
    """Share of the rows whose decision turns when any one number is pushed either way."""
    before = predict(matrix)
    turned = np.zeros(len(matrix))
    for column in numeric:
        spread = np.float32(np.nanstd(matrix[:, column])) if np.isfinite(matrix[:, column]).any() else np.float32(0)
        for sign in (-1, 1):
            pushed = matrix.copy()
            pushed[:, column] += np.float32(sign * push) * spread
            after = predict(pushed)
            change = (
                np.abs(after - before) / scale
                if task == "regression"
                else _decided(task, after, threshold) != _decided(task, before, threshold)
            )
            turned = np.maximum(turned, change)
    return float(turned.mean())


def _decided(task: Task, predictions: Array, threshold: float) -> npt.NDArray[np.int64]:
    return metrics.decisions(task, predictions, threshold)


def _undefined(predict: Predict, matrix: Matrix) -> int:
    """The number of answers to extreme rows that are NaN or infinite."""
    rows = [np.full((1, matrix.shape[1]), value, dtype=np.float32) for value in EXTREMES]
    return sum(not _answered(predict, row) for row in rows)


def _answered(predict: Predict, row: Matrix) -> bool:
    try:
        return bool(np.isfinite(predict(row)).all())
    except UndefinedPrediction:
        return False
