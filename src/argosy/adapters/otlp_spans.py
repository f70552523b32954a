"""Sends spans to a collector of OpenTelemetry, by OTLP.

Where it is, its headers, certificates, compression and time limit: the library reads that in the variables that OpenTelemetry names
(``OTEL_EXPORTER_OTLP_…``, ``OTEL_RESOURCE_ATTRIBUTES``, ``OTEL_SERVICE_NAME``), as every program that others wrote does.
"""

import importlib
import logging
from collections.abc import Sequence
from types import MappingProxyType

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from argosy import errors, extras
from argosy.ports.span_exporter import TraceSpan

MODULES = MappingProxyType(
    {
        "http/protobuf": "opentelemetry.exporter.otlp.proto.http.trace_exporter",
        "grpc": "opentelemetry.exporter.otlp.proto.grpc.trace_exporter",
    }
)
"""The exporters, by OTEL_EXPORTER_OTLP_PROTOCOL. That of gRPC is used where somebody installed it: it brings a runtime of its own."""
_SCOPE = InstrumentationScope("argosy")
_KINDS = {"server": SpanKind.SERVER, "internal": SpanKind.INTERNAL}
_UNKNOWN = "unknown_service"


class OtlpSpans:
    """One collector."""

    def __init__(self, protocol: str, service: str) -> None:
        """*service*: its name where no variable gives one. Raises Misconfigured where *protocol* cannot be spoken."""
        self._complaints = _Complaints()
        self._exporter = _exporter(protocol)
        found = Resource.create()
        named = str(found.attributes.get(SERVICE_NAME, _UNKNOWN))
        self._resource = found.merge(Resource({SERVICE_NAME: service})) if named.startswith(_UNKNOWN) else found

    def export(self, spans: Sequence[TraceSpan]) -> None:
        """See the port."""
        self._complaints.first = ""
        if self._exporter.export([self._span(span) for span in spans]) is not SpanExportResult.SUCCESS:
            raise errors.TryAgain(self._complaints.first or "the collector does not take them")

    def close(self) -> None:
        """See the port."""
        self._exporter.shutdown()
        self._complaints.end()

    def _span(self, span: TraceSpan) -> ReadableSpan:
        parent = None if span.parent_id is None else _context(span.trace_id, span.parent_id, span.state)
        return ReadableSpan(
            span.name,
            context=_context(span.trace_id, span.span_id, span.state),
            parent=parent,
            resource=self._resource,
            attributes=span.attributes,
            kind=_KINDS[span.kind],
            instrumentation_scope=_SCOPE,
            status=Status() if span.failed is None else Status(StatusCode.ERROR, span.failed),
            start_time=span.began,
            end_time=span.ended,
        )


def _context(trace_id: int, span_id: int, state: str) -> SpanContext:
    members = TraceState.from_header([state]) if state else None
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(1), trace_state=members)


def _exporter(protocol: str) -> SpanExporter:
    module = MODULES.get(protocol)
    if module is None:
        raise errors.Misconfigured(
            f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}; set it to http/protobuf, or leave it away"
        )
    try:
        made: SpanExporter = importlib.import_module(module).OTLPSpanExporter()
    except ImportError:
        mend = extras.advice("telemetry") if protocol != "grpc" else "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
        raise errors.Misconfigured(f"no exporter for OTLP by {protocol} is installed; {mend}") from None
    return made


class _Complaints(logging.Handler):
    """Keeps what the library says of a failure, which it tells only its log, and tells it again for each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ""
        """Of what it says of one batch: the cause, which its last word of it leaves out."""
        self._logger = logging.getLogger("opentelemetry.exporter")
        self._logger.addHandler(self)
        self._logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        """See the base."""
        self.first = self.first or " ".join(record.getMessage().split())

    def end(self) -> None:
        """Let the log be as it was."""
        self._logger.removeHandler(self)
        self._logger.propagate = True
