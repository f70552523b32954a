"""What a first model is held against where no champion is: the answer that needs no model, and the one column that tells most.

Fitted on the training side, measured on the holdout, as the model is. A column's answer is the mean of the label (of each class, its share)
among the rows with like values: of few distinct values each by itself, of others tenths of their order.
"""

import numpy as np
import numpy.typing as npt

from argosy.domain import evidence, figures
from argosy.domain.evidence import Table
from argosy.domain.model_settings import Task
from argosy.ml import metrics
from argosy.ml.frames import Examples

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

FEW = 20
"""Distinct values that are each by itself."""
PARTS = 10
DOUBT = 10.0
"""Rows of the common answer that each value's own rows are joined by, so that one row alone proves nothing."""


def table(task: Task, metric: str, classes: int, train: Examples, holdout: Examples, predictions: Array) -> Table:
    """The score called *metric* of the simple answers beside that of *predictions*, all on *holdout*."""
    targets = _targets(task, classes, train.labels)
    common = targets.mean(axis=0)
    names = [feature.name for feature in train.schema.features if not feature.personal]
    places = [index for index, feature in enumerate(train.schema.features) if not feature.personal]
    scored = []
    for name, index in zip(names, places, strict=True):
        own, theirs = (np.asarray(each.matrix[:, index], dtype=np.float64) for each in (train, holdout))
        means, parts = _answers(own, targets, common), _parts(own)
        fitted = _score(task, metric, train.labels, means[_part(own, parts)])
        scored.append((fitted, name, means[_part(theirs, parts)]))
    sign = 1 if metrics.direction(task, metric) == "maximize" else -1
    same = np.tile(common, (len(holdout), *[1] * np.ndim(common)))
    rows: list[tuple[str, Array]] = [("the same answer for all", same)]
    if known := [each for each in scored if not np.isnan(each[0])]:
        _, name, answers = max(known, key=lambda each: sign * each[0])
        rows.append((f"by {name} alone", answers))
    rows.append(("this model", predictions))
    return Table(
        title=evidence.SIMPLE,
        dimension="performance",
        header=["Answer", metric],
        rows=[
            [said, figures.number(_score(task, metric, holdout.labels, answers), "undefined")] for said, answers in rows
        ],
    )


def _targets(task: Task, classes: int, labels: Array) -> Array:
    if task != "multiclass":
        return labels
    return np.eye(classes)[labels.astype(np.int64)]


def _score(task: Task, metric: str, labels: Array, answers: Array) -> float:
    return metrics.score(task, metric, labels, answers)


def _parts(values: Array) -> Array:
    """Where parts of *values* begin, but for the first."""
    known = np.unique(values[~np.isnan(values)])
    if len(known) > FEW:
        known = np.unique(np.quantile(values[~np.isnan(values)], np.linspace(0, 1, PARTS + 1)[:-1]))
    return known[1:]


def _part(values: Array, parts: Array) -> Places:
    """The part of each of *values*; missing ones are a part of their own, the last."""
    return np.where(np.isnan(values), len(parts) + 1, np.searchsorted(parts, values, side="right")).astype(np.int64)


def _answers(values: Array, targets: Array, common: Array) -> Array:
    """Part to its answer."""
    parts = _parts(values)
    places = _part(values, parts)
    rows = np.bincount(places, minlength=len(parts) + 2).astype(np.float64)
    columns = targets.reshape(len(targets), -1)
    sums = np.stack([np.bincount(places, column, minlength=len(parts) + 2) for column in columns.T], axis=1)
    means = (sums + DOUBT * np.atleast_1d(common)) / (rows[:, None] + DOUBT)
    return means if targets.ndim > 1 else means[:, 0]
