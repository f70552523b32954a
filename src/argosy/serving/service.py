"""From checked rows to answers: features looked up, the model asked, the answer logged. HTTP is not known here."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from argosy.domain.bundle import Signature
from argosy.ml.predictor import Predictions, UndefinedPrediction
from argosy.ports.features import OnlineFeatures
from argosy.ports.prediction_log import Served
from argosy.serving.lookup import Lookup
from argosy.serving.metrics import Metrics
from argosy.serving.problems import RequestProblem
from argosy.serving.records import Recorder
from argosy.serving.rows import Asked, RowReader, Value

INLINE_ROWS = 64
"""More rows than this are predicted in a thread: the event loop has others to answer, health checks among them."""


class Predictor(Protocol):
    """What the server needs of :class:`argosy.ml.predictor.Predictor`."""

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""

    def predict(self, rows: Sequence[Mapping[str, Value]]) -> Predictions:
        """A number a row, or for a multiclass model a row of probabilities. Raises UndefinedPrediction where one is no number."""

    def decide(self, predictions: Predictions) -> list[str]:
        """The class that each prediction decides for; not asked of a regression."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answers to the rows of one request, in their order."""

    predictions: list[Any]
    """Per row: a number; for a multiclass model a list of probabilities, in the order of the classes."""
    decisions: list[str] | None
    """Per row: the class decided for. None for a regression."""


class Service:
    """One served model."""

    def __init__(
        self,
        *,
        predictor: Predictor,
        served: Served,
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

    async def answer(self, asked: Asked, request_id: str) -> Answer:
        """Answer the rows *asked* for. Raises RequestProblem."""
        rows = asked.rows
        features = await self._lookup.features(asked)
        values = await self._predicted(features)
        decided = None if self.signature.task == "regression" else self._predictor.decide(values)
        answer = Answer(values.tolist(), decided)
        self._count(features, values)
        if self._recorder is not None:
            scores = answer.predictions if values.ndim == 2 else [[value] for value in answer.predictions]
            self._recorder.record(request_id, rows, features, scores, answer.decisions or [None] * len(rows))
        return answer

    async def _predicted(self, features: Sequence[Mapping[str, Value]]) -> Predictions:
        try:
            if len(features) > INLINE_ROWS:
                return await asyncio.to_thread(self._predictor.predict, features)
            return self._predictor.predict(features)
        except UndefinedPrediction as error:
            self._metrics.undefined.inc()
            raise RequestProblem(500, f"{error}; nothing is answered") from error

    def _count(self, features: Sequence[Mapping[str, Value]], values: Predictions) -> None:
        self._metrics.predictions.inc(len(features))
        self._metrics.observe_scores((values.max(axis=1) if values.ndim == 2 else values).tolist())
