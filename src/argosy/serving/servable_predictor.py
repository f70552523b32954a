"""What a server asks of a model that is loaded."""

from typing import Protocol

from argosy.domain.bundle import Signature
from argosy.ml.encoding import Matrix
from argosy.ml.predictor import Predictions


class ServablePredictor(Protocol):
    """The part of :class:`argosy.ml.predictor.Predictor` that a server calls; tests serve small fakes."""

    @property
    def signature(self) -> Signature:
        """The model's features, their types, and its answer, as ``signature.json`` declares them."""

    def predict_matrix(self, matrix: Matrix) -> Predictions:
        """For encoded rows: a number each, or for a multiclass model a row of probabilities.

        Raises UndefinedPrediction where one is no number.
        """

    def decide(self, predictions: Predictions) -> list[str]:
        """The class that each prediction decides for; not asked of a regression."""

    def contributions(self, matrix: Matrix) -> Predictions:
        """SHAP values, where a caller asks why."""
