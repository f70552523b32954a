"""Traces of requests: what they say of each protocol, which trace they belong to, and that they change no answer."""

import asyncio
import json
from typing import Any

import pytest

from argosy.domain.trace_context import TraceSampler
from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.ports.span_exporter import TraceSpan
from argosy.serving.app import ServerParts, app_of, server_parts
from argosy.serving.exchange import RequestLimits
from argosy.serving.hot_path import HotRequest
from argosy.serving.shared_parts import SharedParts
from kit import grpc_calls
from kit.serving_kit import ROW, Client, MemoryLog, MemoryOnline, rows
from kit.span_collector import MemorySpans

V1, V2 = "/v1/models/leaving:predict", "/v2/models/leaving/infer"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
TENSORS = {
    "inputs": [
        {"name": name, "shape": [1], "datatype": "BYTES" if isinstance(value, str) else "FP64", "data": [value]}
        for name, value in ROW.items()
    ]
}
ASKED = [
    pytest.param(V1, {"instances": [ROW]}, id="v1"),
    pytest.param(V2, TENSORS, id="v2"),
    pytest.param("/predict", {"rows": [ROW]}, id="plain"),
]


class Traced:
    """The small model, whose requests are recorded."""

    def __init__(self, predictor: Predictor, sampler: TraceSampler | None = None) -> None:
        self.collector = MemorySpans()
        self.traces = self.collector.requests(sampler)
        self.log = MemoryLog()
        self.parts: ServerParts = server_parts(
            predictor=predictor,
            served=ServedRelease("leaving", "production", 4, "sha256:0"),
            online=MemoryOnline({"C1": ROW}),
            log=self.log,
            hash_key=b"secret",
            shared=SharedParts.made(RequestLimits(), spans=self.traces),
        )
        self.app = app_of(self.parts)
        self.common = Client(self.app, self.log)

    def hot(self, path: str, body: Any, **headers: str) -> bytes | None:
        """What the hot path answers."""
        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "POST", "path": path, "headers": raw, "state": {}}
        answer: bytes | None = self.app.state.hot_path.answer([HotRequest(scope, json.dumps(body).encode(), 0.001)])[0]
        return answer

    def spans(self) -> list[TraceSpan]:
        """All that was recorded."""
        self.traces.close()
        return self.collector.spans


@pytest.fixture
def traced(predictor: Predictor) -> Traced:
    """The small model, all of whose requests are recorded."""
    return Traced(predictor)


def names(spans: list[TraceSpan]) -> list[str]:
    """Those of *spans*."""
    return [span.name for span in spans]


@pytest.mark.parametrize(("path", "body"), ASKED)
def test_the_hot_path_says_what_each_stage_took(traced: Traced, path: str, body: Any) -> None:
    """From the queue to the bytes of the answer, in the caller's trace, each inside the request."""
    answer = traced.hot(path, body, traceparent=PARENT, tracestate="a=1", x_request_id="r1")
    assert answer is not None
    whole, *stages = traced.spans()
    assert names(stages) == ["queue", "access", "read", "predict", "log", "write"]
    assert f"{whole.trace_id:032x}" == TRACE
    assert f"{whole.parent_id:016x}" == SPAN
    assert f"traceresponse: 00-{TRACE}-{whole.span_id:016x}-01\r\n".encode() in answer
    assert whole.state == "a=1"
    assert whole.attributes == {
        "argosy.request_id": "r1",
        "argosy.model.version": "4",
        "http.request.method": "POST",
        "http.response.status_code": 200,
    }
    assert all(whole.began <= each.began <= each.ended <= whole.ended for each in stages)


@pytest.mark.parametrize(("path", "body"), ASKED)
def test_the_common_road_says_the_same(traced: Traced, path: str, body: Any) -> None:
    """With what it does besides."""
    reply = traced.common.post(path, body, traceparent=PARENT)
    whole, *stages = traced.spans()
    assert names(stages) == ["receive", "read", "predict", "log", "write"]
    assert reply.headers["traceresponse"] == f"00-{TRACE}-{whole.span_id:016x}-01"
    assert whole.attributes["argosy.request_id"] == reply.headers["x-request-id"]


def test_looking_up_is_a_stage(traced: Traced) -> None:
    """Also where nothing is found, which is the request's status."""
    assert traced.common.post(V1, {"instances": [{"customer_id": "C1"}]}).status == 200
    assert traced.common.post(V1, {"instances": [{"customer_id": "C2"}]}).status == 404
    found = traced.spans()
    assert names(found).count("look-up") == 2
    assert [span.attributes["http.response.status_code"] for span in found if span.kind == "server"] == [200, 404]
    assert all(span.failed is None for span in found)


def test_many_rows_wait_and_reasons_are_a_stage(traced: Traced) -> None:
    """What large requests do in threads is a part of their traces."""
    assert traced.common.post(V1, {"instances": rows(1500)}).status == 200
    assert traced.common.post("/explain", {"rows": [ROW]}).status == 200
    found = names(traced.spans())
    assert "queue" in found
    assert "explain" in found


def test_a_trace_that_begins_here_is_the_requests_id(traced: Traced) -> None:
    """So the log of predictions holds it, and whoever has one of them has the other; a caller's trace may hold many requests."""
    answer = traced.hot(V1, {"instances": [ROW]})
    reply = traced.common.post(V1, {"instances": [ROW]})
    other = traced.common.post(V1, {"instances": [ROW]}, traceparent=PARENT)
    first, second, third = [f"{span.trace_id:032x}" for span in traced.spans() if span.kind == "server"]
    logged = [prediction.request_id for prediction in traced.log.records]
    assert logged[:2] == [first, second]
    assert f"x-request-id: {first}\r\n".encode() in (answer or b"")
    assert reply.headers["x-request-id"] == second
    assert logged[2] == other.headers["x-request-id"] != third


@pytest.mark.parametrize("sampler", [TraceSampler(0.0), TraceSampler(1.0)], ids=["none", "as-the-caller-says"])
def test_what_is_not_recorded_answers_as_if_there_were_no_traces(predictor: Predictor, sampler: TraceSampler) -> None:
    """Nothing is sent, and no header is added."""
    traced = Traced(predictor, sampler)
    headers = {"traceparent": f"{PARENT[:-1]}0"} if sampler.ratio else {}
    assert b"traceresponse" not in (traced.hot(V1, {"instances": [ROW]}, **headers) or b"")
    assert "traceresponse" not in traced.common.post(V1, {"instances": [ROW]}, **headers).headers
    assert traced.spans() == []


def test_probes_are_not_recorded(traced: Traced) -> None:
    """A kubelet asks ten times a minute, and nobody wants to read that."""
    traced.common.get("/readyz")
    traced.common.get("/metrics")
    assert traced.spans() == []


def test_a_fault_is_one_and_its_line_in_the_log_names_the_trace(
    traced: Traced, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A refusal by the caller's doing is none."""
    assert traced.common.post(V1, {"instances": "x"}).status == 400
    monkeypatch.setattr(traced.parts.service, "answer", None)
    assert traced.common.post(V1, {"instances": [ROW]}).status == 500
    refused, failed = (span for span in traced.spans() if span.kind == "server")
    assert (refused.failed, failed.failed) == (None, "status 500")
    assert f"(trace {failed.trace_id:032x})" in caplog.text


def test_requests_answered_together_share_one_call_of_the_model(traced: Traced) -> None:
    """Each says how many they were."""
    scopes = [{"type": "http", "method": "POST", "path": V1, "headers": [], "state": {}} for _ in range(3)]
    body = json.dumps({"instances": [ROW]}).encode()
    traced.app.state.hot_path.answer([HotRequest(scope, body, 0.001) for scope in scopes])
    predicted = [span for span in traced.spans() if span.name == "predict"]
    assert len({(span.began, span.ended) for span in predicted}) == 1
    assert [span.attributes for span in predicted] == [{"argosy.requests": 3}] * 3


@pytest.mark.parametrize("hot", [True, False], ids=["hot", "common"])
def test_grpc_is_recorded_alike(traced: Traced, hot: bool) -> None:
    """In the caller's trace, whose metadata names it; the answer's trailer says the span."""

    async def ask() -> Any:
        async with grpc_calls.listening(traced.parts) as (_, channel):
            values = ROW if hot else {"customer_id": "C1"}
            call = grpc_calls.begun(
                channel,
                "ModelInfer",
                metadata=(("traceparent", PARENT), ("tracestate", "a=1")),
                model_name="leaving",
                inputs=grpc_calls.row(values),
            )
            await call
            return dict(await call.trailing_metadata())

    trailer = asyncio.run(ask())
    whole, *stages = traced.spans()
    assert whole.name == "inference.GRPCInferenceService/ModelInfer"
    assert trailer["traceresponse"] == f"00-{TRACE}-{whole.span_id:016x}-01"
    assert whole.attributes["argosy.request_id"] == trailer["x-request-id"]
    assert whole.state == "a=1"
    wanted = ["queue", "access", "read", "predict", "log", "write"]
    assert names(stages) == (wanted if hot else ["queue", "access", "receive", "read", "look-up", *wanted[3:]])
