"""Calibration of probabilities: expected calibration error, over- and underconfidence, the curve.

Expected calibration error as in Naeini, Cooper and Hauskrecht (2015), over bins of equal numbers of rows, which no empty bin can flatter.
For a regression model the same over values, in standard deviations of the labels.
"""

import numpy as np
import numpy.typing as npt

from argosy.domain.evidence import Curve
from argosy.domain.model_settings import Task

Array = npt.NDArray[np.float64]
BINS = 10


def measure(task: Task, labels: Array, predictions: Array) -> tuple[dict[str, float | None], list[Curve]]:
    """``calibration.ece``, ``.mean_gap``, for probabilities ``.overconfidence`` and ``.brier``; and the curve."""
    said, seen = told_and_seen(task, labels, predictions)
    expected, observed, weights = binned(said, seen)
    scale = 1.0 if task != "regression" else float(labels.std()) or 1.0
    found: dict[str, float | None] = {
        "calibration.ece": float(np.sum(weights * np.abs(expected - observed))) / scale,
        "calibration.mean_gap": float(abs(said.mean() - seen.mean())) / scale,
    }
    if task != "regression":
        # How much further from undecided the model is than the world: above 0 it is too sure of itself, below not sure enough.
        middle = 0.5 if task == "binary" else 1 / predictions.shape[1]
        surer = np.abs(expected - middle) - np.abs(observed - middle)
        found["calibration.overconfidence"] = float(np.sum(weights * surer))
        found["calibration.brier"] = float(np.mean((said - seen) ** 2))
    points = [(float(x), float(y)) for x, y in zip(expected, observed, strict=True)]
    ends = (float(min(expected.min(), observed.min())), float(max(expected.max(), observed.max())))
    curve = Curve(
        title="Calibration",
        dimension="calibration",
        x_label="predicted",
        y_label="observed",
        series={"model": points, "perfect": [(ends[0], ends[0]), (ends[1], ends[1])]},
    )
    return found, [curve]


def binned(said: Array, seen: Array) -> tuple[Array, Array, Array]:
    """Mean of what was said, mean of what was seen, share of the rows; by bins of equal size in the order of what was said."""
    parts = [part for part in np.array_split(np.argsort(said, kind="stable"), BINS) if len(part)]
    expected = np.array([said[part].mean() for part in parts])
    observed = np.array([seen[part].mean() for part in parts])
    return expected, observed, np.array([len(part) for part in parts]) / len(said)


def told_and_seen(task: Task, labels: Array, predictions: Array) -> tuple[Array, Array]:
    """What each row was told, and what was seen of it."""
    if task != "multiclass":
        return predictions, labels
    # Of the class decided for: its probability, and whether it was right.
    decided = np.argmax(predictions, axis=1)
    return predictions[np.arange(len(labels)), decided], (decided == labels).astype(np.float64)
