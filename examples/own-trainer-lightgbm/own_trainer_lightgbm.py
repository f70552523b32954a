"""Boosted trees by LightGBM, whose models are text: numbers of trees, and no code to run."""

from collections.abc import Mapping
from typing import Any

import lightgbm
import numpy as np

from argosy import errors
from argosy.ml.trainer import Learning, Point, Rows, WatchedFit

START, END = b"tree\nversion=v4\n", b"end of parameters\n\npandas_categorical:null\n"
"""How every model that LightGBM 4 saves begins and ends: its parser is shown nothing else."""
OBJECTIVES = {
    "binary": ("binary", "binary_logloss"),
    "multiclass": ("multiclass", "multi_logloss"),
    "regression": ("regression", "rmse"),
}
KNOWN = (
    "learning_rate", "num_leaves", "max_depth", "min_data_in_leaf", "min_sum_hessian_in_leaf", "feature_fraction", "bagging_fraction",
    "bagging_freq", "lambda_l1", "lambda_l2", "min_gain_to_split", "cat_smooth", "cat_l2", "path_smooth",
)  # fmt: skip
"""What a search may vary. LightGBM itself passes over a name that it does not know."""
ROWS_ALIKE: dict[str, Any] = {"feature_pre_filter": False, "max_bin": 255, "verbosity": -1}
"""What a table of rows is made with, so that all fits share it."""


class TreesModel:
    """A booster, ready to answer."""

    def __init__(self, booster: lightgbm.Booster, learning: Learning) -> None:
        self.booster, self.learning = booster, learning

    def predict(self, matrix: np.ndarray, /) -> np.ndarray:
        """See argosy's interface."""
        return np.asarray(self.booster.predict(matrix, num_threads=1))

    def contributions(self, matrix: np.ndarray, /) -> np.ndarray:
        """See argosy's interface: SHAP values of the trees."""
        found = np.asarray(self.booster.predict(matrix, pred_contrib=True, num_threads=1))
        return found.reshape(len(matrix), self.learning.classes, -1) if self.learning.task == "multiclass" else found

    def importance(self) -> list[float]:
        """See argosy's interface: what the splits on a feature gained."""
        return [float(gain) for gain in self.booster.feature_importance("gain")]

    def save(self) -> bytes:
        """See argosy's interface."""
        return self.booster.model_to_string().encode()


class LightGBMTrainer:
    """Fits :class:`TreesModel`."""

    version = lightgbm.__version__
    is_monotone = True

    def parameters(self, learning: Learning, point: Point) -> Mapping[str, float | int | str | bool]:
        """See argosy's interface."""
        if unknown := sorted(set(point) - set(KNOWN)):
            raise errors.Misconfigured(
                f"search.space: the trainer lightgbm knows no {unknown[0]!r}; it varies {', '.join(KNOWN)}"
            )
        objective, metric = OBJECTIVES[learning.task]
        fixed: dict[str, float | int | str | bool] = {
            "objective": objective, "metric": metric, "seed": learning.seed, "num_threads": learning.nthread,
            "deterministic": True, "force_row_wise": True, **ROWS_ALIKE,
        }  # fmt: skip
        if learning.task == "multiclass":
            fixed["num_class"] = learning.classes
        if learning.monotone:
            fixed["monotone_constraints"] = ",".join(
                str(learning.monotone.get(each.name, 0)) for each in learning.features
            )
        return fixed | dict(point)

    def loss(self, learning: Learning) -> str:
        """See argosy's interface."""
        return OBJECTIVES[learning.task][1]

    def fit(self, learning: Learning, point: Point, rows: Rows, *, rounds: int) -> TreesModel:
        """See argosy's interface."""
        booster = lightgbm.train(dict(self.parameters(learning, point)), _table(learning, rows), num_boost_round=rounds)
        return TreesModel(booster, learning)

    def watch(
        self, learning: Learning, point: Point, rows: Rows, left_out: Rows, *, rounds: int, patience: int, curves: bool
    ) -> WatchedFit:
        """See argosy's interface."""
        fitted_on = _table(learning, rows)
        watched = {**({"train": fitted_on} if curves else {}), "validation": _table(learning, left_out, like=fitted_on)}
        seen: dict[str, dict[str, list[float]]] = {}
        booster = lightgbm.train(
            dict(self.parameters(learning, point)),
            fitted_on,
            num_boost_round=rounds,
            valid_sets=list(watched.values()),
            valid_names=list(watched),
            callbacks=[lightgbm.record_evaluation(seen), lightgbm.early_stopping(patience, verbose=False)],
        )
        losses = {name: [float(loss) for loss in seen[name][self.loss(learning)]] for name in watched}
        best = booster.best_iteration or len(losses["validation"])
        answers = np.asarray(booster.predict(left_out.matrix, num_iteration=best, num_threads=1), np.float32)
        return WatchedFit(answers, best, losses, range(1, len(losses["validation"]) + 1))

    def load(self, learning: Learning, content: bytes) -> TreesModel:
        """See argosy's interface."""
        if not (content.startswith(START) and content.endswith(END)):
            raise errors.Misconfigured("is no model in LightGBM's text form; train it again")
        try:
            booster = lightgbm.Booster(model_str=content.decode("ascii"))
        except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as error:
            raise errors.Misconfigured(f"is no model of LightGBM: {errors.first_line(error)}") from None
        if booster.num_feature() != len(learning.features):
            raise errors.Misconfigured(
                f"takes {booster.num_feature()} features, its signature lists {len(learning.features)}"
            )
        return TreesModel(booster, learning)


def _table(learning: Learning, rows: Rows, like: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    """*rows* as LightGBM takes them, made once for all fits. *like*: of rows whose bins these have."""
    categories = [place for place, feature in enumerate(learning.features) if feature.levels is not None]
    made: lightgbm.Dataset = rows.once(
        f"lightgbm {id(like)}",
        lambda: lightgbm.Dataset(
            rows.matrix,
            rows.labels,
            reference=like,
            categorical_feature=categories,
            params={**ROWS_ALIKE, "num_threads": learning.nthread},
            free_raw_data=False,
        ),
    )
    return made
