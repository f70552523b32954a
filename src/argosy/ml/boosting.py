"""Fits gradient-boosted trees: which XGBoost parameters a task and a point of the search space come to, and one fit with them.

Everything that decides the resulting bytes is a parameter here (seed, threads, bins), so that equal inputs give an equal model.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from argosy import errors
from argosy.domain.data import FeatureColumn
from argosy.domain.model_settings import ModelSettings, Task
from argosy.domain.suggestion import choices
from argosy.ml.encoding import Encoder, Matrix
from argosy.ml.trainer import Labels, Learning, Point
from argosy.ml.xgboost_library import xgboost

OBJECTIVES: dict[Task, tuple[str, str]] = {
    "binary": ("binary:logistic", "logloss"),
    "multiclass": ("multi:softprob", "mlogloss"),
    "regression": ("reg:squarederror", "rmse"),
}
"""Task to XGBoost's objective and the loss that early stopping watches."""

MAX_BIN = 256

STREAMED = 1_000_000
"""Values from which a matrix is handed to XGBoost in parts and kept as bins alone: a byte a value where it would be eight and the bins.
With fewer that takes longer than it saves. The bins, and so the models, are the same to the last bit."""
_PART = 65_536
"""Rows handed over at once."""

# Looking at the losses costs as much as growing a small tree.
STRIDE = 5


@dataclass(frozen=True)
class Fit:
    """One fitted model and how its losses went, a value every :data:`STRIDE` rounds."""

    booster: xgboost.Booster
    rounds: int
    losses: dict[str, list[float]]


class LossWatch:
    """The rule by which a fit of *rounds* at most ends: the loss has not fallen for *patience* rounds."""

    def __init__(self, rounds: int, patience: int) -> None:
        self._rounds, self._patience = rounds, patience
        self._lowest = float("inf")
        self.best = STRIDE
        """The round at which the loss was lowest."""

    def looks(self, done: int) -> bool:
        """True where the loss is looked at after *done* rounds."""
        return done % STRIDE == 0 or done == self._rounds

    def stops(self, done: int, loss: float) -> bool:
        """Look at the *loss* after *done* rounds; True where the fit is over."""
        if loss < self._lowest:
            self.best, self._lowest = done, loss
            return False
        return done - self.best >= self._patience


def parameters(learning: Learning, point: Point) -> dict[str, Any]:
    """All of XGBoost's parameters for *point*."""
    objective, loss = OBJECTIVES[learning.task]
    fixed: dict[str, Any] = {
        "objective": objective,
        "eval_metric": loss,
        "tree_method": "hist",
        "max_bin": MAX_BIN,
        "nthread": learning.nthread,
        "seed": learning.seed,
        "verbosity": 1,
        "validate_parameters": True,
    }
    if learning.task == "multiclass":
        fixed["num_class"] = learning.classes
    if learning.monotone:
        # A text, in the features' order: XGBoost's own names of them may differ.
        signs = (learning.monotone.get(feature.name, 0) for feature in learning.features)
        fixed["monotone_constraints"] = f"({','.join(map(str, signs))})"
    return fixed | dict(point)


def refuse_unordered(settings: ModelSettings, features: Sequence[FeatureColumn]) -> None:
    """Raise Misconfigured where ``training.monotone`` names what is no feature, or none that is a number."""
    numbers = [feature.name for feature in features if feature.type == "number"]
    for name in settings.training.monotone:
        if name not in numbers:
            category = any(feature.name == name for feature in features)
            why = (
                "is a category, whose levels have no order"
                if category
                else f"is no feature{choices(name, numbers, 'Numbers')}"
            )
            raise errors.Misconfigured(
                f"training.monotone: {name!r} {why}; name a feature that is a number, or leave it out"
            )


def to_fit(
    encoder: Encoder, matrix: Matrix, labels: Labels, *, nthread: int, rows: npt.NDArray[np.int64] | None = None
) -> xgboost.DMatrix:
    """The *rows* of *matrix* and *labels* (all where None) to fit on, binned once for all fits.

    Many are kept as their bins alone (see :data:`STREAMED`). On a few thousand rows making such a matrix takes ten times as long, and fits
    are no quicker.
    """
    count = len(matrix) if rows is None else len(rows)
    if count * matrix.shape[1] < STREAMED:
        return data(encoder, *_taken(matrix, labels, rows), nthread=nthread)
    parts = _Parts(encoder, matrix, labels, rows)
    return xgboost.QuantileDMatrix(parts, max_bin=MAX_BIN, nthread=nthread, enable_categorical=True)


class _Parts(xgboost.DataIter):  # type: ignore[misc]  # of no type to mypy
    """Rows of a matrix, some at a time, so that they are never there twice."""

    def __init__(
        self, encoder: Encoder, matrix: Matrix, labels: Labels, rows: npt.NDArray[np.int64] | None = None
    ) -> None:
        super().__init__()
        self._described = {"feature_names": encoder.booster_names, "feature_types": encoder.types}
        self._matrix, self._labels = matrix, labels
        self._rows = np.arange(len(matrix)) if rows is None else rows
        self._at = 0

    def reset(self) -> None:
        """Begin again: XGBoost reads the parts more than once."""
        self._at = 0

    def next(self, input_data: Callable[..., Any]) -> bool:
        """Hand the next part to *input_data*; False where there is none."""
        rows = self._rows[self._at : self._at + _PART]
        self._at += len(rows)
        if len(rows):
            input_data(data=self._matrix[rows], label=self._labels[rows], **self._described)
        return len(rows) > 0


def _taken(matrix: Matrix, labels: Labels, rows: npt.NDArray[np.int64] | None) -> tuple[Matrix, Labels]:
    return (matrix, labels) if rows is None else (matrix[rows], labels[rows])


def data(encoder: Encoder, matrix: Matrix, labels: Labels, *, nthread: int) -> xgboost.DMatrix:
    """*matrix* and *labels* as XGBoost takes them to answer, or to fit on where they are few (see :func:`to_fit`)."""
    return xgboost.DMatrix(
        matrix,
        labels,
        feature_names=encoder.booster_names,
        feature_types=encoder.types,
        enable_categorical=True,
        nthread=nthread,
    )


def fit(parameters: Mapping[str, Any], data: xgboost.DMatrix, rounds: int) -> Fit:
    """Fit exactly *rounds* trees (times classes)."""
    return Fit(xgboost.train(dict(parameters), data, num_boost_round=rounds), rounds, {})


def fit_until_it_stops(
    parameters: Mapping[str, Any],
    data: xgboost.DMatrix,
    watched: Mapping[str, xgboost.DMatrix],
    *,
    rounds: int,
    patience: int,
) -> Fit:
    """Fit until the loss on the last of *watched* has not fallen for *patience* rounds, *rounds* at most.

    The losses are looked at every :data:`STRIDE` rounds; the fit's ``rounds`` is where the last one was lowest.
    """
    booster = xgboost.Booster(dict(parameters), [data, *watched.values()])
    losses: dict[str, list[float]] = {name: [] for name in watched}
    watch = LossWatch(rounds, patience)
    for done in range(1, rounds + 1):
        booster.update(data, done - 1)
        if not watch.looks(done):
            continue
        for name, matrix in watched.items():
            losses[name].append(_loss(booster, matrix))
        if watch.stops(done, losses[name][-1]):
            break
    return Fit(booster, watch.best, losses)


def looked_at(count: int, rounds: int) -> list[int]:
    """After how many rounds the first *count* losses of a fit of *rounds* at most are measured."""
    return [min(STRIDE * number, rounds) for number in range(1, count + 1)]


def predict(fit: Fit, data: xgboost.DMatrix) -> npt.NDArray[np.float32]:
    """Predictions of *fit* for *data*, by its first ``rounds`` rounds: a number a row; multiclass: a column a class."""
    return np.asarray(fit.booster.predict(data, iteration_range=(0, fit.rounds)), dtype=np.float32)


def importance(booster: xgboost.Booster, names: list[str]) -> dict[str, float]:
    """Feature to mean gain of the splits on it, largest first; 0 for one that no tree uses."""
    gains = booster.get_score(importance_type="gain")
    # The booster has them in the same order, some under a name that XGBoost takes.
    own = zip(names, booster.feature_names or names, strict=True)
    found = [(name, float(gains.get(inner, 0.0))) for name, inner in own]
    return dict(sorted(found, key=lambda pair: (-pair[1], pair[0])))


def _loss(booster: xgboost.Booster, data: xgboost.DMatrix) -> float:
    # XGBoost answers with a line for people: "[0]\teval-logloss:0.41".
    return float(booster.eval(data).rpartition(":")[2])
