"""Answers plain, small requests together, with one call of the model, and without a task for each.

A request that came whole, is small and holds nothing odd is read where it comes in. All that the event loop found ready at once are
answered together, so under load the fixed cost of a call is shared, and nobody waits for company. Anything else, whatever is to be
refused above all, is left to the common road (:mod:`argosy.serving.inference` behind its middleware), which alone says what is wrong: a
request gets here the very bytes that it would get there, or goes there.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from argosy.serving import exchange, problem_documents, request_spans
from argosy.serving.exchange import ResponseBody
from argosy.serving.hot_answers import HotAnswers, HotRead
from argosy.serving.inference import INLINE_BYTES, InferenceProtocol
from argosy.serving.middleware import model_headers, route_of
from argosy.serving.overload import TOO_LATE
from argosy.serving.prometheus import Metrics
from argosy.serving.request_problems import RequestProblem, ShedRequest
from argosy.serving.request_spans import RequestSpans, RequestTrace
from argosy.serving.service import Service

_log = logging.getLogger("argosy.serving")
Scope = MutableMapping[str, Any]
Admits = Callable[[Scope], bool]
"""True where the caller may ask, and was counted, which the request then says of itself; False where that is not known at once."""

_AGAIN_SECONDS = 1
_REFUSAL = ResponseBody(orjson.dumps(ShedRequest(TOO_LATE).body))
"""Of every protocol but the plain one, whose says more: most answers past saturation are this one."""


@dataclass(frozen=True, slots=True)
class HotRequest:
    """A request that is there with its whole body."""

    scope: Scope
    body: bytes
    began: float
    """When it was there, by ``time.perf_counter``."""


PREFIX = "/models/"
"""Before a model's name, in front of all of its addresses."""


def address(path: str) -> str:
    """*path* as a model has it, without the name in front."""
    if not path.startswith(PREFIX):
        return path
    _, slash, rest = path.removeprefix(PREFIX).partition("/")
    return f"{slash}{rest}" or "/"


class HotPath:
    """The hot path of one model."""

    def __init__(
        self,
        routes: Mapping[str, InferenceProtocol[Any]],
        service: Service,
        metrics: Metrics,
        admits: Admits = lambda _: True,
        spans: RequestSpans | None = None,
    ) -> None:
        """*routes*: protocols by the path that is posted to. *spans*: the traces of requests."""
        self._spans = spans
        self._routes = routes
        self._service = service
        self._metrics = metrics
        self._admits = admits
        self._head = _lines(model_headers(service.answering))
        self._answers = HotAnswers(service, metrics, self._whole)

    @property
    def paths(self) -> Iterable[str]:
        """Addresses whose requests may be answered here."""
        return self._routes.keys()

    def may_take(self, scope: Scope) -> bool:
        """True for a request that may be answered here, once its body is there."""
        return scope["method"] == "POST" and address(scope["path"]) in self._routes

    def answer(self, requests: Sequence[HotRequest]) -> list[bytes | None]:
        """The answers to *requests*, each all that follows an HTTP status line; None for one that the common road has to answer."""
        try:
            return self._answered(requests)
        except Exception:  # noqa: BLE001 - an error of one request must not leave the others without an answer
            # Of all of them nobody knows which one it was: each is tried alone, and what fails there is told to its caller.
            _log.exception("%d requests were not answered together", len(requests))
            return [None] * len(requests)

    def refusal(self, request: HotRequest) -> bytes:
        """The answer (503), all that follows the status line, to a *request* that would wait for too long. It is counted."""
        scope = request.scope
        route = address(scope["path"])
        self._metrics.shed(route_of(route))
        trace = self._trace(request)
        identity = exchange.request_id(scope, trace)
        if self._spans is not None and trace is not None:
            self._spans.done(trace, route_of(route), trace.began, 503)
        content = _REFUSAL
        if route in problem_documents.PATHS:
            content = problem_documents.body(route, ShedRequest(TOO_LATE), identity)
        head = _sized(content.type, content.body)
        return b"%b%bretry-after: %d\r\n\r\n%b" % (head, self._named(identity, trace), _AGAIN_SECONDS, content.body)

    def _answered(self, requests: Sequence[HotRequest]) -> list[bytes | None]:
        found = [self._read(request) for request in requests]
        contents = self._answers.answers(found)
        for request, content, each in zip(requests, contents, found, strict=True):
            if content is not None and each is not None:
                route = route_of(address(request.scope["path"]))
                self._metrics.observe(route, 200, time.perf_counter() - request.began)
                if self._spans is not None and each.asked.trace is not None:
                    self._spans.done(each.asked.trace, route, each.asked.trace.began, 200)
        return contents

    def _trace(self, request: HotRequest) -> RequestTrace | None:
        """What notes the stages of *request*; None where it is not recorded."""
        trace = None if self._spans is None else self._spans.of_http(request.scope)
        if trace is not None:
            trace.began = int(request.began * 1e9)
        return trace

    def _read(self, request: HotRequest) -> HotRead | None:
        scope = request.scope
        protocol = self._routes[address(scope["path"])]
        trace = self._trace(request)
        began = 0 if trace is None else trace.stage("queue", trace.began)
        if len(request.body) > INLINE_BYTES or not self._admits(scope):
            return None
        if trace is not None:
            trace.stage("access", began)
        try:
            length = exchange.json_length(scope, binary=protocol.binary)
        except RequestProblem:
            return None
        return self._answers.read(protocol, request.body, length, lambda: exchange.request_id(scope, trace), trace)

    def _whole(self, read: HotRead, content: ResponseBody) -> bytes:
        """All that follows the status line."""
        return b"%b%b%b\r\n%b" % (
            _sized(content.type, content.body),
            _lines(content.headers) if content.headers else b"",
            self._named(read.identity, read.asked.trace),
            content.body,
        )

    def _named(self, identity: str, trace: RequestTrace | None) -> bytes:
        named = b"%bx-request-id: %b\r\n" % (self._head, identity.encode())
        return named if trace is None else named + _lines([request_spans.header(trace)])


def _sized(kind: bytes, body: bytes) -> bytes:
    return b"content-type: %b\r\ncontent-length: %d\r\n" % (kind, len(body))


def _lines(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers)
