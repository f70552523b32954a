"""Spans as a collector gets them: over HTTP, in OpenTelemetry's own messages, as its variables say."""

import gzip
import logging
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from argosy import errors, wiring
from argosy.ports.span_exporter import SpanExporter, TraceSpan
from argosy.serving import trace_options
from argosy.serving.span_queue import SpanLimits
from kit import span_collector
from kit.web_server import Answer, Asked, Web, web_server

SPAN = TraceSpan(2**127, 7, 9, "predict", 1_000, 2_000, attributes={"argosy.rows": 3}, state="a=1")


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A collector that the variables name."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    with web_server({"/v1/traces": Answer(), "/busy/v1/traces": Answer(b"", 400)}) as web:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", web.url)
        yield web


def opened() -> SpanExporter:
    """What sends there."""
    found = wiring.span_exporter(os.environ, "argosy-churn")
    assert found is not None
    return found


def test_a_collector_gets_what_was_recorded(collector: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids, times, state, attributes and failures; the resource is what the variables say of the process, with the headers they name."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=production")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret")
    exporter = opened()
    exporter.export([replace(SPAN, parent_id=None, kind="server", failed="status 500"), SPAN])
    exporter.close()
    ((resource, (whole, part)),) = span_collector.received(collector.asked)
    assert resource["service.name"] == "argosy-churn"
    assert resource["deployment.environment.name"] == "production"
    assert (whole.trace_id, whole.span_id, whole.parent_span_id) == (
        (2**127).to_bytes(16, "big"),
        (7).to_bytes(8, "big"),
        b"",
    )
    assert (whole.kind, whole.status.code, whole.status.message) == (2, 2, "status 500")
    assert (part.parent_span_id, part.kind, part.status.code) == ((9).to_bytes(8, "big"), 1, 0)
    assert (part.start_time_unix_nano, part.end_time_unix_nano, part.trace_state) == (1_000, 2_000, "a=1")
    assert span_collector.attributes(part) == {"argosy.rows": 3}
    assert collector.asked[0].headers["x-key"] == "secret"


def test_the_variables_name_the_service_and_the_compression(collector: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """As every program of a platform has it."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "scores")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    exporter = opened()
    exporter.export([SPAN])
    exporter.close()
    (asked,) = collector.asked
    plain = Asked(asked.method, asked.path, asked.headers, gzip.decompress(asked.body))
    ((resource, _),) = span_collector.received([plain])
    assert resource["service.name"] == "scores"


def test_a_refusal_says_why_and_leaves_no_line_of_the_library(
    collector: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The library would repeat it in the log with each batch."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{collector.url}/busy")
    exporter = opened()
    with pytest.raises(errors.TryAgain, match="400"):
        exporter.export([SPAN])
    exporter.close()
    assert caplog.records == []
    assert logging.getLogger("opentelemetry.exporter").propagate


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="no-endpoint"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, id="an-empty-one"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}, id="disabled"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, id="no-traces"),
    ],
)
def test_without_a_collector_nothing_is_traced(given: dict[str, str]) -> None:
    """And the libraries are not loaded."""
    assert wiring.span_exporter(given, "argosy-churn") is None


def test_what_cannot_be_understood_is_said_and_costs_no_server(
    collector: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """OpenTelemetry has it so: a variable that is wrong is left aside."""
    given = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_TRACES_SAMPLER": "jaeger_remote",
        "OTEL_BSP_MAX_QUEUE_SIZE": "many",
        "OTEL_BSP_SCHEDULE_DELAY": "250",
    }
    assert trace_options.limits(given) == SpanLimits(delay_seconds=0.25)
    spans = trace_options.opened(given, "argosy-churn", lambda *_: None)
    assert spans is not None
    spans.close()
    assert trace_options.opened(given | {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "x", lambda *_: None) is None
    said = [record.getMessage() for record in caplog.records]
    assert any("OTEL_BSP_MAX_QUEUE_SIZE is 'many'" in line for line in said)
    assert any("OTEL_TRACES_SAMPLER is 'jaeger_remote'" in line for line in said)
    assert "OTEL_EXPORTER_OTLP_PROTOCOL is 'http/json'; set it to http/protobuf" in said[-1]
