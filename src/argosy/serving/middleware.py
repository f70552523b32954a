"""Middleware round every request: a request id, headers that name the model, the request metrics, and failures as JSON."""

import logging
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from argosy.ports.prediction_log import ServedRelease
from argosy.serving import exchange, problem_documents, request_spans
from argosy.serving.prometheus import Metrics
from argosy.serving.request_problems import RequestProblem, ShedRequest
from argosy.serving.request_spans import TRACE, RequestSpans

_log = logging.getLogger("argosy.serving")
GONE = 499
"""What is said of a request whose caller went away before it was answered."""


class RequestMiddleware:
    """ASGI middleware that turns a RequestProblem into its status and anything else into a logged 500."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics | None = None,
        answering: Sequence[ServedRelease] = (),
        spans: RequestSpans | None = None,
    ) -> None:
        """*metrics*: of the model that is asked; *answering*: the releases that may have answered. None for what is about no single one.
        *spans*: the traces of requests."""
        self._app = app
        self._spans = spans
        self._metrics = metrics
        self._headers = model_headers(answering) if answering else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Never raises for a request, whatever it holds."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = request_spans.now()
        route = route_of(scope["path"])
        trace = self._spans.of_http(scope) if self._spans is not None and route in request_spans.NAMES else None
        identity = exchange.request_id(scope, trace)
        answered = _Answered(send, [*self._headers, (b"x-request-id", identity.encode())])
        scope.setdefault("state", {})["request_id"] = identity
        if trace is not None:
            answered.headers.append(request_spans.header(trace))
            trace.attributes["argosy.request_id"] = identity
        try:
            await self._guarded(scope, receive, answered)
        finally:
            self._count(route, answered, (request_spans.now() - began) / 1e9)
            if self._spans is not None and trace is not None:
                self._spans.done(trace, route, trace.began or began, answered.status or GONE)

    def _count(self, route: str, answered: "_Answered", seconds: float) -> None:
        if self._metrics is None:
            return
        if answered.shed:
            self._metrics.shed(route)
        else:
            self._metrics.observe(route, answered.status, seconds)

    async def _guarded(self, scope: Scope, receive: Receive, answered: "_Answered") -> None:
        try:
            await self._app(scope, receive, answered)
        except RequestProblem as problem:
            answered.shed = isinstance(problem, ShedRequest)
            answered.headers += problem.headers
            if problem.closes:
                answered.headers.append((b"connection", b"close"))
            if problem.retry_after is not None:
                answered.headers.append((b"retry-after", str(problem.retry_after).encode()))
            await self._refuse(scope, answered, problem)
        except Exception:
            identity = scope["state"]["request_id"]
            _log.exception("request %s failed%s", identity, request_spans.said(scope["state"].get(TRACE)))
            if answered.status:
                raise  # half an answer is out: only the connection can say that it is not whole
            message = f"the server failed; its log says why, see request {identity}"
            await self._refuse(scope, answered, RequestProblem(500, message))

    async def _refuse(self, scope: Scope, answered: "_Answered", problem: RequestProblem) -> None:
        content = problem_documents.body(scope["path"], problem, scope["state"]["request_id"])
        await exchange.respond_content(answered, problem.status, content)


class _Answered:
    """Passes an answer on with our headers, and remembers its status (0: none yet)."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self.headers = headers
        self.status = 0
        self.shed = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *self.headers]
        await self._send(message)


def model_headers(answering: Sequence[ServedRelease]) -> list[tuple[bytes, bytes]]:
    """The headers that say which model answered: of a split both versions, and the answer itself says which of them for each row."""
    return [(name.encode(), value.encode()) for name, value in model_labels(answering)]


def model_labels(answering: Sequence[ServedRelease]) -> list[tuple[str, str]]:
    """These headers as texts."""
    return [
        ("argosy-model", answering[0].model),
        ("argosy-model-version", ", ".join(str(served.version or "") for served in answering)),
        ("argosy-model-digest", ", ".join(served.digest for served in answering)),
    ]


def route_of(path: str) -> str:
    """What requests to *path* are counted as."""
    if path.endswith(":predict"):
        return "v1"
    if path == "/predict":
        return "plain"
    if path.endswith((":explain", "/explain")):
        return "explain"
    return "v2" if path.endswith("/infer") else "operations"
