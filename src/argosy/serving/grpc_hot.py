"""The hot path of gRPC: plain, small calls whose message came whole are answered where they are read, all that are ready with one call of
the model, as :mod:`argosy.serving.hot_path` does it for HTTP. Anything else goes the common road, which alone says what is wrong.
"""

import functools
import logging
import time
import uuid
from collections.abc import Mapping

from argosy.serving import exchange, grpc_frames, request_spans
from argosy.serving.access.gatekeeper import Credentials
from argosy.serving.access.rules_file import WatchedRules
from argosy.serving.exchange import ResponseBody
from argosy.serving.grpc_call import GrpcCall
from argosy.serving.grpc_frames import GrpcStatus
from argosy.serving.grpc_tensors import GrpcTensors
from argosy.serving.hot_answers import HotAnswers, HotRead
from argosy.serving.hot_queue import most_together
from argosy.serving.inference import INLINE_BYTES
from argosy.serving.middleware import model_labels
from argosy.serving.overload import TOO_LATE, LoopTurn, Overload
from argosy.serving.prometheus import Metrics
from argosy.serving.request_spans import RequestSpans, RequestTrace
from argosy.serving.service import Service

_log = logging.getLogger("argosy.serving")
ROUTE = "grpc"
"""What the metrics call requests that came this way."""
_AGAIN = (("retry-after", "1"), ("grpc-retry-pushback-ms", "1000"))


class NoHotPath:
    """In its place, of a model whose calls all go the common road."""

    def take(self, _: GrpcCall) -> bool:
        """See :meth:`GrpcHotPath.take`."""
        return False


class GrpcHotPath:
    """The queue of one event loop, and the answers to what waits in it until the loop has read from each connection, and no longer."""

    def __init__(
        self,
        protocol: GrpcTensors,
        service: Service,
        metrics: Metrics,
        access: WatchedRules | None,
        overload: Overload,
        spans: RequestSpans | None = None,
    ) -> None:
        self._spans = spans
        self._protocol = protocol
        self._service = service
        self._metrics = metrics
        self._access = access
        self._overload = overload
        self._labels = tuple(model_labels(service.answering))
        self._trailer = grpc_frames.header_block(self._labels)
        self._turn = LoopTurn(overload, self._flush)
        self._waiting: list[tuple[GrpcCall, float]] = []
        self._answers: HotAnswers[tuple[bytes, str]] = HotAnswers(service, metrics, _message)

    def take(self, call: GrpcCall) -> bool:
        """Answer *call*, which is there with its message, with others, or start it, or refuse it; False for one that is none of these."""
        message = call.whole
        if message is None or len(message) > INLINE_BYTES:
            return False
        began = time.perf_counter()
        if self._overload.late:
            self._turn.hold(call.connection.loop, functools.partial(self._take_up, call, began))
        else:
            self._turn.arrived(call.connection.loop)
            self._judge(call, began)
        return True

    def _take_up(self, call: GrpcCall, began: float) -> None:
        """Judge a *call* that was held back. A fault of one connection must not keep the others from it."""
        try:
            if not call.closed:
                self._judge(call, began)
        except Exception:  # noqa: BLE001 - see above
            _log.exception("a connection failed while it was refused")
            call.connection.cut()

    def _judge(self, call: GrpcCall, began: float) -> None:
        """Have *call* answered with others, or refuse it where there is no time for it."""
        if self._overload.sheds():
            self._refuse(call)
            return
        call.judged = True
        self._waiting.append((call, began))
        if len(self._waiting) >= most_together(self._overload):
            self._flush()

    def _refuse(self, call: GrpcCall) -> None:
        self._metrics.shed(ROUTE)
        trace = self._trace(call, time.perf_counter())
        more = () if trace is None else (request_spans.metadata(trace),)
        named = ("x-request-id", identity(call.head.headers, trace))
        call.set_trailing_metadata((*self._labels, named, *more, *_AGAIN))
        call.fail(GrpcStatus.UNAVAILABLE, TOO_LATE)
        if self._spans is not None and trace is not None:
            self._spans.done(trace, ROUTE, trace.began, 503)

    def _trace(self, call: GrpcCall, began: float) -> RequestTrace | None:
        """What notes the stages of *call*, which was there at *began*; None where it is not recorded."""
        if self._spans is None:
            return None
        call.trace = self._spans.of_metadata(call.head.headers)
        call.traced = True
        if call.trace is not None:
            call.trace.began = int(began * 1e9)
        return call.trace

    def _flush(self) -> None:
        waiting, self._waiting = [each for each in self._waiting if not each[0].closed], []
        if not waiting:
            return
        try:
            answers = self._answers.answers([self._read(call, began) for call, began in waiting])
        except Exception:  # noqa: BLE001 - an error of one call must not leave the others without an answer
            # Each is tried alone then, and what fails there is told to its caller.
            _log.exception("%d calls were not answered together", len(waiting))
            answers = [None] * len(waiting)
        for (call, began), answer in zip(waiting, answers, strict=True):
            try:
                self._reply(call, began, answer)
            except Exception:  # noqa: BLE001 - a fault of one connection must not leave the others without an answer
                _log.exception("a connection failed while it was answered")
                call.connection.cut()

    def _reply(self, call: GrpcCall, began: float, answer: tuple[bytes, str] | None) -> None:
        if answer is None:
            call.connection.start(call)
            return
        message, name = answer
        named = (("x-request-id", name),)
        more = named if call.trace is None else (*named, request_spans.metadata(call.trace))
        call.connection.write(call.reply(message, self._trailer + grpc_frames.header_block(more)))
        call.connection.answered()
        self._metrics.observe(ROUTE, 200, time.perf_counter() - began)
        if self._spans is not None and call.trace is not None:
            self._spans.done(call.trace, ROUTE, call.trace.began, 200)

    def _read(self, call: GrpcCall, came: float) -> HotRead | None:
        trace = self._trace(call, came)
        began = 0 if trace is None else trace.stage("queue", trace.began)
        if not self._admits(call):
            return None
        if trace is not None:
            trace.stage("access", began)
        return self._answers.read(
            self._protocol, call.messages[0], None, lambda: identity(call.head.headers, trace), trace
        )

    def _admits(self, call: GrpcCall) -> bool:
        """True where the caller may ask, and was counted; the call remembers it. False where that is not known at once."""
        if self._access is None:
            return True
        caller = Credentials(call.connection.host, call.head.headers)
        call.admitted = self._access.gatekeeper.admits_at_once(caller, self._service.served.model)
        return call.admitted


def _message(read: HotRead, content: ResponseBody) -> tuple[bytes, str]:
    """The message to *read*'s caller, and the name of the request."""
    return content.body, read.identity


def identity(brought: Mapping[str, str], trace: RequestTrace | None = None) -> str:
    """See :func:`argosy.serving.exchange.request_id`."""
    given = brought.get("x-request-id")
    if given is not None and exchange.is_plain(given.encode()):
        return given
    return uuid.uuid4().hex if trace is None else trace.request_id
