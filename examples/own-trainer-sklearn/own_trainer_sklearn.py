"""Linear models by scikit-learn: logistic regression for classes, ridge regression for values.

A category becomes a column a level; a missing number is the median, and a missing category a level of its own. The file is JSON, the
numbers of the formula and nothing else: there is no code in it to run, its bytes follow from the data, and a server needs no scikit-learn
to answer with it.
"""

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from argosy import errors
from argosy.ml.trainer import Learning, Point, Rows, WatchedFit

FORMAT = b'{"argosy-example":"linear-1",'
FORMULA = "1.0"
KNOWN = {"binary": "C", "multiclass": "C", "regression": "alpha"}
"""By task the one parameter of the search space: how little, or how much, large weights cost."""
PARTS = ("medians", "mean", "scale", "weights", "base")


class LinearModel:
    """The formula, ready to answer."""

    def __init__(self, task: str, widths: Sequence[int], numbers: Mapping[str, np.ndarray]) -> None:
        self.task, self.widths, self.numbers = task, list(widths), dict(numbers)

    def predict(self, matrix: np.ndarray, /) -> np.ndarray:
        """See argosy's interface."""
        margins = _summed(self._parts(matrix))
        if self.task == "regression":
            return margins[:, 0]
        if self.task == "binary":
            return 1 / (1 + np.exp(-np.clip(margins[:, 0], -700, 700)))
        odds = np.exp(margins - margins.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def contributions(self, matrix: np.ndarray, /) -> np.ndarray:
        """See argosy's interface: the terms of the formula. Columns are centred, so that the mean row is what no feature adds."""
        parts = self._parts(matrix)
        return parts if self.task == "multiclass" else parts[:, 0]

    def importance(self) -> list[float]:
        """See argosy's interface: the length of a feature's weights, on columns of one scale."""
        weights, ends = self.numbers["weights"], np.cumsum(self.widths)
        return [
            float(np.linalg.norm(weights[:, end - width : end])) for end, width in zip(ends, self.widths, strict=True)
        ]

    def save(self) -> bytes:
        """See argosy's interface."""
        content = {"task": self.task, "widths": self.widths} | {name: self.numbers[name].tolist() for name in PARTS}
        return FORMAT + json.dumps(content, separators=(",", ":"), sort_keys=True).encode()[1:]

    def _parts(self, matrix: np.ndarray) -> np.ndarray:
        """A line a row and class: a term a feature, and the base."""
        columns = (expanded(matrix, self.widths, self.numbers["medians"]) - self.numbers["mean"]) / self.numbers[
            "scale"
        ]
        terms = columns[:, None, :] * self.numbers["weights"][None, :, :]
        ends = np.cumsum(self.widths)
        each = [_summed(terms[:, :, end - width : end]) for end, width in zip(ends, self.widths, strict=True)]
        return np.stack([*each, np.broadcast_to(self.numbers["base"], each[0].shape)], axis=-1)


class LinearTrainer:
    """Fits :class:`LinearModel`."""

    is_monotone = False

    @property
    def version(self) -> str:
        """Of the format, 1.0, by which a server knows what it can load; then that of the scikit-learn that finds the numbers, where there
        is one. Another one of these may find other numbers, so that what is searched and recorded under it is not the same.
        """
        try:
            return f"{FORMULA}.{importlib.metadata.version('scikit-learn')}"
        except importlib.metadata.PackageNotFoundError:  # who only answers needs none of it
            return FORMULA

    def parameters(self, learning: Learning, point: Point) -> Mapping[str, float | int | str | bool]:
        """See argosy's interface."""
        name = KNOWN[learning.task]
        if unknown := sorted(set(point) - {name}):
            raise errors.Misconfigured(
                f"search.space: the trainer linear knows no {unknown[0]!r}; a {learning.task} model has {name!r}, and no other"
            )
        return {name: 1.0, "max_iter": 1000, **point} if learning.task != "regression" else {name: 1.0, **point}

    def loss(self, learning: Learning) -> str:
        """See argosy's interface."""
        return "rmse" if learning.task == "regression" else "log loss"

    def fit(self, learning: Learning, point: Point, rows: Rows, *, rounds: int) -> LinearModel:  # noqa: ARG002 - of boosters
        """See argosy's interface."""
        from sklearn.linear_model import LogisticRegression, Ridge  # noqa: PLC0415 - who only answers needs none of it
        from sklearn.preprocessing import StandardScaler  # noqa: PLC0415
        from threadpoolctl import threadpool_limits  # noqa: PLC0415

        matrix, labels = rows.matrix, rows.labels
        widths = [1 if feature.levels is None else len(feature.levels) + 1 for feature in learning.features]
        medians = _medians(matrix, widths)
        given = self.parameters(learning, point)
        kind = Ridge if learning.task == "regression" else LogisticRegression
        with threadpool_limits(learning.nthread):
            scaler = StandardScaler().fit(columns := expanded(matrix, widths, medians))
            found = kind(**given).fit(scaler.transform(columns), labels)
        numbers = {
            "medians": medians,
            "mean": scaler.mean_,
            "scale": scaler.scale_,
            "weights": np.atleast_2d(found.coef_),
            "base": np.atleast_1d(found.intercept_),
        }
        return LinearModel(learning.task, widths, numbers)

    def watch(
        self,
        learning: Learning,
        point: Point,
        rows: Rows,
        left_out: Rows,
        *,
        rounds: int,
        patience: int,  # noqa: ARG002 - of boosters
        curves: bool,
    ) -> WatchedFit:
        """See argosy's interface: it is fitted at once, in no rounds."""
        model = self.fit(learning, point, rows, rounds=rounds)
        answers = model.predict(left_out.matrix)
        losses = {"validation": [_loss(learning.task, answers, left_out.labels)]}
        if curves:
            losses["train"] = [_loss(learning.task, model.predict(rows.matrix), rows.labels)]
        return WatchedFit(answers.astype(np.float32), 1, losses, [1])

    def load(self, learning: Learning, content: bytes) -> LinearModel:
        """See argosy's interface."""
        if not content.startswith(FORMAT):
            raise errors.Misconfigured("is no model of the trainer linear; train it again")
        widths = [1 if feature.levels is None else len(feature.levels) + 1 for feature in learning.features]
        lines = learning.classes if learning.task == "multiclass" else 1
        shapes = {"medians": (len(widths),), "mean": (sum(widths),), "scale": (sum(widths),), "base": (lines,)}
        shapes["weights"] = (lines, sum(widths))
        try:
            said: dict[str, Any] = json.loads(b"{" + content.removeprefix(FORMAT))
            numbers = {name: np.array(said[name], dtype=np.float64) for name in PARTS}
        except (ValueError, KeyError, TypeError) as error:
            raise errors.Misconfigured(f"is no model of the trainer linear: {error}; train it again") from None
        if (said.get("task"), said.get("widths")) != (learning.task, widths) or any(
            numbers[name].shape != shape for name, shape in shapes.items()
        ):
            raise errors.Misconfigured(
                "is of another task or of other features than its signature lists; train it again"
            )
        return LinearModel(learning.task, widths, numbers)


def _summed(terms: np.ndarray) -> np.ndarray:
    """The sums along the last axis, one term after the other: `sum` takes another order for one row than for many."""
    total = terms[..., 0].copy()
    for place in range(1, terms.shape[-1]):
        total += terms[..., place]
    return total


def expanded(matrix: np.ndarray, widths: Sequence[int], medians: np.ndarray) -> np.ndarray:
    """*matrix* with a column a level for each category, the missing one last, and no number missing."""
    columns: list[np.ndarray] = []
    for place, width in enumerate(widths):
        values = matrix[:, place].astype(np.float64)
        there = ~np.isnan(values)
        if width == 1:
            columns.append(np.where(there, values, medians[place]))
            continue
        level = np.where(there, values, width - 1)
        columns.extend((level == number).astype(np.float64) for number in range(width))
    return np.column_stack(columns)


def _medians(matrix: np.ndarray, widths: Sequence[int]) -> np.ndarray:
    found = np.zeros(len(widths))
    for place, width in enumerate(widths):
        there = matrix[:, place][~np.isnan(matrix[:, place])]
        if width == 1 and len(there):
            found[place] = np.median(there.astype(np.float64))
    return found


def _loss(task: str, answers: np.ndarray, labels: np.ndarray) -> float:
    if task == "regression":
        return float(np.sqrt(np.mean((answers - labels) ** 2)))
    right = (
        np.where(labels == 1, answers, 1 - answers)
        if task == "binary"
        else answers[range(len(labels)), labels.astype(int)]
    )
    return float(-np.mean(np.log(np.clip(right, 1e-15, 1))))
