"""A collector of spans in this process: keeps what the server hands over, or refuses it; and one that speaks OTLP."""

import threading
from collections.abc import Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from argosy import errors
from argosy.domain.trace_context import TraceSampler
from argosy.ports.span_exporter import TraceSpan
from argosy.serving.request_spans import RequestSpans
from argosy.serving.span_queue import SpanLimits, SpanQueue
from kit.web_server import Asked


class MemorySpans:
    """Keeps the spans that it is sent."""

    def __init__(self) -> None:
        self.spans: list[TraceSpan] = []
        self.refuses = False
        self.counts: dict[str, int] = {}
        self.gate = threading.Event()
        """Sending ends once it is set."""
        self.gate.set()
        self.asked = threading.Event()
        self.closed = False

    def export(self, spans: Sequence[TraceSpan]) -> None:
        """See the port."""
        self.asked.set()
        self.gate.wait(30)
        if self.refuses:
            raise errors.TryAgain("nobody listens")
        self.spans += spans

    def close(self) -> None:
        """See the port."""
        self.closed = True
        self.gate.set()

    def count(self, outcome: str, spans: int) -> None:
        """Count *spans*."""
        self.counts[outcome] = self.counts.get(outcome, 0) + spans

    def queue(self, limits: SpanLimits | None = None) -> SpanQueue:
        """A queue of what it is sent."""
        return SpanQueue(self, limits or SpanLimits(), self.count)

    def requests(self, sampler: TraceSampler | None = None, limits: SpanLimits | None = None) -> RequestSpans:
        """The traces of a server whose spans it is sent."""
        return RequestSpans(sampler or TraceSampler(), self.queue(limits))


def received(asked: Sequence[Asked]) -> list[tuple[dict[str, Any], list[Any]]]:
    """What a web server was sent by OTLP: the attributes of each resource, and its spans."""
    found = []
    for each in asked:
        for group in ExportTraceServiceRequest.FromString(each.body).resource_spans:
            spans = [span for scoped in group.scope_spans for span in scoped.spans]
            found.append((attributes(group.resource), spans))
    return found


def attributes(of: Any) -> dict[str, Any]:
    """Those of a span or a resource."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in of.attributes}
