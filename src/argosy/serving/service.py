"""From checked rows to answers: features looked up, the model asked, the answer logged. HTTP is not known here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from argosy.ml import confidence
from argosy.ml.attribution import RowAttribution
from argosy.ml.encoding import Matrix
from argosy.ml.predictor import Predictions, UndefinedPrediction
from argosy.ports.features import OnlineFeatures
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import explanation, released, request_spans
from argosy.serving.lookup import Lookup
from argosy.serving.prometheus import Metrics
from argosy.serving.records import Recorder
from argosy.serving.request_columns import ColumnReader, RequestColumns
from argosy.serving.request_problems import RequestProblem
from argosy.serving.servable_predictor import ServablePredictor
from argosy.serving.shadow import Shadow
from argosy.serving.unexpected_values import UnexpectedValues


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
    confidences: list[float] | None = None
    """Per row: how sure the answer is. None for a regression."""
    request_id: str = ""
    versions: Sequence[str] | None = None
    """Per row the version that answered it, where two share the requests."""

    def said_beside(self) -> dict[str, Any]:
        """What JSON says beside the predictions, one of them a row each."""
        said: dict[str, Any] = {}
        if self.decisions is not None:
            said = {"decisions": self.decisions, "confidences": self.confidences}
        if self.versions is not None:
            said["versions"] = self.versions
        if self.warnings:
            said["warnings"] = self.warnings
        if self.explanations is not None:
            said["explanations"] = list(map(explanation.as_json, self.explanations))
        return said

    def version(self, served: str) -> str:
        """The version that answered every row; *served*, that of the server, where it or both did."""
        return served if self.versions is None or len(set(self.versions)) > 1 else self.versions[0]


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
        shadow: Shadow | None = None,
    ) -> None:
        """*shadow*: a second version that is asked the same, and never answers."""
        self.served = served
        self.signature = predictor.signature
        self.columns = ColumnReader(predictor.signature)
        self._predictor = predictor
        self._metrics = metrics
        self._lookup = Lookup(online, predictor.signature.join_keys, metrics)
        self._recorder = recorder
        self._shadow = shadow
        self._surprises = UnexpectedValues(predictor.signature, metrics)

    @property
    def version(self) -> str:
        """The version as the protocols want one; a bundle that was never registered is known by its digest."""
        return self.served.digest if self.served.version is None else str(self.served.version)

    @property
    def answering(self) -> list[ServedRelease]:
        """The releases that may have answered a row."""
        return [self.served]

    def close(self) -> None:
        """End what goes on beside requests, and what it logs."""
        if self._shadow is not None:
            self._shadow.close()

    def refuse_others(self, model: str, version: str | None) -> None:
        """Raises RequestProblem (404) where a caller names another *model*, or another *version* of this one."""
        released.refuse_others(self.signature.model, self.version, asked=model, asked_version=version)

    async def looked_up(self, asked: RequestColumns) -> RequestColumns:
        """*asked* with the features of every row. Raises RequestProblem."""
        if not asked.by_id:
            return asked
        began, noted = request_spans.now(), {"argosy.rows": len(asked.by_id)}
        try:
            filled = await self._lookup.filled(asked)
            if filled.expired:
                noted["argosy.expired_values"] = sum(map(len, filled.expired.values()))
        finally:
            if asked.trace is not None:
                asked.trace.stage("look-up", began, attributes=noted)
        return replace(filled, encoded=self.columns.encoded(filled.features))

    def plain(self, asked: RequestColumns) -> bool:
        """True where the features of every row *asked* for are there, the model was made for each, and nobody asks why."""
        return asked.matrix is not None and not asked.explained and self._surprises.expected(asked)

    def answer_together(self, requests: Sequence[tuple[RequestColumns, str]]) -> list[Answer] | None:
        """Answer *requests*, plain ones, each with its id, with one call of the model: each as :meth:`answer` does.

        None, and nothing was done, where the model has no number for some row: which request is to blame, each alone will tell.
        """
        matrices = [asked.matrix for asked, _ in requests if asked.matrix is not None]
        if not matrices:
            return []
        began = request_spans.now()
        try:
            values = self._predictor.predict_matrix(matrices[0] if len(matrices) == 1 else np.concatenate(matrices))
        except UndefinedPrediction:
            return None
        ended = request_spans.now()
        answers, begin = [], 0
        for asked, request_id in requests:
            if asked.trace is not None:
                asked.trace.stage("predict", began, ended, attributes={"argosy.requests": len(requests)})
            answers.append(self._answered(asked, request_id, values[begin : begin + asked.count]))
            begin += asked.count
        return answers

    def answer(self, asked: RequestColumns, request_id: str) -> Answer:
        """Answer the rows *asked* for, whose features are there. Safe in a thread. Raises RequestProblem."""
        warnings = self._surprises.warnings(asked)
        matrix = self.columns.encoded_rows(asked.rows()) if asked.matrix is None else asked.matrix
        began = request_spans.now()
        values = self._predicted(matrix)
        if asked.trace is not None:
            began = asked.trace.stage("predict", began)
        explanations = self._explanations(asked, matrix, values)
        if asked.trace is not None and explanations is not None:
            asked.trace.stage("explain", began)
        return self._answered(asked, request_id, values, warnings, explanations)

    def _answered(
        self,
        asked: RequestColumns,
        request_id: str,
        values: Predictions,
        warnings: Sequence[str] = (),
        explanations: Sequence[RowAttribution] | None = None,
        places: Sequence[int] | None = None,
    ) -> Answer:
        """The answer by *values*, counted and logged. *places*: see :meth:`Recorder.record`."""
        answer = given_by(self._predictor, values, request_id, warnings, explanations)
        self._count(values)
        if self._recorder is not None:
            scores = values if values.ndim == 2 else values[:, np.newaxis]
            decisions: Sequence[str | None] = answer.decisions or [None] * asked.count
            began = request_spans.now()
            self._recorder.record(request_id, asked, scores, decisions, places)
            if asked.trace is not None:
                asked.trace.stage("log", began)
        if self._shadow is not None:
            self._shadow.offer(asked, request_id, values, answer.decisions)
        return answer

    def _predicted(self, matrix: Matrix) -> Predictions:
        try:
            return self._predictor.predict_matrix(matrix)
        except UndefinedPrediction as error:
            raise self._undefined(error) from error

    def _undefined(self, error: UndefinedPrediction) -> RequestProblem:
        self._metrics.undefined.inc()
        return RequestProblem(500, f"{error}; nothing is answered")

    def _explanations(
        self, asked: RequestColumns, matrix: Matrix, values: Predictions
    ) -> Sequence[RowAttribution] | None:
        if not asked.explained:
            return None
        return explanation.explanations(self.signature, asked, self._predictor.contributions(matrix), values)

    def _count(self, values: Predictions) -> None:
        self._metrics.predictions.inc(len(values))
        # Of several classes the chance of the one decided for.
        self._metrics.observe_scores(values if values.ndim == 1 else values.max(axis=1))


def given_by(
    predictor: ServablePredictor,
    values: Predictions,
    request_id: str,
    warnings: Sequence[str] = (),
    explanations: Sequence[RowAttribution] | None = None,
) -> Answer:
    """The answer that *predictor* gives by *values*."""
    sure = confidence.of_answers(predictor.signature.task, values)
    return Answer(
        values.tolist(),
        None if sure is None else predictor.decide(values),
        warnings,
        explanations,
        None if sure is None else sure.tolist(),
        request_id,
    )
