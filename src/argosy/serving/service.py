"""From checked rows to answers: features looked up, the model asked, the answer logged. HTTP is not known here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from argosy.domain.bundle import Signature
from argosy.ml.attribution import RowAttribution
from argosy.ml.predictor import Predictions, UndefinedPrediction
from argosy.ports.features import OnlineFeatures
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import explanation
from argosy.serving.lookup import Lookup
from argosy.serving.prometheus import Metrics
from argosy.serving.records import Recorder
from argosy.serving.request_problems import RequestProblem, shown
from argosy.serving.rows import RequestRows, RowReader, Value
from argosy.serving.unexpected_values import UnexpectedValues


class ServablePredictor(Protocol):
    """The part of :class:`argosy.ml.predictor.Predictor` that a server calls; tests serve small fakes."""

    @property
    def signature(self) -> Signature:
        """The model's features, their types, and its answer, as ``signature.json`` declares them."""

    def predict(self, rows: Sequence[Mapping[str, Value]]) -> Predictions:
        """A number a row, or for a multiclass model a row of probabilities. Raises UndefinedPrediction where one is no number."""

    def decide(self, predictions: Predictions) -> list[str]:
        """The class that each prediction decides for; not asked of a regression."""

    def attributions(self, rows: Sequence[Mapping[str, Value]]) -> Predictions:
        """SHAP values, where a caller asks why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answers to the rows of one request, in their order."""

    predictions: list[Any]
    """Per row: a number; for a multiclass model a list of probabilities, in the order of the classes."""
    decisions: list[str] | None
    """Per row: the class decided for. None for a regression."""
    warnings: Sequence[str] = ()
    """Warnings: values that the model was not made for, which were scored as missing."""
    explanations: Sequence[RowAttribution] | None = None
    """Per row, where they were asked for."""


class Service:
    """One served model."""

    def __init__(
        self,
        *,
        predictor: ServablePredictor,
        served: ServedRelease,
        metrics: Metrics,
        online: OnlineFeatures | None,
        recorder: Recorder | None,
    ) -> None:
        self.served = served
        self.signature = predictor.signature
        self.rows = RowReader(predictor.signature)
        self._predictor = predictor
        self._metrics = metrics
        self._lookup = Lookup(online, predictor.signature.join_keys, metrics)
        self._recorder = recorder
        self._surprises = UnexpectedValues(predictor.signature, metrics)

    @property
    def version(self) -> str:
        """The version as the protocols want one; a bundle that was never registered is known by its digest."""
        return self.served.digest if self.served.version is None else str(self.served.version)

    def refuse_others(self, model: str, version: str | None) -> None:
        """Raises RequestProblem (404) where a caller names another *model*, or another *version* of this one."""
        if model != self.signature.model:
            raise RequestProblem(404, f"there is no model {shown(model)} here, only {self.signature.model!r}")
        if version is not None and version != self.version:
            raise RequestProblem(404, f"version {shown(version)} is not served here, only {self.version!r}")

    async def looked_up(self, asked: RequestRows) -> Sequence[Mapping[str, Value]]:
        """The features of the rows *asked* for. Raises RequestProblem."""
        return await self._lookup.features(asked)

    def answer(self, asked: RequestRows, features: Sequence[Mapping[str, Value]], request_id: str) -> Answer:
        """Answer the rows *asked* for, whose *features* were looked up. Safe in a thread. Raises RequestProblem."""
        warnings = self._surprises.warnings(asked, features)
        values = self._predicted(features)
        decided = None if self.signature.task == "regression" else self._predictor.decide(values)
        answer = Answer(values.tolist(), decided, warnings, self._explanations(asked, features, values))
        self._count(features, values)
        if self._recorder is not None:
            scores = answer.predictions if values.ndim == 2 else [[value] for value in answer.predictions]
            decisions: Sequence[str | None] = answer.decisions or [None] * len(features)
            self._recorder.record(request_id, asked.rows, features, scores, decisions)
        return answer

    def _predicted(self, features: Sequence[Mapping[str, Value]]) -> Predictions:
        try:
            return self._predictor.predict(features)
        except UndefinedPrediction as error:
            self._metrics.undefined.inc()
            raise RequestProblem(500, f"{error}; nothing is answered") from error

    def _explanations(
        self, asked: RequestRows, features: Sequence[Mapping[str, Value]], values: Predictions
    ) -> Sequence[RowAttribution] | None:
        if not asked.explained:
            return None
        contributions = self._predictor.attributions(features)
        return explanation.explanations(self.signature, asked, features, contributions, values)

    def _count(self, features: Sequence[Mapping[str, Value]], values: Predictions) -> None:
        self._metrics.predictions.inc(len(features))
        self._metrics.observe_scores((values.max(axis=1) if values.ndim == 2 else values).tolist())
