"""XGBoost as a trainer: what :mod:`boosting` fits, behind the interface that training, evaluation and serving ask.

Its models are UBJ files, which hold no code; what their bytes must look like is checked before XGBoost's parser sees them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from argosy import errors
from argosy.domain.data import FeatureColumn
from argosy.ml import boosting
from argosy.ml.dense_calls import DenseCalls
from argosy.ml.encoding import Encoder, Matrix
from argosy.ml.native_trees import quickest
from argosy.ml.trainer import Learning, Point, Rows, WatchedFit
from argosy.ml.xgboost_library import xgboost

# An object whose first key has a 64-bit length: how every model that XGBoost saves begins.
UBJ_START, UBJ_END = b"{L", b"}"


class BoosterModel:
    """A booster, ready to answer; see :class:`argosy.ml.trainer.Model`."""

    def __init__(
        self,
        booster: xgboost.Booster,
        features: Sequence[FeatureColumn],
        answer: Callable[[Matrix], Matrix] | None = None,
    ) -> None:
        """*answer*: what answers for *booster*, where that is not XGBoost itself."""
        self._booster = booster
        self._features = features
        self.predict = answer or DenseCalls(booster).predict
        """See the interface. Not a method of its own: a request makes this call."""

    def contributions(self, matrix: Matrix, /) -> npt.NDArray[Any]:
        """See the interface: SHAP values of the trees."""
        encoder = Encoder(self._features)
        data = xgboost.DMatrix(matrix, feature_names=encoder.booster_names, feature_types=encoder.types, nthread=1)
        return np.asarray(self._booster.predict(data, pred_contribs=True))

    def importance(self) -> Sequence[float]:
        """See the interface: the mean gain of the splits on a feature."""
        names = [feature.name for feature in self._features]
        found = boosting.importance(self._booster, names)
        return [found[name] for name in names]

    def save(self) -> bytes:
        """See the interface."""
        return bytes(self._booster.save_raw("ubj"))


class XGBoostTrainer:
    """Gradient-boosted trees; see :class:`argosy.ml.trainer.Trainer`."""

    version = xgboost.__version__
    is_monotone = True

    def parameters(self, learning: Learning, point: Point) -> Mapping[str, float | int | str | bool]:
        """See the interface."""
        return boosting.parameters(learning, point)

    def loss(self, learning: Learning) -> str:
        """See the interface."""
        return boosting.OBJECTIVES[learning.task][1]

    def fit(self, learning: Learning, point: Point, rows: Rows, *, rounds: int) -> BoosterModel:
        """See the interface."""
        fitted = boosting.fit(boosting.parameters(learning, point), _to_fit(learning, rows), rounds)
        return BoosterModel(fitted.booster, learning.features)

    def watch(
        self, learning: Learning, point: Point, rows: Rows, left_out: Rows, *, rounds: int, patience: int, curves: bool
    ) -> WatchedFit:
        """See the interface."""
        fitted_on, scored_on = _to_fit(learning, rows), _to_score(learning, left_out)
        fitted = boosting.fit_until_it_stops(
            boosting.parameters(learning, point),
            fitted_on,
            {**({"train": fitted_on} if curves else {}), "validation": scored_on},
            rounds=rounds,
            patience=patience,
        )
        looked_at = boosting.looked_at(len(fitted.losses["validation"]), rounds)
        return WatchedFit(boosting.predict(fitted, scored_on), fitted.rounds, fitted.losses, looked_at)

    def load(self, learning: Learning, content: bytes) -> BoosterModel:
        """See the interface."""
        # XGBoost's parser ends the process on an empty file and asks for all memory on a cut one, so the frame is looked at first.
        if not (content.startswith(UBJ_START) and content.endswith(UBJ_END)):
            raise errors.Misconfigured("is no XGBoost model in UBJ form; train it again")
        try:
            booster = xgboost.Booster(model_file=bytearray(content))
        except xgboost.core.XGBoostError as error:
            raise errors.Misconfigured(f"is no XGBoost model: {str(error).splitlines()[0]}") from None
        if booster.num_features() != len(learning.features):
            raise errors.Misconfigured(
                f"takes {booster.num_features()} features, its signature lists {len(learning.features)}"
            )
        # One thread: for the few rows of a request, waking others costs more than it gives, and the answer must not depend on it.
        booster.set_param({"nthread": 1})
        return BoosterModel(booster, learning.features, quickest(booster))


def _to_fit(learning: Learning, rows: Rows) -> xgboost.DMatrix:
    return rows.once(
        "xgboost, to fit",
        lambda: boosting.to_fit(
            Encoder(learning.features), rows.all_rows, rows.all_labels, nthread=learning.nthread, rows=rows.index
        ),
    )


def _to_score(learning: Learning, rows: Rows) -> xgboost.DMatrix:
    return rows.once(
        "xgboost, to score",
        lambda: boosting.data(Encoder(learning.features), rows.matrix, rows.labels, nthread=learning.nthread),
    )
