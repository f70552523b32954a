"""The route that answers: body in, rows out of it, the model asked, answer out. The same for every protocol.

Small requests are answered where they come in. Large ones are worked on in a thread, few at once, because the event loop has others to
answer; while they wait, all that they hold is their body.
"""

import abc
import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from starlette.types import ASGIApp, Receive, Scope, Send

from argosy.serving import exchange, request_spans
from argosy.serving.exchange import Bodies, BodyReader, RequestLimits, ResponseBody
from argosy.serving.overload import TOO_LATE, Overload
from argosy.serving.request_columns import RequestColumns
from argosy.serving.request_problems import ShedRequest
from argosy.serving.request_spans import TRACE, RequestTrace
from argosy.serving.server_metrics import ServerMetrics
from argosy.serving.service import Answer, Service

INLINE_BYTES = 64 * 1024
"""Longer bodies are read in a thread: this much, 150 rows of 20 features by name, takes half a millisecond."""
INLINE_ROWS = 256
"""More rows than this are answered in a thread."""
LARGE_AT_ONCE = 2
"""Large requests in work. Each may take many times its body in memory; more of them would be no faster, as one runs at a time."""
EXPLAINED_AT_ONCE = 1
"""Requests whose answers are explained, in a thread: one takes as long as hundreds that are not, and these go on beside it."""

JUDGED = "argosy.judged"
"""Key of a request's state, which callers cannot reach: true where it was found as it was read that there is time for it."""

Wanted = TypeVar("Wanted")
Result = TypeVar("Result")


class InferenceProtocol(Protocol[Wanted]):
    """A wire format of rows and answers: V1, or V2 (the Open Inference Protocol)."""

    binary: bool
    """True where requests may carry tensors in binary (V2's extension)."""

    def read(self, body: bytes, length: int | None) -> tuple[RequestColumns, Wanted]:
        """The rows that *body* asks for, and how it wants the answer. *length*: of its JSON. Raises RequestProblem."""

    def write(self, given: Answer, wanted: Wanted) -> ResponseBody:
        """*given* as it is *wanted*."""


class ConcurrencyLimiter:
    """Backpressure: lets a number of requests in at once, and of the large ones fewer; refuses more, and those that wait too long. All
    models of a server share one."""

    def __init__(self, limits: RequestLimits, metrics: ServerMetrics, overload: Overload | None = None) -> None:
        """*overload*: what says when there is no time for more; None: turns of the event loop, by the limits."""
        self.overload = overload or Overload(limits.queue_seconds)
        self._limit = limits.in_flight
        self._gauge = metrics.in_flight
        self._inside = 0
        self.large = asyncio.Semaphore(LARGE_AT_ONCE)
        self.explaining = asyncio.Semaphore(EXPLAINED_AT_ONCE)

    def __enter__(self) -> None:
        """Be among those that are answered. Raises ShedRequest where there are too many."""
        if self._inside >= self._limit:
            raise ShedRequest(f"{self._limit} requests are being answered already; try again")
        self._inside += 1
        self._gauge.set(self._inside)

    def __exit__(self, *_: object) -> None:
        self._inside -= 1
        self._gauge.set(self._inside)

    def judge(self) -> None:
        """A request is there, whole. Raises ShedRequest where others were before it for too long, turn after turn of the event loop."""
        if self.overload.arrived():
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self.overload.over)  # behind what was read together with it
        if self.overload.sheds():
            raise ShedRequest(TOO_LATE)


class RequestRoute(abc.ABC):
    """The route of one protocol, whatever the model answers: a body in within the limits, the content of an answer out."""

    def __init__(self, bodies: Bodies, gate: ConcurrencyLimiter, *, binary: bool) -> None:
        """*binary*: whether requests may carry tensors in binary."""
        self._binary = binary
        self._bodies = bodies
        self._gate = gate

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request. Raises RequestProblem."""
        length = exchange.json_length(scope, binary=self._binary)
        identity = scope["state"]["request_id"]
        with BodyReader(self._bodies) as reader:
            trace, began = scope["state"].get(TRACE), request_spans.now()
            try:
                body = await reader.read(scope, receive)
            finally:
                if trace is not None:
                    trace.stage("receive", began)
            if not scope["state"].get(JUDGED):
                self._gate.judge()
            content = await self.answered(body, length, identity, trace)
        await exchange.respond_content(send, 200, content)

    async def answered(
        self, body: bytes, length: int | None, identity: str, trace: RequestTrace | None = None
    ) -> ResponseBody:
        """The answer to *body*, in whatever way it came; *length* as :meth:`InferenceProtocol.read` takes it, *identity* the request's id,
        *trace* what notes its stages.

        Raises RequestProblem. Whether there is time for it is not asked here.
        """
        with self._gate:
            if len(body) <= INLINE_BYTES:
                return await self._content(body, length, identity, trace, here)
            began = request_spans.now()
            async with self._gate.large:
                if trace is not None:
                    trace.stage("queue", began)
                return await self._content(body, length, identity, trace, asyncio.to_thread)

    @abc.abstractmethod
    async def _content(
        self, body: bytes, length: int | None, identity: str, trace: RequestTrace | None, work: Any
    ) -> ResponseBody:
        """The answer to *body*; *work*: does what it is given here, or in a thread where the body is large. Raises RequestProblem."""


class Inference(RequestRoute):
    """The route of one protocol of a model of tables."""

    def __init__(
        self, protocol: InferenceProtocol[Any], service: Service, bodies: Bodies, gate: ConcurrencyLimiter
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
            trace.stage("read", began, attributes={"argosy.rows": asked.count})
            asked = replace(asked, trace=trace)
        asked = await self._service.looked_up(asked)
        if asked.explained:
            async with self._gate.explaining:
                return await asyncio.to_thread(self._written, asked, identity, wanted)
        if asked.count > INLINE_ROWS:
            work = asyncio.to_thread
        content: ResponseBody = await work(self._written, asked, identity, wanted)
        return content

    def _written(self, asked: RequestColumns, identity: str, wanted: Any) -> ResponseBody:
        answer = self._service.answer(asked, identity)
        began = request_spans.now()
        content = self._protocol.write(answer, wanted)
        if asked.trace is not None:
            asked.trace.stage("write", began)
            asked.trace.attributes["argosy.model.version"] = answer.version(self._service.version)
        return content


class Shortcut:
    """ASGI middleware: takes the addresses that nearly all requests go to straight to where they are answered. Finding a route otherwise
    costs a good part of a prediction."""

    def __init__(self, app: ASGIApp, *, to: Mapping[str, RequestRoute]) -> None:
        """*to*: by path; all are posted to."""
        self._app = app
        self._to = to

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, here or in *app*."""
        found = self._to.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if found is None:
            await self._app(scope, receive, send)
        else:
            await found.answer(scope, receive, send)


async def here(work: Callable[..., Result], *arguments: Any) -> Result:
    """Do *work* at once, as ``asyncio.to_thread`` does it elsewhere."""
    return work(*arguments)
