"""A split: two versions share the requests to one model, each row answered by the one that its entity is assigned to (A/B).

Both are counted, logged and explained as what they are, and an answer says for each row which version gave it. Where the candidate fails,
the served version answers instead.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from argosy.ml.attribution import RowAttribution
from argosy.ml.encoding import Matrix
from argosy.ml.predictor import Predictions, UndefinedPrediction
from argosy.ports.features import OnlineFeatures
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import explanation, request_spans, second_series
from argosy.serving.arm import Arm
from argosy.serving.assignment import Assignment
from argosy.serving.prometheus import Metrics
from argosy.serving.records import Recorder
from argosy.serving.request_columns import RequestColumns
from argosy.serving.second_series import SecondSeries
from argosy.serving.servable_predictor import ServablePredictor
from argosy.serving.service import Answer, Service, given_by

_log = logging.getLogger("argosy.serving")


@dataclass(frozen=True)
class CandidateArm:
    """The version that answers a share of the rows."""

    arm: Arm
    assignment: Assignment
    series: SecondSeries


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of a request that one version answers."""

    asked: RequestColumns
    places: list[int]
    matrix: Matrix
    values: Predictions


@dataclass(frozen=True, slots=True)
class _Dealt:
    """A request whose rows are dealt and answered, and nothing of it counted yet."""

    asked: RequestColumns
    request_id: str
    ours: _Part | None
    theirs: _Part | None
    seconds: float
    """What the call of the candidate took."""


class SplitService(Service):
    """One served model whose rows are shared with a candidate."""

    def __init__(
        self,
        candidate: CandidateArm,
        *,
        predictor: ServablePredictor,
        served: ServedRelease,
        metrics: Metrics,
        online: OnlineFeatures | None,
        recorder: Recorder | None,
    ) -> None:
        super().__init__(predictor=predictor, served=served, metrics=metrics, online=online, recorder=recorder)
        self._candidate = candidate
        self._told = False

    @property
    def answering(self) -> list[ServedRelease]:
        """See :meth:`Service.answering`."""
        return [self.served, self._candidate.arm.served]

    def close(self) -> None:
        """See :meth:`Service.close`."""
        self._candidate.arm.close()

    def answer_together(self, requests: Sequence[tuple[RequestColumns, str]]) -> list[Answer] | None:
        """See :meth:`Service.answer_together`; those that the candidate has a part in take a call of each version."""
        dealt = [self._places(asked, request_id) for asked, request_id in requests]
        plain = [request for request, places in zip(requests, dealt, strict=True) if not places]
        try:
            shared = [
                self._deal(asked, request_id, places)
                for (asked, request_id), places in zip(requests, dealt, strict=True)
                if places
            ]
        except UndefinedPrediction:
            return None
        alone = super().answer_together(plain)
        if alone is None:
            return None
        ours, theirs = iter(map(self._all_ours, alone)), iter([self._settled(each) for each in shared])
        return [next(theirs) if places else next(ours) for places in dealt]

    def answer(self, asked: RequestColumns, request_id: str) -> Answer:
        """See :meth:`Service.answer`."""
        places = self._places(asked, request_id)
        if not places:
            return self._all_ours(super().answer(asked, request_id))
        warnings = self._surprises.warnings(asked)
        try:
            dealt = self._deal(asked, request_id, places)
        except UndefinedPrediction as error:
            raise self._undefined(error) from error
        return replace(self._settled(dealt), warnings=warnings)

    def _places(self, asked: RequestColumns, request_id: str) -> list[int]:
        return self._candidate.assignment.places(asked.count, asked.entities, request_id)

    def _all_ours(self, answer: Answer) -> Answer:
        return replace(answer, versions=[self.version] * len(answer.predictions))

    def _deal(self, asked: RequestColumns, request_id: str, places: list[int]) -> _Dealt:
        """Ask both versions, the candidate for the rows at *places*. Raises UndefinedPrediction where the served one has no number."""
        began = time.perf_counter()
        theirs = self._theirs(asked, places)
        seconds = time.perf_counter() - began
        taken = set(places) if theirs is not None else set()
        rest = [place for place in range(asked.count) if place not in taken]
        ours = None
        if rest:
            part = only(asked, rest)
            matrix = self.columns.encoded_rows(part.rows()) if part.matrix is None else part.matrix
            started = request_spans.now()
            ours = _Part(part, rest, matrix, self._predictor.predict_matrix(matrix))
            _note(asked, "predict", started, self.version)
        return _Dealt(asked, request_id, ours, theirs, seconds)

    def _theirs(self, asked: RequestColumns, places: list[int]) -> _Part | None:
        """What the candidate answers to the rows at *places*; None where it fails."""
        arm = self._candidate.arm
        try:
            own = arm.own(only(asked, places))
            matrix = arm.matrix(own)
            began = request_spans.now()
            part = _Part(own, places, matrix, arm.predictor.predict_matrix(matrix))
            _note(asked, "predict", began, arm.version)
            return part
        except Exception as error:  # noqa: BLE001 - a candidate that fails must cost nobody an answer
            undefined = isinstance(error, UndefinedPrediction)
            reason = second_series.UNDEFINED if undefined else second_series.FAILED
            self._candidate.series.failed(reason, len(places))
            if not self._told:
                self._told = True
                _log.exception(
                    "the candidate, version %s, gave no answer and the served version did; argosy_second_errors_total counts them",
                    arm.version,
                )
            return None

    def _settled(self, dealt: _Dealt) -> Answer:
        """The answer of both, counted and logged."""
        merged = _Merged(dealt.asked.count)
        if dealt.ours is not None:
            part = dealt.ours
            why = _why(self._predictor, part)
            answer = self._answered(part.asked, dealt.request_id, part.values, (), why, part.places)
            merged.put(part.places, answer, self.version)
        if dealt.theirs is not None:
            arm, part = self._candidate.arm, dealt.theirs
            self._candidate.series.answered(part.values, dealt.seconds)
            began = request_spans.now()
            arm.record(dealt.request_id, part.asked, part.values, part.places)
            _note(dealt.asked, "log", began, arm.version)
            why = _why(arm.predictor, part)
            answer = given_by(arm.predictor, part.values, dealt.request_id, (), why)
            merged.put(part.places, answer, arm.version)
        return merged.answer(dealt.request_id)


class _Merged:
    """Puts the rows of two versions back in their order."""

    def __init__(self, count: int) -> None:
        self._rows: list[Any] = [None] * count

    def put(self, places: Sequence[int], answer: Answer, version: str) -> None:
        """Put the rows of *answer*, which *version* gave, at *places*."""
        nothing = [None] * len(places)
        columns = (
            answer.predictions,
            answer.decisions or nothing,
            answer.explanations or nothing,
            answer.confidences or nothing,
        )
        for place, *row in zip(places, *columns, strict=True):
            self._rows[place] = (*row, version)

    def answer(self, request_id: str) -> Answer:
        """All of them."""
        predictions, decisions, why, sure, versions = map(list, zip(*self._rows, strict=True))
        return Answer(
            predictions,
            None if None in decisions else decisions,
            (),
            None if None in why else why,
            None if None in sure else sure,
            request_id,
            versions,
        )


def _note(asked: RequestColumns, stage: str, began: int, version: str) -> None:
    if asked.trace is not None:
        asked.trace.stage(stage, began, attributes={"argosy.model.version": version})


def _why(predictor: ServablePredictor, part: _Part) -> Sequence[RowAttribution] | None:
    if not part.asked.explained:
        return None
    contributions = predictor.contributions(part.matrix)
    return explanation.explanations(predictor.signature, part.asked, contributions, part.values)


def only(asked: RequestColumns, places: Sequence[int]) -> RequestColumns:
    """The rows of *asked* at *places*, which ascend."""
    if len(places) == asked.count:
        return asked
    numbers = {place: number for number, place in enumerate(places)}
    return replace(
        asked,
        count=len(places),
        features={name: [values[place] for place in places] for name, values in asked.features.items()},
        entities=None if asked.entities is None else [asked.entities[place] for place in places],
        by_id=[numbers[place] for place in asked.by_id if place in numbers],
        expired={numbers[place]: names for place, names in asked.expired.items() if place in numbers},
        where=lambda place, name: asked.where(places[place], name),
        encoded=None if asked.encoded is None else asked.encoded.only(places),
    )
