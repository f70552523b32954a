"""The hot path: the bytes, the log and the counts of the common road, or nothing at all."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from argosy.ml.encoding import Matrix
from argosy.ml.predictor import Predictions, Predictor, UndefinedPrediction
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import graceful_server, listeners
from argosy.serving.connections import ConnectionLimits
from argosy.serving.hot_path import HotPath, HotRequest
from argosy.serving.inference import INLINE_BYTES, INLINE_ROWS
from kit.serving_kit import FEATURES, ROW, Client, MemoryLog, MemoryOnline, Reply, build_app, rows

V1, V2 = "/v1/models/leaving:predict", "/v2/models/leaving/infer"
FULL = {**ROW, "customer_id": "C1"}


def tensors(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """*given* rows as V2 inputs."""
    texts = {"contract", "customer_id"}
    return [
        {
            "name": name,
            "shape": [len(given)],
            "datatype": "BYTES" if name in texts else "FP64",
            "data": [row[name] for row in given],
        }
        for name in given[0]
    ]


@dataclass
class Served:
    """The small model, its log, and the two ways to ask it."""

    common: Client
    hot: HotPath

    def ask(self, *bodies: tuple[str, bytes], **headers: str) -> list[bytes | None]:
        """What the hot path answers to requests that come together."""
        return self.hot.answer([HotRequest(scope(path, headers), body, 0.0) for path, body in bodies])


def scope(path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """What a server says of a request."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "path": path, "headers": raw, "state": {}}


def served(predictor: Any) -> Served:
    """*predictor* with a log, as production has it."""
    log = MemoryLog()
    release = ServedRelease("leaving", "production", 4, "sha256:0")
    app = build_app(predictor=predictor, served=release, online=MemoryOnline({"C1": ROW}), log=log, hash_key=b"secret")
    return Served(Client(app, log), app.state.hot_path)


@pytest.fixture
def both(predictor: Predictor) -> Served:
    """The small model."""
    return served(predictor)


def written(reply: Reply) -> bytes:
    """*reply* as the hot path writes it: all that follows the status line."""
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in reply.headers.items()) + b"\r\n" + reply.body


PLAIN = [
    pytest.param(V1, {"instances": [ROW]}, id="v1-row"),
    pytest.param(V1, {"instances": rows(40)}, id="v1-rows"),
    pytest.param(V1, {"instances": [list(ROW.values())] * 3}, id="v1-lists"),
    pytest.param(V1, {"instances": [FULL]}, id="v1-with-its-key"),
    pytest.param(V1, {"instances": [{**ROW, "charges": None, "tenure": 10**20}]}, id="v1-null-and-integers"),
    pytest.param(V2, {"id": "mine", "inputs": tensors(rows(40))}, id="v2-columns"),
    pytest.param(V2, {"inputs": tensors([FULL, FULL]), "outputs": [{"name": "decision"}]}, id="v2-with-its-key"),
    pytest.param(
        V2,
        {"inputs": [{"name": "x", "shape": [2, 4], "datatype": "FP32", "data": [None] * 8}]},
        id="v2-matrix",
    ),
    pytest.param(
        V2,
        {"inputs": tensors(rows(2)), "parameters": {"binary_data_output": True}},
        id="v2-binary-answer",
    ),
]
ODD = [
    pytest.param(V1, {"instances": [{"customer_id": "C1"}]}, id="by-id"),
    pytest.param(V1, {"instances": [{**ROW, "contract": "for-life"}]}, id="unknown-level"),
    pytest.param(V1, {"instances": [{**ROW, "tenure": True}]}, id="wrong-type"),
    pytest.param(V1, {"instances": [{**ROW, "tenur": 1}]}, id="unknown-feature"),
    pytest.param(V1, {"instances": []}, id="no-rows"),
    pytest.param(V1, {"instances": rows(INLINE_ROWS + 1)}, id="many-rows"),
    pytest.param(V1, {"instances": [ROW], "more": "x" * INLINE_BYTES}, id="long"),
    pytest.param(V2, {"inputs": []}, id="no-tensors"),
    pytest.param(V2, {"inputs": tensors([{**ROW, "charges": 1e39}])}, id="beyond-32-bits"),
]


@pytest.mark.parametrize(("path", "asked"), PLAIN)
def test_a_plain_request_gets_the_bytes_of_the_common_road(both: Served, path: str, asked: Any) -> None:
    """Headers and body, the log's records and the metrics' counts: who is answered here cannot tell it."""
    body = json.dumps(asked).encode()
    expected = both.common.post(path, body, x_request_id="order-17")
    assert expected.status == 200
    records = list(both.common.log.records)
    both.common.log.records.clear()
    assert both.ask((path, body), x_request_id="order-17") == [written(expected)]
    assert [
        (record.request_id, record.row, record.entity, dict(record.features), list(record.score), record.decision)
        for record in both.common.log.records
    ] == [
        (record.request_id, record.row, record.entity, dict(record.features), list(record.score), record.decision)
        for record in records
    ]
    lines = both.common.get("/metrics").body.decode().splitlines()
    route = "v1" if path == V1 else "v2"
    assert f'argosy_requests_total{{code="200",route="{route}"}} 2.0' in lines
    assert f"argosy_predictions_total {2.0 * len(records)}" in lines


@pytest.mark.parametrize(("path", "asked"), ODD)
def test_anything_else_is_left_alone(both: Served, path: str, asked: Any) -> None:
    """What is to be refused, looked up or worked on in a thread is not answered, not logged and not counted here."""
    assert both.ask((path, json.dumps(asked).encode())) == [None]
    assert both.common.log.records == []
    assert "argosy_predictions_total 0.0" in both.common.get("/metrics").body.decode().splitlines()


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"content_encoding": "gzip"}, id="compressed"),
        pytest.param({"content_type": "text/html"}, id="no-json"),
        pytest.param({"inference_header_content_length": "x"}, id="no-length"),
    ],
)
def test_headers_that_ask_for_more_are_left_alone(both: Served, headers: dict[str, str]) -> None:
    """A body that is said to be something else is refused by the common road."""
    assert both.ask((V1, json.dumps({"instances": [ROW]}).encode()), **headers) == [None]


def test_requests_that_come_together_share_one_call(predictor: Predictor) -> None:
    """One call of the model for all, and each gets its own: rows, columns and refused ones between them."""
    asked: list[int] = []

    class Counting:
        signature = predictor.signature
        decide = staticmethod(predictor.decide)

        def predict_matrix(self, matrix: Matrix) -> Predictions:
            asked.append(len(matrix))
            return predictor.predict_matrix(matrix)

    to, sample = served(Counting()), rows(30)
    bodies = [(V1, json.dumps({"instances": sample[place : place + 3]}).encode()) for place in range(0, 30, 3)]
    bodies.insert(4, (V1, b"{"))
    bodies.append((V2, json.dumps({"inputs": tensors(sample[:5])}).encode()))
    answers = to.ask(*bodies)
    assert asked == [35]
    assert answers.pop(4) is None
    expected = predictor.predict(sample).tolist()
    for place, answer in enumerate(answers[:-1]):
        assert answer is not None
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["predictions"] == expected[3 * place : 3 * place + 3]
    assert len(to.common.log.records) == 35


def test_a_row_without_an_answer_costs_the_others_nothing(predictor: Predictor) -> None:
    """Where the model has no number for one row, each request is left to the common road, and none is logged or counted twice."""

    class Undefined:
        signature = predictor.signature
        decide = staticmethod(predictor.decide)

        def predict_matrix(self, matrix: Matrix) -> Predictions:
            if (matrix[:, 0] == 13).any():
                raise UndefinedPrediction("no number")
            return predictor.predict_matrix(matrix)

    to = served(Undefined())
    good, bad = (json.dumps({"instances": [{**ROW, "tenure": tenure}]}).encode() for tenure in (3, 13))
    assert to.ask((V1, good), (V1, bad)) == [None, None]
    assert to.common.log.records == []
    assert (to.common.post(V1, good).status, to.common.post(V1, bad).status) == (200, 500)


def test_a_fault_of_ours_leaves_nobody_without_an_answer(
    predictor: Predictor, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody foresaw is told in the server's log, and every request of the moment goes to the common road."""

    class Broken:
        signature = predictor.signature
        decide = staticmethod(predictor.decide)

        def predict_matrix(self, matrix: Matrix) -> Predictions:
            raise KeyError(len(matrix))

    body = json.dumps({"instances": [ROW]}).encode()
    assert served(Broken()).ask((V1, body), (V1, body)) == [None, None]
    assert "2 requests were not answered together" in caplog.text


def test_an_answer_that_cannot_be_written_leaves_the_others_as_they_are(
    both: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It alone goes to the common road: the others are logged, and would be logged twice there."""
    protocol, good = both.hot._routes[V1], json.dumps({"instances": [ROW]}).encode()
    write, failures = protocol.write, iter([KeyError("once")])

    def failing(answer: Any, wanted: Any) -> Any:
        if (error := next(failures, None)) is not None:
            raise error
        return write(answer, wanted)

    monkeypatch.setattr(protocol, "write", failing)
    broken, answer = both.ask((V1, good), (V1, good))
    assert broken is None
    assert answer is not None
    assert len(both.common.log.records) == 2


@pytest.fixture
def port(predictor: Predictor) -> Iterator[int]:
    """The small model behind a socket."""
    app = build_app(predictor=predictor, served=ServedRelease("leaving", "production", 4, "sha256:0"))
    listener = graceful_server.bind("127.0.0.1", 0)
    server = listeners.UvicornServer(app, ConnectionLimits(), lambda _: None)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)


def sent(body: bytes, *headers: str) -> bytes:
    """A request as bytes."""
    lines = [f"POST {V1} HTTP/1.1", "Host: h", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def answered(connection: socket.socket, count: int) -> list[Any]:
    """The bodies of the next *count* answers."""
    found = []
    with connection.makefile("rb") as stream:
        for _ in range(count):
            lines = list(iter(stream.readline, b"\r\n"))
            assert lines[0] == b"HTTP/1.1 200 OK\r\n"
            length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
            found.append(json.loads(stream.read(length)))
    return found


def test_requests_behind_one_another_are_answered_in_order(port: int, predictor: Predictor) -> None:
    """Sent at once, in halves, with one that waits for leave, each connection gets its answers in the order of its requests."""
    sample = rows(12)
    expected = predictor.predict(sample).tolist()
    bodies = [json.dumps({"instances": [row]}).encode() for row in sample]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"".join(map(sent, bodies[:6])))
        assert [answer["predictions"][0] for answer in answered(connection, 6)] == expected[:6]
        for part in (sent(bodies[6])[:90], sent(bodies[6])[90:] + sent(bodies[7])[:30], sent(bodies[7])[30:]):
            connection.sendall(part)
        assert [answer["predictions"][0] for answer in answered(connection, 2)] == expected[6:8]
        connection.sendall(sent(bodies[8], "Expect: 100-continue"))
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert answered(connection, 1)[0]["predictions"] == expected[8:9]


def test_a_connection_that_ends_with_its_request_is_closed(port: int) -> None:
    """``Connection: close`` is said in the answer and done."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(sent(json.dumps({"instances": [ROW]}).encode(), "Connection: close"))
        with connection.makefile("rb") as stream:
            said = stream.read()
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert said.count(b"connection: close\r\n") == 1


def test_callers_that_leave_take_nobody_along(port: int, predictor: Predictor) -> None:
    """Of callers that ask at the same time, those that hang up at once cost the others nothing."""
    sample = rows(40)
    expected = predictor.predict(sample).tolist()
    found: dict[int, float] = {}

    def ask(place: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(sent(json.dumps({"instances": [sample[place]]}).encode()))
            if place % 2:
                found[place] = answered(connection, 1)[0]["predictions"][0]

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(sample))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {place: expected[place] for place in range(1, len(sample), 2)}


def test_the_matrix_of_a_request_is_what_the_model_is_asked(predictor: Predictor) -> None:
    """Golden values go through unchanged: what the hot path asks is what the encoder makes of the row."""
    seen: list[Matrix] = []

    class Watching:
        signature = predictor.signature
        decide = staticmethod(predictor.decide)

        def predict_matrix(self, matrix: Matrix) -> Predictions:
            seen.append(matrix)
            return predictor.predict_matrix(matrix)

    to = served(Watching())
    to.ask((V1, json.dumps({"instances": [dict(reversed(ROW.items()))]}).encode()))
    to.ask((V1, json.dumps({"instances": [list(ROW.values())]}).encode()))
    assert [column.name for column in FEATURES] == list(ROW)
    assert all(np.array_equal(matrix, predictor.encoder.rows([ROW])) for matrix in seen)
    assert len(seen) == 2
