"""Fits gradient-boosted trees: which XGBoost parameters a task and a point of the search space come to, and one fit with them.

Everything that decides the resulting bytes is a parameter here (seed, threads, bins), so that equal inputs give an equal model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost

from argosy.domain.model_settings import ModelSettings, Task
from argosy.ml.encoding import Encoder, Matrix

Labels = npt.NDArray[np.float64]

OBJECTIVES: dict[Task, tuple[str, str]] = {
    "binary": ("binary:logistic", "logloss"),
    "multiclass": ("multi:softprob", "mlogloss"),
    "regression": ("reg:squarederror", "rmse"),
}
"""Task to XGBoost's objective and the loss that early stopping watches."""

TUNABLE = frozenset(
    {
        "colsample_bylevel",
        "colsample_bynode",
        "colsample_bytree",
        "gamma",
        "learning_rate",
        "max_delta_step",
        "max_depth",
        "max_leaves",
        "min_child_weight",
        "reg_alpha",
        "reg_lambda",
        "scale_pos_weight",
        "subsample",
    }
)
"""What a search space may name. Not the number of bins: matrices are binned once and shared by all trials."""

MAX_BIN = 256


@dataclass(frozen=True)
class Fit:
    """One fitted model and how its loss went, a value a round."""

    booster: xgboost.Booster
    rounds: int
    losses: dict[str, list[float]]


def parameters(settings: ModelSettings, point: Mapping[str, float | int]) -> dict[str, Any]:
    """All of XGBoost's parameters for *point*."""
    objective, loss = OBJECTIVES[settings.task]
    fixed: dict[str, Any] = {
        "objective": objective,
        "eval_metric": loss,
        "tree_method": "hist",
        "max_bin": MAX_BIN,
        "nthread": settings.training.nthread,
        "seed": settings.seed,
        "verbosity": 1,
        "validate_parameters": True,
    }
    if settings.task == "multiclass":
        fixed["num_class"] = len(settings.label.classes)
    return fixed | dict(point)


def binned(
    encoder: Encoder, matrix: Matrix, labels: Labels, *, nthread: int, like: xgboost.QuantileDMatrix | None = None
) -> xgboost.QuantileDMatrix:
    """*matrix* in XGBoost's own binned form; *like*: what it will be evaluated against, whose bins it takes."""
    return xgboost.QuantileDMatrix(
        matrix,
        labels,
        feature_names=encoder.names,
        feature_types=encoder.types,
        enable_categorical=True,
        max_bin=MAX_BIN,
        ref=like,
        nthread=nthread,
    )


def fit(parameters: Mapping[str, Any], data: xgboost.QuantileDMatrix, rounds: int) -> Fit:
    """Fit exactly *rounds* trees (times classes)."""
    return Fit(xgboost.train(dict(parameters), data, num_boost_round=rounds), rounds, {})


def fit_until_it_stops(
    parameters: Mapping[str, Any],
    data: xgboost.QuantileDMatrix,
    watched: Mapping[str, xgboost.QuantileDMatrix],
    *,
    rounds: int,
    patience: int,
) -> Fit:
    """Fit until the loss on the last of *watched* has not fallen for *patience* rounds, *rounds* at most; keep the best round's model."""
    losses: dict[str, dict[str, list[float]]] = {}
    booster = xgboost.train(
        dict(parameters),
        data,
        num_boost_round=rounds,
        evals=[(matrix, name) for name, matrix in watched.items()],
        early_stopping_rounds=patience,
        evals_result=losses,
        verbose_eval=False,
    )
    best = int(booster.best_iteration) + 1
    return Fit(booster, best, {name: next(iter(by_loss.values())) for name, by_loss in losses.items()})


def predict(fit: Fit, data: xgboost.QuantileDMatrix) -> npt.NDArray[np.float32]:
    """What *fit* says about *data*, by its first ``rounds`` rounds."""
    return np.asarray(fit.booster.predict(data, iteration_range=(0, fit.rounds)), dtype=np.float32)


def importance(booster: xgboost.Booster, names: list[str]) -> dict[str, float]:
    """Feature to mean gain of the splits on it, largest first; 0 for one that no tree uses."""
    gains = booster.get_score(importance_type="gain")
    return dict(sorted(((name, float(gains.get(name, 0.0))) for name in names), key=lambda pair: (-pair[1], pair[0])))
