"""What the hot paths of HTTP and of gRPC share: requests that were read are answered with one call of the model, and each answer is written
in its protocol. How a request came, and how its answer leaves, they know alone.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from argosy.serving import request_spans
from argosy.serving.exchange import ResponseBody
from argosy.serving.inference import INLINE_ROWS, InferenceProtocol
from argosy.serving.prometheus import Metrics
from argosy.serving.request_columns import RequestColumns
from argosy.serving.request_problems import RequestProblem
from argosy.serving.request_spans import RequestTrace
from argosy.serving.service import Answer, Service

_log = logging.getLogger("argosy.serving")
Sent = TypeVar("Sent")


@dataclass(frozen=True, slots=True)
class HotRead:
    """What a request asks for."""

    protocol: InferenceProtocol[Any]
    asked: RequestColumns
    wanted: Any
    identity: str


class HotAnswers(Generic[Sent]):
    """Answers for one hot path of one model."""

    def __init__(self, service: Service, metrics: Metrics, sent: Callable[[HotRead, ResponseBody], Sent]) -> None:
        """*sent*: what is sent of an answer's body, to whoever asked."""
        self._service = service
        self._metrics = metrics
        self._sent = sent

    def read(
        self,
        protocol: InferenceProtocol[Any],
        body: bytes,
        length: int | None,
        identify: Callable[[], str],
        trace: RequestTrace | None,
    ) -> HotRead | None:
        """What *body* asks *protocol* for; None where the common road has to answer. *identify* gives the request's id."""
        began = request_spans.now()
        try:
            asked, wanted = protocol.read(body, length)
        except RequestProblem:
            return None
        if asked.count > INLINE_ROWS or not self._service.plain(asked):
            return None
        identity = identify()
        if trace is not None:
            trace.stage("read", began, attributes={"argosy.rows": asked.count})
            trace.attributes["argosy.request_id"] = identity
            asked = replace(asked, trace=trace)
        return HotRead(protocol, asked, wanted, identity)

    def answers(self, found: Sequence[HotRead | None]) -> list[Sent | None]:
        """What is sent to those of *found* that were read; None for one that the common road has to answer."""
        read = [each for each in found if each is not None]
        self._metrics.together.observe(len(found))
        answers = self._service.answer_together([(each.asked, each.identity) for each in read])
        if answers is None:
            return [None] * len(found)
        written = iter([self._tried(each, answer) for each, answer in zip(read, answers, strict=True)])
        return [None if each is None else next(written) for each in found]

    def _tried(self, read: HotRead, answer: Answer) -> Sent | None:
        """As :meth:`_written`; None where that fails. The others are logged already: to try them again would log them twice."""
        try:
            return self._written(read, answer)
        except Exception:  # noqa: BLE001 - what fails there is told to its caller by the common road
            _log.exception("the answer to request %s was not written", read.identity)
            return None

    def _written(self, read: HotRead, answer: Answer) -> Sent:
        began, trace = request_spans.now(), read.asked.trace
        content = read.protocol.write(answer, read.wanted)
        if trace is not None:
            trace.stage("write", began)
            trace.attributes["argosy.model.version"] = answer.version(self._service.version)
        return self._sent(read, content)
