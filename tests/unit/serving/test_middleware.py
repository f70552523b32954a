"""What surrounds each request: limits, failures, counting, logging, readiness."""

import asyncio
import json
import re
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy import errors
from argosy.domain.model_settings import Task
from argosy.ml.encoding import Matrix
from argosy.ml.predictor import Predictions, Predictor, UndefinedPrediction
from argosy.ports.features import OnlineRow, OnlineView
from argosy.ports.prediction_log import OTHER, ServedRelease
from argosy.serving import prometheus, records
from argosy.serving.exchange import Bodies, RequestLimits
from argosy.serving.inference import INLINE_BYTES, INLINE_ROWS, LARGE_AT_ONCE, ConcurrencyLimiter, Inference
from argosy.serving.lifecycle import Lifecycle
from argosy.serving.request_problems import RequestProblem
from argosy.serving.server_metrics import ServerMetrics
from argosy.serving.service import Answer
from kit.serving_kit import (
    ROW,
    Client,
    MemoryLog,
    MemoryOnline,
    Reply,
    build_app,
    exchange,
    rows,
    signature,
    write_bundle,
)

V1 = "/v1/models/leaving:predict"
V2 = "/v2/models/leaving/infer"
SERVED = ServedRelease("leaving", "production", None, "sha256:0")


class Failing:
    """A model that fails as it is told."""

    def __init__(self, failure: Exception) -> None:
        self.signature = signature()
        self._failure = failure

    def predict_matrix(self, matrix: Matrix) -> Predictions:
        """Fail."""
        raise self._failure

    def decide(self, predictions: Predictions) -> list[str]:
        """Never asked."""
        raise AssertionError


class Constant:
    """A model of some task that always says the same."""

    def __init__(self, task: Task, answer: Sequence[Any]) -> None:
        self.signature = signature(task)
        self._answer = answer

    def predict_matrix(self, matrix: Matrix) -> Predictions:
        """The answer, a row."""
        return np.array([self._answer] * len(matrix), dtype=np.float64).squeeze(
            axis=1 if len(self._answer) == 1 else ()
        )

    def decide(self, predictions: Predictions) -> list[str]:
        """The likeliest class."""
        return [self.signature.classes[int(place)] for place in predictions.argmax(axis=1)]


def served(predictor: Any, **more: Any) -> Client:
    """*predictor*, served."""
    return Client(build_app(predictor=predictor, served=SERVED, **more))


def metric(client: Client, line: str) -> float:
    """The value of the metric that *line* starts."""
    text = client.get("/metrics").body.decode()
    return next(float(found.rsplit(" ", 1)[1]) for found in text.splitlines() if found.startswith(line + " "))


def test_a_prediction_that_is_no_number_is_an_error_and_counted() -> None:
    """500 and a metric: never a number, never null."""
    client = served(Failing(UndefinedPrediction("model x answered with a value that is no number")))
    reply = client.post(V1, {"instances": [ROW]})
    assert (reply.status, "no number" in reply.json()["error"]) == (500, True)
    assert metric(client, "argosy_undefined_predictions_total") == 1


def test_a_bug_is_an_error_without_detail(caplog: pytest.LogCaptureFixture) -> None:
    """500 as JSON with the request's id; the reason is in the server's log and not in the answer."""
    client = served(Failing(RuntimeError("secret detail")))
    reply = client.post(V1, {"instances": [ROW]}, x_request_id="r17")
    assert reply.status == 500
    assert b"secret" not in reply.body
    assert "r17" in reply.json()["error"]
    assert "secret detail" in caplog.text
    assert metric(client, 'argosy_requests_total{code="500",route="v1"}') == 1


def test_multiclass_answers_are_probabilities_by_class() -> None:
    """One list a row in V1, one row of a tensor in V2, and the class decided for."""
    client = served(Constant("multiclass", [0.2, 0.5, 0.3]))
    answer = client.post(V1, {"instances": [ROW]}).json()
    assert (answer["predictions"], answer["decisions"], answer["confidences"]) == ([[0.2, 0.5, 0.3]], ["middle"], [0.5])
    inputs = [
        {"name": name, "shape": [1], "datatype": "BYTES" if isinstance(value, str) else "FP64", "data": [value]}
        for name, value in ROW.items()
    ]
    output = client.post(V2, {"inputs": inputs}).json()["outputs"][0]
    assert (output["shape"], output["data"]) == ([1, 3], [0.2, 0.5, 0.3])


def test_regression_answers_are_values_without_decisions() -> None:
    """And the version of a bundle that was never registered is its digest."""
    client = served(Constant("regression", [17.5]))
    answer = client.post(V1, {"instances": [ROW]}, x_request_id="a").json()
    assert answer == {"predictions": [17.5], "model_version": "sha256:0", "request_id": "a"}
    assert client.get("/v2/models/leaving").json()["versions"] == ["sha256:0"]


class Broken:
    """An online store that is down."""

    views: Sequence[OnlineView] = ()

    async def get(self, entities: Sequence[Mapping[str, Any]], at: int) -> Sequence[OnlineRow | None]:
        """Fail."""
        raise errors.TryAgain("connection refused")

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("online", "status", "message"),
    [
        pytest.param(None, 422, "no online store", id="none"),
        pytest.param(Broken(), 503, "does not answer; send every feature", id="down"),
        pytest.param(MemoryOnline({}), 404, "does not know this customer_id", id="unknown"),
    ],
)
def test_a_join_key_without_a_store_is_refused(predictor: Predictor, online: Any, status: int, message: str) -> None:
    """Nothing is answered from defaults; full rows are answered all the same."""
    client = served(predictor, online=online)
    reply = client.post(V1, {"instances": [{"customer_id": "C1"}]})
    assert (reply.status, message in reply.json()["error"]) == (status, True)
    assert client.post(V1, {"instances": [ROW]}).status == 200


def test_every_answered_row_is_logged_without_personal_data(tolerant: Predictor) -> None:
    """No personal feature, no plain id, no text that a caller made up; the answer as it was given."""
    log = MemoryLog()
    app = build_app(predictor=tolerant, served=SERVED, online=MemoryOnline({"C1": ROW}), log=log, hash_key=b"secret")
    client = Client(app, log)
    body = {"instances": [{**ROW, "customer_id": "C1", "contract": "jane@example.org"}, {"customer_id": "C1"}, ROW]}
    reply = client.post(V1, body, x_request_id="r1")
    first, second, third = client.log.records
    assert first.features == {"tenure": 3, "charges": 70.5, "contract": OTHER}
    assert (second.features["contract"], second.row, second.request_id) == ("month", 1, "r1")
    assert first.entity == second.entity == records.hashed({"customer_id": "C1"}, b"secret")
    assert third.entity is None
    assert [[record.score[0] for record in client.log.records]] == [reply.json()["predictions"]]
    assert [record.decision for record in client.log.records] == reply.json()["decisions"]
    assert "C1" not in str(client.log.records)
    assert "1980" not in str(client.log.records)


def test_another_secret_gives_another_hash() -> None:
    """And 1 is not "1"."""
    hashes = {
        records.hashed({"id": "1"}, b"a"),
        records.hashed({"id": "1"}, b"b"),
        records.hashed({"id": 1}, b"a"),
        records.hashed({"id": "2"}, b"a"),
    }
    assert len(hashes) == 4


def test_a_log_needs_the_secret(predictor: Predictor) -> None:
    """Ids under an empty key could be guessed."""
    with pytest.raises(ValueError, match="secret"):
        build_app(predictor=predictor, served=SERVED, log=MemoryLog())


def test_metrics_count_what_happened(client: Client) -> None:
    """Requests by route and code, rows, and what became of the log's records."""
    client.post(V1, {"instances": rows(3)})
    client.post(V1, {"instances": [{}]})
    assert metric(client, 'argosy_requests_total{code="200",route="v1"}') == 1
    assert metric(client, 'argosy_requests_total{code="422",route="v1"}') == 1
    assert metric(client, "argosy_predictions_total") == 3
    assert metric(client, "argosy_prediction_log_written_total") == 3
    assert metric(client, 'argosy_prediction_log_dropped_total{reason="queue-full"}') == 2
    assert metric(client, "argosy_prediction_score_count") == 3
    assert 0 < metric(client, "argosy_prediction_score_sum") < 3
    assert metric(client, 'argosy_prediction_score_bucket{le="1.0"}') == 3


@pytest.mark.parametrize(
    ("task", "edges", "expected"),
    [
        pytest.param("multiclass", None, {"1.0": 4, "0.3": 0}, id="the-class-decided-for"),
        pytest.param("regression", (-1.0, 100.0), {"-1.0": 0, "100.0": 4}, id="edges-of-one's-own"),
        pytest.param("regression", None, {}, id="no-edges"),
    ],
)
def test_scores_are_counted_in_bins(
    tmp_path: Path, task: Task, edges: tuple[float, ...] | None, expected: dict[str, int]
) -> None:
    """What a canary's analysis compares; the range of a regression is for its owner to say."""
    digest = write_bundle(tmp_path / "bundle", task)
    model = Predictor.load(tmp_path / "bundle", digest)
    client = Client(
        build_app(predictor=model, served=SERVED, metrics=prometheus.of(model.signature, SERVED, None, edges))
    )
    assert client.post(V1, {"instances": rows(4)}).status == 200
    text = client.get("/metrics").body.decode()
    found = dict(re.findall(r'argosy_prediction_score_bucket\{le="([^"]+)"\} (\S+)', text))
    assert {edge: float(found[edge]) for edge in expected} == expected
    assert bool(found) is bool(expected)


def test_draining_fails_readiness_first(client: Client, lifecycle: Lifecycle) -> None:
    """Not ready any more, but alive and answering."""
    ready = ["/readyz", "/v2/health/ready"]
    assert [client.get(path).status for path in ready] == [200, 200]
    lifecycle.draining = True
    assert [client.get(path).status for path in ready] == [503, 503]
    assert client.get("/v2/models/leaving/ready").json() == {"name": "leaving", "ready": False}
    assert [client.get(path).status for path in ("/healthz", "/v2/health/live")] == [200, 200]
    assert client.post(V1, {"instances": [ROW]}).status == 200


def test_a_body_may_come_in_pieces(client: Client) -> None:
    """Chunked or not, it is one body; the limit is on the whole."""
    whole = json.dumps({"instances": [ROW]}).encode()
    pieces = [whole[:10], b"", whole[10:]]
    assert asyncio.run(exchange(client.app, "POST", V1, pieces, {})).status == 200
    reply = asyncio.run(exchange(client.app, "POST", V1, [b" " * 9000] * 3, {}))
    assert (reply.status, reply.headers["connection"]) == (413, "close")


@pytest.mark.parametrize("declared", ["999999999", "20001"])
def test_a_body_that_says_it_is_large_is_not_read(client: Client, declared: str) -> None:
    """Refused by its content-length."""
    assert client.post(V1, b"{}", content_length=declared).status == 413


def test_a_body_that_does_not_arrive_is_given_up(client: Client) -> None:
    """408 after the time limit, and the connection is closed."""

    async def slow() -> Reply:
        sent: list[Any] = []

        async def receive() -> Any:
            await asyncio.sleep(60)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": V1, "headers": [], "query_string": b""}
        await client.app(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Reply(sent[0]["status"], headers, sent[1]["body"])

    reply = asyncio.run(slow())
    assert reply.status == 408
    assert reply.headers["connection"] == "close"


class Held:
    """An online store that answers when it is let."""

    views: Sequence[OnlineView] = ()

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    async def get(self, entities: Sequence[Mapping[str, Any]], at: int) -> Sequence[OnlineRow | None]:
        """Wait, then answer."""
        await self.gate.wait()
        return [OnlineRow(ROW)] * len(entities)

    async def close(self) -> None:
        """Nothing is open."""


def test_too_many_at_once_are_refused(predictor: Predictor) -> None:
    """The third of two allowed is told to come again; health is still answered."""

    async def crowd() -> list[int]:
        store = Held()
        app = build_app(predictor=predictor, served=SERVED, online=store, limits=RequestLimits(in_flight=2))
        body = json.dumps({"instances": [{"customer_id": "C1"}]}).encode()
        waiting = [asyncio.create_task(exchange(app, "POST", V1, [body], {})) for _ in range(2)]
        await asyncio.sleep(0.05)
        refused = await exchange(app, "POST", V1, [body], {})
        health = await exchange(app, "GET", "/healthz", [b""], {})
        store.gate.set()
        answered = await asyncio.gather(*waiting)
        assert refused.headers["retry-after"] == "1"
        return [refused.status, health.status, *(reply.status for reply in answered)]

    assert asyncio.run(asyncio.wait_for(crowd(), 10)) == [503, 200, 200, 200]


def test_bodies_that_are_coming_take_nobody_s_place(predictor: Predictor) -> None:
    """Callers who send slowly are not among those that are answered: a quick one is, however many of them there are."""

    async def crowd() -> int:
        app = build_app(predictor=predictor, served=SERVED, limits=RequestLimits(in_flight=1))

        async def never() -> Any:
            await asyncio.sleep(60)

        async def send(message: Any) -> None:
            raise AssertionError(message)

        scope = {"type": "http", "method": "POST", "path": V1, "headers": [], "query_string": b""}
        slow = [asyncio.create_task(app(dict(scope), never, send)) for _ in range(3)]
        await asyncio.sleep(0.05)
        reply = await exchange(app, "POST", V1, [json.dumps({"instances": [ROW]}).encode()], {})
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return reply.status

    assert asyncio.run(crowd()) == 200


class Counting:
    """A protocol that counts how many bodies are being read, and reads none."""

    binary = False
    inside = most = 0

    def read(self, _body: bytes, _length: int | None) -> Any:
        """Take a while."""
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.02)
        self.inside -= 1
        raise RequestProblem(400, "enough")

    def write(self, _given: Answer, _wanted: Any) -> Any:
        """Never asked."""


def test_few_large_requests_are_in_work_at_once() -> None:
    """Each may take many times its body in memory; the others wait, and hold their body alone."""
    counting, body = Counting(), b" " * (INLINE_BYTES + 1)

    async def crowd() -> list[object]:
        gate = ConcurrencyLimiter(RequestLimits(), ServerMetrics())
        route = Inference(counting, cast("Any", None), Bodies(RequestLimits()), gate)

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            raise AssertionError(message)

        scope = {"type": "http", "headers": [], "state": {"request_id": "x"}}
        return await asyncio.gather(*(route.answer(scope, receive, send) for _ in range(8)), return_exceptions=True)

    assert {str(found) for found in asyncio.run(crowd())} == {"enough"}
    assert counting.most == LARGE_AT_ONCE


def test_all_bodies_together_have_a_limit(predictor: Predictor) -> None:
    """Whoever would bring more than there is room for is told to come again; those that have brought theirs are answered, and then there
    is room again."""

    async def crowd() -> list[int]:
        store = Held()
        app = build_app(predictor=predictor, served=SERVED, online=store, limits=RequestLimits(all_bodies_bytes=1500))
        body = json.dumps({"instances": [{"customer_id": "C1"}]}).encode().ljust(700)
        waiting = [asyncio.create_task(exchange(app, "POST", V1, [body], {})) for _ in range(2)]
        await asyncio.sleep(0.05)
        refused = await exchange(app, "POST", V1, [body[:400], body[400:]], {})
        assert (refused.headers["retry-after"], refused.headers["connection"]) == ("1", "close")
        store.gate.set()
        answered = [*await asyncio.gather(*waiting), await exchange(app, "POST", V1, [body], {})]
        return [refused.status, *(reply.status for reply in answered)]

    assert asyncio.run(asyncio.wait_for(crowd(), 10)) == [503, 200, 200, 200]


def test_many_rows_are_answered_as_few_are(predictor: Predictor) -> None:
    """In a thread, with the same bits."""
    sample = rows(300)
    client = Client(build_app(predictor=predictor, served=SERVED, limits=RequestLimits()))
    together = client.post(V1, {"instances": sample}).json()["predictions"]
    alone = [client.post(V1, {"instances": [row]}).json()["predictions"][0] for row in sample[::50]]
    assert together[::50] == alone


class Where:
    """A model that remembers in which threads it was asked."""

    def __init__(self, predictor: Predictor) -> None:
        self.signature = predictor.signature
        self.decide = predictor.decide
        self.threads: list[bool] = []
        self._predictor = predictor

    def predict_matrix(self, matrix: Matrix) -> Predictions:
        """Answer, and remember whether it was in the main thread."""
        self.threads.append(threading.current_thread() is threading.main_thread())
        return self._predictor.predict_matrix(matrix)


def test_large_requests_leave_the_event_loop_to_others(predictor: Predictor) -> None:
    """A body that is long, or that has many rows, is worked on in a thread; a small one is not worth the way there."""
    model = Where(predictor)
    client = served(model)
    short, long = json.dumps({"instances": [ROW]}).encode(), json.dumps({"instances": [ROW] * INLINE_ROWS * 2}).encode()
    for body in (short, short.ljust(INLINE_BYTES + 1), long):
        assert client.post(V1, body).status == 200
    assert model.threads == [True, False, False]


def test_a_model_of_numbers_takes_a_whole_matrix() -> None:
    """One tensor of any name, a column a feature in the model's order, as JSON, nested or flat, and as binary data; so do V1's lists."""
    model = Constant("regression", [17.5])
    features = [column for column in model.signature.features if column.type == "number"]
    model.signature = model.signature.model_copy(update={"features": features})
    log = MemoryLog()
    client = served(model, log=log, hash_key=b"secret")
    about = {"name": "input-0", "shape": [2, 3], "datatype": "FP32"}
    flat = [3.0, 70.5, 1980.0, 4.0, 71.5, 1981.0]
    head = json.dumps({"inputs": [{**about, "parameters": {"binary_data_size": 24}}]}).encode()
    replies = [
        client.post(V2, {"inputs": [{**about, "data": flat}]}),
        client.post(V2, {"inputs": [{**about, "data": [flat[:3], flat[3:]]}]}),
        client.post(V2, head + struct.pack("<6f", *flat), inference_header_content_length=str(len(head))),
        client.post(V1, {"instances": [flat[:3], flat[3:]]}),
    ]
    assert [reply.status for reply in replies] == [200] * 4
    assert [record.features for record in log.records] == [
        {"tenure": 3.0, "charges": 70.5},
        {"tenure": 4.0, "charges": 71.5},
    ] * 4


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
near_rows = st.dictionaries(
    st.sampled_from([*ROW, "customer_id", "x"]), json_values | st.sampled_from(list(ROW.values()))
)
near_tensors = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([*ROW, "customer_id"]) | json_values,
        "shape": st.lists(st.integers(-1, 3), max_size=3) | json_values,
        "datatype": st.sampled_from(["FP32", "BYTES", "INT64", "BOOL"]) | json_values,
        "data": st.lists(json_values, max_size=3) | json_values,
    },
)


@pytest.mark.parametrize("path", [V1, V2])
@given(
    payload=json_values
    | st.fixed_dictionaries({"instances": st.lists(near_rows, max_size=3)})
    | st.fixed_dictionaries(
        {"inputs": st.lists(near_tensors, max_size=3)}, optional={"outputs": json_values, "id": json_values}
    )
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_request_is_a_server_error(client: Client, path: str, payload: Any) -> None:
    """Whatever is asked: an answer, or a 4xx with a reason. NaN in what Python writes as JSON is no JSON, and refused as such."""
    reply = client.post(path, json.dumps(payload).encode())
    assert 200 <= reply.status < 500, reply.body
    assert ("error" in reply.json()) == (reply.status >= 400)


@given(body=st.binary(max_size=200))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_are_a_server_error(client: Client, body: bytes) -> None:
    """Bytes that are no JSON at all."""
    assert 400 <= client.post(V1, body).status < 500
