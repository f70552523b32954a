"""Traces of requests: what each took, stage by stage, told to a collector while nobody waits for it.

A request that is not recorded costs a look at one header. One that is notes when its stages began and ended; what that becomes is worked
out in :mod:`argosy.serving.span_queue`, off the path of its answer.
"""

import time
import uuid
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from argosy.domain import trace_context
from argosy.domain.trace_context import TraceContext, TraceSampler
from argosy.serving import span_queue
from argosy.serving.span_queue import RecordedRequest, RequestStage, SpanQueue

TRACE = "argosy.trace"
"""Key of a request's state, which callers cannot reach: its :class:`RequestTrace`, or None where it is not recorded."""
RESPONSE_HEADER = "traceresponse"
"""Header of an answer that says which trace it belongs to, in the form of ``traceparent``."""
NAMES = {
    "v1": "POST /v1/models/{model}:predict",
    "v2": "POST /v2/models/{model}/infer",
    "plain": "POST /predict",
    "explain": "POST /explain",
    "grpc": "inference.GRPCInferenceService/ModelInfer",
}
"""The spans' names, by route; what goes by others is not recorded: nobody wants the probes of a kubelet."""
_FAULT = 500

NOTHING: Mapping[str, str | int] = {}

now = time.perf_counter_ns
"""The clock of stages."""


class RequestTrace:
    """One request that is recorded."""

    __slots__ = ("_stages", "attributes", "began", "caller", "context")

    def __init__(self, trace_id: int, caller: TraceContext | None) -> None:
        """*caller*: the span that the request is a part of; None where its trace begins here."""
        state = "" if caller is None else caller.state
        flags = trace_context.SAMPLED | (0 if caller is None else caller.flags)
        self.caller = caller
        self.context = TraceContext(trace_id, span_queue.new_id(64), flags, state)
        self.attributes: dict[str, str | int] = {}
        self.began = 0
        """When the request was there, where its answer was first tried elsewhere."""
        self._stages: list[RequestStage] = []

    @property
    def request_id(self) -> str:
        """An id for a request that brought none: of a trace that begins here its id, so that whoever has one has the other."""
        return f"{self.context.trace_id:032x}" if self.caller is None else uuid.uuid4().hex

    def stage(
        self, name: str, began: int, ended: int | None = None, attributes: Mapping[str, str | int] = NOTHING
    ) -> int:
        """A stage is over, now or at *ended*, which is returned: the next one may begin there."""
        ended = now() if ended is None else ended
        self._stages.append(RequestStage(name, began, ended, attributes))
        return ended

    def recorded(self, route: str, began: int, status: int) -> RecordedRequest:
        """All of it, now that the request was answered with *status*."""
        return RecordedRequest(
            self.context,
            None if self.caller is None else self.caller.span_id,
            NAMES[route],
            began,
            now(),
            self.attributes | _outcome(route, status),
            self._stages,
            failed=f"status {status}" if status >= _FAULT else None,
        )


def header(trace: RequestTrace) -> tuple[bytes, bytes]:
    """What the answer to a recorded request says of it."""
    return RESPONSE_HEADER.encode(), trace.context.parent.encode()


def metadata(trace: RequestTrace) -> tuple[str, str]:
    """The same over gRPC."""
    return RESPONSE_HEADER, trace.context.parent


def said(trace: RequestTrace | None) -> str:
    """Of which trace a line of the log is, behind its text; nothing where that is not recorded."""
    return "" if trace is None else f" (trace {trace.context.trace_id:032x})"


def _outcome(route: str, status: int) -> dict[str, str | int]:
    if route == "grpc":
        return {"rpc.system": "grpc", "argosy.status": status}
    return {"http.request.method": "POST", "http.response.status_code": status}


class RequestSpans:
    """The traces of one server."""

    def __init__(self, sampler: TraceSampler, queue: SpanQueue) -> None:
        self._samples = sampler.samples
        self._queue = queue

    def of_http(self, scope: MutableMapping[str, Any]) -> RequestTrace | None:
        """The trace of the request of *scope*, which it is kept in; None where it is not recorded."""
        state = scope.setdefault("state", {})
        if TRACE not in state:
            headers = scope["headers"]
            parents = [value.decode("latin-1") for name, value in headers if name == b"traceparent"]
            state[TRACE] = self._begun(parents, headers) if parents else self._root()
        found: RequestTrace | None = state[TRACE]
        return found

    def of_metadata(self, brought: Mapping[str, str]) -> RequestTrace | None:
        """The same of a call over gRPC with the metadata that it *brought*."""
        parent = brought.get("traceparent")
        if parent is None:
            return self._root()
        state = brought.get("tracestate")
        return self._of_caller(trace_context.read([parent], [] if state is None else [state]))

    def done(self, trace: RequestTrace, route: str, began: int, status: int) -> None:
        """The request of *trace*, which came at *began*, was answered with *status*."""
        if route in NAMES:
            self._queue.put(trace.recorded(route, began, status))

    def close(self) -> None:
        """Send what waits, and stop."""
        self._queue.close()

    def _begun(self, parents: list[str], headers: Iterable[tuple[bytes, bytes]]) -> RequestTrace | None:
        states = [value.decode("latin-1") for name, value in headers if name == b"tracestate"]
        return self._of_caller(trace_context.read(parents, states))

    def _of_caller(self, caller: TraceContext | None) -> RequestTrace | None:
        if caller is None:
            return self._root()
        return RequestTrace(caller.trace_id, caller) if self._samples(caller.trace_id, caller) else None

    def _root(self) -> RequestTrace | None:
        trace_id = span_queue.new_id(128)
        return RequestTrace(trace_id, None) if self._samples(trace_id, None) else None
