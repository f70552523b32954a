"""The route that answers questions: body in, questions out of it, the model asked, answers out. The same for every protocol."""

from dataclasses import replace
from typing import Any, Protocol, TypeVar

from argosy.serving import request_spans
from argosy.serving.answer_service import AnswerService
from argosy.serving.asked_questions import AskedQuestions
from argosy.serving.exchange import Bodies, ResponseBody
from argosy.serving.inference import ConcurrencyLimiter, RequestRoute
from argosy.serving.question_protocols import GivenAnswers
from argosy.serving.request_spans import RequestTrace

Wanted = TypeVar("Wanted")


class QuestionProtocol(Protocol[Wanted]):
    """A wire format of questions and answers."""

    binary: bool
    """True where requests may carry tensors in binary."""

    def read(self, body: bytes, length: int | None) -> tuple[AskedQuestions, Wanted]:
        """The questions of *body*, and how it wants the answer. *length*: of its JSON. Raises RequestProblem."""

    def write(self, given: GivenAnswers, wanted: Wanted) -> ResponseBody:
        """*given* as it is *wanted*."""


class AnswerInference(RequestRoute):
    """The route of one protocol of a language model."""

    def __init__(
        self, protocol: QuestionProtocol[Any], service: AnswerService, bodies: Bodies, gate: ConcurrencyLimiter
    ) -> None:
        super().__init__(bodies, gate, binary=protocol.binary)
        self._protocol = protocol
        self._service = service

    async def _content(
        self, body: bytes, length: int | None, identity: str, trace: RequestTrace | None, work: Any
    ) -> ResponseBody:
        began = request_spans.now()
        asked, wanted = await work(self._protocol.read, body, length)
        if trace is not None:
            began = trace.stage("read", began, attributes={"argosy.questions": asked.count})
            asked = replace(asked, trace=trace)
        given = await self._service.answer(asked, identity)
        if trace is not None:
            began = trace.stage("answer", began)
            trace.attributes["argosy.model.version"] = given.version
        content = self._protocol.write(given, wanted)
        if trace is not None:
            trace.stage("write", began)
        return content
