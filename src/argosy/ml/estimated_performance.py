"""The performance to expect of predictions whose labels are not there yet, from calibrated scores alone.

Confidence-based performance estimation, as NannyML publishes it (CBPE, docs of release 0.13: "How it works, Confidence-based Performance
Estimation"): where scores are calibrated, a row with probability p decided positive is a true positive with probability p and a false one
with 1 - p, so the expected confusion matrix, and every score made of it, follows without one label. Rows that have labels calibrate the
scores of those that have none, by isotonic regression.

NannyML itself is not used: its release 0.13.1 asks for ``flaml[automl]``, which asks for XGBoost below 3, and models here are fitted by
XGBoost 3; 0.13.0 asks for Jinja2 below 3.1. No set of versions satisfies both (``uv pip compile``). The figures in the tests are its own.

Assumed is what CBPE assumes: the relation of features to labels is as it was. Where that changes (concept drift), only labels tell. A
regression states no probability, so nothing is estimated of it.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from argosy.domain.model_settings import Task
from argosy.ml import metrics, score_intervals
from argosy.ml.score_intervals import Decisions, ScoreInterval

Array = npt.NDArray[np.float64]

FEWEST_TO_CALIBRATE = 500
"""Labelled rows below which the model's own probabilities are better than a curve through so few."""


def calibrated(labels: Array, scores: Array, asked: Array) -> Array:
    """The probabilities of *asked*, scores as they come, calibrated by the *labels* of other *scores*; as they are where these are few."""
    if len(labels) < FEWEST_TO_CALIBRATE or not 0 < labels.sum() < len(labels):
        return asked
    known, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    rates = np.bincount(inverse, weights=labels) / counts
    fitted = optimize.isotonic_regression(rates, weights=counts.astype(np.float64)).x
    return np.asarray(np.interp(asked, known, fitted), dtype=np.float64)


def estimate(
    task: Task, scores: Array, decisions: Decisions, probabilities: Array, confidence: float
) -> dict[str, ScoreInterval]:
    """Every score that can be estimated of rows with *scores* and *decisions*, whose calibrated *probabilities* are given.

    The interval is the range of chance, at *confidence*, of what the labels of these very rows will show; where the probabilities are
    wrong, it is wrong with them. Scores that would be undefined are left out.
    """
    if task == "binary":
        found = _of_two(scores, decisions.astype(np.float64), probabilities)
    elif task == "multiclass":
        found = _of_classes(scores, decisions, probabilities)
    else:
        return {}
    width = float(stats.norm.ppf((1 + confidence) / 2))
    return {
        name: _between(value, width * deviation, bounded=name != "log_loss")
        for name, (value, deviation) in found.items()
    }


def _between(value: float, half: float, *, bounded: bool) -> ScoreInterval:
    return ScoreInterval(value, max(0.0, value - half), min(1.0, value + half) if bounded else value + half)


def _of_two(scores: Array, decided: Array, p: Array) -> dict[str, tuple[float, float]]:
    """Score to its expected value and its deviation: the delta method over independent labels, each 1 with its own probability."""
    chance, count = p * (1 - p), len(p)
    expected, hits = float(p.sum()), float((p * decided).sum())
    named = float(decided.sum())

    def with_change(value: float, change: Array) -> tuple[float, float]:
        """*change*: of the score, by each row's label being 1 and not 0."""
        return value, math.sqrt(float((chance * change**2).sum()))

    kept = np.clip(scores, metrics.TINY, 1 - metrics.TINY)
    found = {
        "accuracy": with_change(float(np.mean(p * decided + (1 - p) * (1 - decided))), (2 * decided - 1) / count),
        "brier": with_change(float(np.mean(p * (1 - scores) ** 2 + (1 - p) * scores**2)), (1 - 2 * scores) / count),
        "log_loss": with_change(
            float(-np.mean(p * np.log(kept) + (1 - p) * np.log(1 - kept))), np.log((1 - kept) / kept) / count
        ),
    }
    if named:
        found["precision"] = with_change(hits / named, decided / named)
    if expected:
        found["recall"] = with_change(hits / expected, (decided - hits / expected) / expected)
    if named + expected:
        f1 = 2 * hits / (named + expected)
        found["f1"] = with_change(f1, (2 * decided - f1) / (named + expected))
    if 0 < expected < count:
        area, below, above = score_intervals.area(p, scores)
        found["auc"] = with_change(area, (below - area) / expected - (above - area) / (count - expected))
    return found


def _of_classes(scores: Array, decisions: Decisions, p: Array) -> dict[str, tuple[float, float]]:
    """The mean over the classes of each one's own estimate; the accuracy from the probability of what was decided."""
    own = p[np.arange(len(p)), decisions]
    found = {"accuracy": (float(own.mean()), math.sqrt(float((own * (1 - own)).sum())) / len(p))}
    parts = [
        _of_two(scores[:, index], (decisions == index).astype(np.float64), p[:, index]) for index in range(p.shape[1])
    ]
    for name in ("precision", "recall", "f1", "auc"):
        known = [part[name] for part in parts if name in part]
        if len(known) == len(parts):
            # The classes' labels depend on each other; a mean of them varies no more than if they all moved together.
            found[name] = (float(np.mean([value for value, _ in known])), float(np.mean([each for _, each in known])))
    return found
