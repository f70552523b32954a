"""The Open Inference Protocol over gRPC, on a port of its own, beside HTTP and on the same event loop.

One path predicts and logs: what is here takes a message off the wire and hands it to :class:`~argosy.serving.inference.RequestRoute`, under
the limits and into the counters that HTTP has. A problem becomes gRPC's status. The client's deadline ends the call.
"""

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from google.protobuf.message import DecodeError

from argosy import errors
from argosy.serving import grpc_health, grpc_hot, grpc_messages, grpc_reflection, listeners, request_spans
from argosy.serving.access.gatekeeper import Credentials
from argosy.serving.answer_app import AnswerParts
from argosy.serving.app import ServerParts
from argosy.serving.connections import SWEEP_PARTS, SWEEP_SECONDS, ConnectionLimits
from argosy.serving.grpc_call import GrpcCall
from argosy.serving.grpc_connection import GrpcConnections, GrpcLimits
from argosy.serving.grpc_frames import BrokenCall, GrpcStatus
from argosy.serving.grpc_hot import ROUTE, GrpcHotPath, NoHotPath
from argosy.serving.grpc_tensors import HARMLESS_BYTES, GrpcTensors
from argosy.serving.inference import RequestRoute
from argosy.serving.middleware import model_labels
from argosy.serving.request_problems import RequestProblem, ShedRequest
from argosy.serving.request_spans import RequestTrace
from argosy.serving.served_models import ServedModel, ServedModels
from argosy.serving.tls import HANDSHAKE_SECONDS, Certificate
from argosy.serving.v2_envelope import EXTENSIONS

_log = logging.getLogger("argosy.serving")
RECEIVED_AT_ONCE = {"rows": 256, "others": 32}
"""Calls whose message is on its way, by what they send. Some clients say all that they will call before they send the first message; none
of these is to hold every place there is, nor those who need no key all of theirs."""
LONG_AT_ONCE = 32
"""Those of them of which more than half a window came. Each may hold as much memory as a body, before anybody knows how long it is."""
SMALL_BYTES = 16 * 1024
"""In a message that holds no rows. Whoever sends it need not have said who they are."""
CALLS = 1_024
"""Calls at once, all methods together."""
CONNECTION_SECONDS = 30.0
"""After which a caller is asked to connect anew, or half of the time for draining, where that is less."""
CODES = {
    400: GrpcStatus.INVALID_ARGUMENT,
    401: GrpcStatus.UNAUTHENTICATED,
    403: GrpcStatus.PERMISSION_DENIED,
    404: GrpcStatus.NOT_FOUND,
    408: GrpcStatus.DEADLINE_EXCEEDED,
    413: GrpcStatus.INVALID_ARGUMENT,  # fewer rows help, another try does not
    415: GrpcStatus.INVALID_ARGUMENT,
    422: GrpcStatus.INVALID_ARGUMENT,
    429: GrpcStatus.RESOURCE_EXHAUSTED,
    500: GrpcStatus.INTERNAL,
    503: GrpcStatus.UNAVAILABLE,
    504: GrpcStatus.DEADLINE_EXCEEDED,
}
"""gRPC's code of each status that a problem has over HTTP."""
OPEN = frozenset({"ServerLive", "ServerReady"})
"""Methods that load balancers and kubelets call, who have no key; they say whether the server is up and nothing else."""
GONE, TOO_LATE = 499, 504
"""Statuses that the metrics count where the caller cancelled, and where its deadline passed."""
TRANSIT_SECONDS = 0.25
"""How much of a deadline may be left here when it is over there: a caller reckons from when it sent, and cancels at its end."""


def cut_off(left: float | None) -> int:
    """The status of a call that was ended with so many seconds of its deadline *left*; None: it had none."""
    return TOO_LATE if left is not None and left <= TRANSIT_SECONDS else GONE


class GrpcServer:
    """Answers on one address; see :class:`argosy.serving.graceful_server.Companion`."""

    def __init__(
        self,
        models: ServedModels,
        address: str,
        certificate: Certificate | None = None,
        *,
        drain_seconds: float = 0.0,
        shared: bool = False,
    ) -> None:
        """*address*: ``host:port``, an IPv6 host in brackets. *certificate*: None speaks gRPC in the open. *drain_seconds*: between the
        time when callers are told to go elsewhere and :meth:`stop`. *shared*: other processes of the server listen on the address too."""
        self._shared = shared
        self._address = address
        self._drain_seconds = drain_seconds
        self._certificate = certificate
        self._crowd = GrpcConnections(_limits(drain_seconds, models.request_seconds), _Methods(models))
        self._listener: asyncio.Server | None = None
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. Raises Misconfigured where the address cannot be had."""
        host, _, port = self._address.rpartition(":")
        tls = None if self._certificate is None else self._certificate.grpc_context
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                self._crowd.protocol,
                host.strip("[]"),
                int(port),
                ssl=tls,
                ssl_handshake_timeout=None if tls is None else HANDSHAKE_SECONDS,
                backlog=CALLS // 4,
                reuse_port=self._shared or None,
            )
        except OSError as error:
            message = f"cannot listen for gRPC on {self._address}; pass another --grpc-port, or 0 for a free one"
            raise errors.Misconfigured(message) from error
        self._sweeping = asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS / SWEEP_PARTS)
            self._crowd.sweep()

    async def stop(self, seconds: float) -> None:
        """Take no more calls, and end once those that came are answered, at most *seconds* from now."""
        if self._listener is not None:
            self._listener.close()
            await self._crowd.leave(seconds)
        if self._sweeping is not None:
            self._sweeping.cancel()


def _limits(drain_seconds: float, request_seconds: float) -> GrpcLimits:
    limits = ConnectionLimits()
    # A caller keeps its connection as long as it may, whoever else is ready. Told now and then to connect anew, which loses none, callers
    # are elsewhere before this server stops, and find new ones.
    age = min(CONNECTION_SECONDS, drain_seconds / 2) if drain_seconds else CONNECTION_SECONDS
    return GrpcLimits(
        connections=replace(limits, connections=limits.connections // 2),
        calls=CALLS,
        age_seconds=age,
        grace_seconds=listeners.patience(request_seconds),
    )


class _Methods:
    """All methods by their path; see :class:`argosy.serving.grpc_connection.CallHandler`."""

    def __init__(self, models: ServedModels) -> None:
        # Those of whoever is slow to ask for health must not take the place of rows: nobody is asked who they are for it.
        rows, others = (_Receiver(models.limits.body_seconds, RECEIVED_AT_ONCE[what]) for what in ("rows", "others"))
        self._models = models
        self._calls: dict[str, _Method] = {
            f"/{grpc_messages.SERVICE}/{name}": _Infer(models, rows)
            if name == "ModelInfer"
            else _Described(models, others, name)
            for name in grpc_messages.METHODS
        }
        health = grpc_health.Health(models.lifecycle)
        self._streams: dict[str, Callable[[GrpcCall], AsyncIterator[bytes]]] = {
            **dict.fromkeys(grpc_reflection.PATHS, grpc_reflection.answers),
            grpc_health.CHECK: health.checked,
            grpc_health.WATCH: health.watched,
        }
        self._most_bytes = dict.fromkeys([*self._calls, *self._streams], SMALL_BYTES)
        self._keyed = {path for path, method in self._calls.items() if not method.open}
        self._infer = f"/{grpc_messages.SERVICE}/ModelInfer"
        self._most_bytes[self._infer] = models.limits.body_bytes
        self._hot: WeakKeyDictionary[ServedModel, GrpcHotPath | NoHotPath] = WeakKeyDictionary()

    def most_bytes(self, path: str) -> int | None:
        """The bytes that a message of the method of that *path* may have; None where there is no such method."""
        return self._most_bytes.get(path)

    def keyed(self, path: str) -> bool:
        """Whether who calls the method of that *path* has to say who it is; of no method that is open to all."""
        return path in self._keyed

    def hot(self, call: GrpcCall) -> bool:
        """Take *call* where it may be answered at once."""
        if call.head.path != self._infer:
            return False
        model = self._models.only or self._asked(call.messages[0])
        return model is not None and self._path(model).take(call)

    def _asked(self, message: bytes) -> ServedModel | None:
        try:
            return self._models.models.get(grpc_messages.first_text(message, 1))
        except DecodeError:
            return None

    def _path(self, model: ServedModel) -> GrpcHotPath | NoHotPath:
        found = self._hot.get(model)
        if found is None:
            found = self._hot[model] = _hot_path(model.parts)
        return found

    async def answer(self, call: GrpcCall) -> None:
        """Answer *call*."""
        stream = self._streams.get(call.head.path)
        if stream is None:
            content = await self._calls[call.head.path].call(call)
            call.connection.write(call.reply(content))
            return
        async for message in stream(call):
            call.send(message)
            await call.taken()
        call.done()


def _hot_path(parts: ServerParts | AnswerParts) -> GrpcHotPath | NoHotPath:
    if isinstance(parts, AnswerParts):
        return NoHotPath()
    protocol = GrpcTensors(parts.second, parts.service, parts.bodies.limits)
    return GrpcHotPath(protocol, parts.service, parts.metrics, parts.access, parts.gate.overload, parts.spans)


class _Descriptions:
    """The methods that say which models there are and how they are."""

    def __init__(self, models: ServedModels) -> None:
        self._models = models

    def ServerLive(self, _: Any) -> dict[str, Any]:  # noqa: N802 - the protocol's names
        return {"live": self._models.lifecycle.live}

    def ServerReady(self, _: Any) -> dict[str, Any]:  # noqa: N802
        return {"ready": self._models.lifecycle.ready}

    def ModelReady(self, asked: Any) -> dict[str, Any]:  # noqa: N802
        self._asked(asked)
        return {"ready": self._models.lifecycle.ready}

    def ServerMetadata(self, _: Any) -> dict[str, Any]:  # noqa: N802
        only = self._models.only
        version = "" if only is None else only.parts.service.version
        return {"name": "argosy", "version": version, "extensions": EXTENSIONS}

    def ModelMetadata(self, asked: Any) -> dict[str, Any]:  # noqa: N802
        return self._asked(asked).second.metadata()

    def _asked(self, asked: Any) -> ServerParts | AnswerParts:
        model = self._models.only or self._models.named(asked.name)
        model.parts.service.refuse_others(asked.name, asked.version or None)
        return model.parts


class _Method:
    """A method: what surrounds each call of it, as the middleware surrounds a request over HTTP."""

    route = "operations"
    open = False
    """True where nobody is asked who they are."""

    def __init__(self, models: ServedModels, receiver: "_Receiver") -> None:
        self._receiver = receiver
        self._models = models

    async def call(self, context: GrpcCall) -> bytes:
        """Answer one call; a problem or a fault of it ends it with its status."""
        began, status, shed = request_spans.now(), 200, False
        brought = context.head.headers
        trace = self._trace(context)
        call = _Call(grpc_hot.identity(brought, trace), self._models.only, judged=context.judged, trace=trace)
        context.set_trailing_metadata(call.trailer)
        try:
            caller = None if context.admitted else Credentials(context.connection.host, brought)
            content = await self._admitted(context, caller, call)
            context.set_trailing_metadata(call.trailer)
            return content
        except RequestProblem as problem:
            status, shed = problem.status, isinstance(problem, ShedRequest)
            await self._abort(context, problem, call)
            raise
        except BrokenCall:
            status = 400
            raise
        except asyncio.CancelledError:
            status = cut_off(context.time_remaining())
            raise
        except Exception:
            status = 500
            _log.exception("request %s failed%s", call.identity, request_spans.said(trace))
            message = f"the server failed; its log says why, see request {call.identity}"
            await self._abort(context, RequestProblem(500, message), call)
            raise
        finally:
            if call.model is not None and shed:
                call.model.parts.metrics.shed(self.route)
            elif call.model is not None:
                call.model.parts.metrics.observe(self.route, status, (request_spans.now() - began) / 1e9)
            if trace is not None and self._models.spans is not None:
                trace.attributes["argosy.request_id"] = call.identity
                self._models.spans.done(trace, self.route, trace.began or began, status)

    def _trace(self, context: GrpcCall) -> RequestTrace | None:
        """What notes the stages of a call; None where it is not recorded."""
        if self._models.spans is None or self.route not in request_spans.NAMES:
            return None
        return context.trace if context.traced else self._models.spans.of_metadata(context.head.headers)

    async def _admitted(self, context: GrpcCall, caller: Credentials | None, call: "_Call") -> bytes:
        """The answer to *caller*, who says which of several models is asked in the message, and is asked who they are before that; None
        was admitted already."""
        access = None if self._models.access is None or self.open else self._models.access.gatekeeper
        principal = None
        began = request_spans.now()
        if access is not None and caller is not None:
            principal = await access.admit(caller, None if call.model is None else call.model.name)
            began = began if call.trace is None else call.trace.stage("access", began)
        message = await self._receiver.message(context)
        if call.trace is not None:
            call.trace.stage("receive", began)
        call.model = self._models.only  # it may have been replaced meanwhile
        if call.model is None and (name := self._named(message)) is not None:
            call.model = self._models.named(name)
            if access is not None and principal is not None:
                access.authorize(principal, name)
        return await self.content(message, call)

    def _named(self, _: bytes) -> str | None:
        """The model that a message names; None where it may name none. Raises RequestProblem."""
        return None

    async def content(self, message: bytes, call: "_Call") -> bytes:
        """The answer to *message*. Raises RequestProblem."""
        raise NotImplementedError

    async def _abort(self, context: GrpcCall, problem: RequestProblem, call: "_Call") -> None:
        more: list[tuple[str, str]] = []
        if problem.retry_after is not None:
            more = [
                ("retry-after", str(problem.retry_after)),
                ("grpc-retry-pushback-ms", str(problem.retry_after * 1000)),
            ]
        text = str(problem) if problem.field is None else f"{problem.field}: {problem}"
        code = CODES.get(problem.status, GrpcStatus.INTERNAL)
        await context.abort(code, _printable(text), (*call.trailer, *more))


@dataclass
class _Call:
    """What is known of a call."""

    identity: str
    model: ServedModel | None
    """None until it is known which of several is asked."""
    judged: bool = False
    """Whether it was found as it was read that there is time for it."""
    trace: RequestTrace | None = None
    """What notes its stages; None where it is not recorded."""

    @property
    def trailer(self) -> tuple[tuple[str, str], ...]:
        """The metadata that says which model answered which request."""
        named: tuple[tuple[str, str], ...] = (("x-request-id", self.identity),)
        if self.trace is not None:
            named = (*named, request_spans.metadata(self.trace))
        return named if self.model is None else (*model_labels(self.model.parts.service.answering), *named)


class _Described(_Method):
    """A method that is answered at once."""

    def __init__(self, models: ServedModels, receiver: "_Receiver", name: str) -> None:
        super().__init__(models, receiver)
        self.open = name in OPEN
        self._describe: Callable[[Any], dict[str, Any]] = getattr(_Descriptions(models), name)
        self._request = grpc_messages.CLASSES[f"{name}Request"]
        self._response = grpc_messages.CLASSES[f"{name}Response"]

    def _named(self, message: bytes) -> str | None:
        name: str | None = getattr(self._parsed(message), "name", None)
        return name

    def _parsed(self, message: bytes) -> Any:
        try:
            return self._request.FromString(message)
        except DecodeError:
            raise RequestProblem(400, f"the message is no {self._request.DESCRIPTOR.name}") from None

    async def content(self, message: bytes, _: _Call) -> bytes:
        """See the base."""
        content: bytes = self._response(**self._describe(self._parsed(message))).SerializeToString()
        return content


class _Infer(_Method):
    """The method that predicts."""

    route = ROUTE

    def __init__(self, models: ServedModels, receiver: "_Receiver") -> None:
        super().__init__(models, receiver)
        self._inferences: WeakKeyDictionary[ServedModel, RequestRoute] = WeakKeyDictionary()

    def _named(self, message: bytes) -> str | None:
        try:
            return grpc_messages.first_text(message, 1)
        except DecodeError:
            raise RequestProblem(400, "the message is no ModelInferRequest") from None

    def _inference(self, model: ServedModel) -> RequestRoute:
        found = self._inferences.get(model)
        if found is None:
            found = self._inferences[model] = _common_road(model.parts)
        return found

    async def content(self, message: bytes, call: _Call) -> bytes:
        """See the base."""
        model = call.model or self._models.named("")
        if not call.judged:
            model.parts.gate.judge()
        work = _counted(model, self._inference(model), message, call)
        if len(message) <= HARMLESS_BYTES:
            return await work
        # A thread may be at it, whom no deadline ends: until it is done, it counts among those that are.
        return await asyncio.shield(asyncio.ensure_future(work))


def _common_road(parts: ServerParts | AnswerParts) -> RequestRoute:
    protocol = GrpcTensors(parts.second, parts.service, parts.bodies.limits)
    return parts.inference(protocol)


async def _counted(model: ServedModel, inference: RequestRoute, message: bytes, call: _Call) -> bytes:
    bodies = model.parts.bodies
    bodies.take(len(message))
    try:
        with model.users:
            return (await inference.answered(message, None, call.identity, call.trace)).body
    finally:
        bodies.give_back(len(message))


class _Receiver:
    """Takes messages off the wire, a number of them at once, fewer of the long ones; for one more, the one that has been on its way for
    longest gives way."""

    def __init__(self, seconds: float, at_once: int) -> None:
        """*seconds*: that a message may take. *at_once*: most that are on their way."""
        self._seconds = seconds
        self._at_once = at_once
        self._coming: dict[asyncio.Timeout, None] = {}
        self._long: dict[asyncio.Timeout, None] = {}
        """Those of them that are long."""

    async def message(self, call: GrpcCall) -> bytes:
        """The message of *call*. Raises RequestProblem: 408 too slow, 503 no room for it, 400 none came."""
        self._make_room(self._coming, self._at_once)
        limit = asyncio.timeout(self._seconds)
        call.grows = functools.partial(self._grown, limit)
        try:
            async with limit:
                self._coming[limit] = None
                return await anext(call)
        except StopAsyncIteration:
            raise RequestProblem(400, "the call ended without a message") from None
        except TimeoutError:
            if limit not in self._coming:
                raise ShedRequest("too many calls at once are slow to send; try again") from None
            raise RequestProblem(408, f"the message did not arrive within {self._seconds:g} s") from None
        finally:
            call.grows = None
            self._coming.pop(limit, None)
            self._long.pop(limit, None)

    def _grown(self, limit: asyncio.Timeout) -> None:
        """The message of *limit* is a long one."""
        self._make_room(self._long, LONG_AT_ONCE)
        self._long[limit] = None

    def _make_room(self, among: dict[asyncio.Timeout, None], most: int) -> None:
        if len(among) >= most:
            eldest = next(iter(among))
            self._coming.pop(eldest, None)
            self._long.pop(eldest, None)
            eldest.reschedule(0)


def _printable(text: str) -> str:
    """*text* as a status can hold it: gRPC refuses what is not well-formed Unicode."""
    return text.encode(errors="replace").decode()
