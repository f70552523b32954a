"""What connections may take: slow, silent, endless, too many, too large ones, over real sockets."""

import contextlib
import json
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import connections, graceful_server, listeners, server_metrics
from argosy.serving.connections import ConnectionLimits
from argosy.serving.exchange import RequestLimits
from argosy.serving.lifecycle import STALLED_SECONDS, Lifecycle
from kit.model_server import asked, free_port, ready, started, status
from kit.serving_kit import ROW, build_app

QUICK = ConnectionLimits(
    connections=8, header_seconds=0.6, body_seconds=1.2, idle_seconds=2.0, write_seconds=1.0, pipelined=4
)
PATH = "/v1/models/leaving:predict"
BODY = json.dumps({"instances": [ROW]}).encode()
REQUEST = b"POST %b HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%b" % (PATH.encode(), len(BODY), BODY)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"


@dataclass
class Running:
    """A server in a thread of this process."""

    port: int
    ended: Counter[str]
    """Connections that it ended, by why."""
    leave: Callable[[], None]
    """Has it ask callers to go elsewhere."""

    def connect(self) -> socket.socket:
        """A new connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def said(self, sent: bytes = b"") -> bytes:
        """All that it answers to *sent* until it closes."""
        with self.connect() as connection:
            connection.sendall(sent)
            return everything(connection)


@contextlib.contextmanager
def running(predictor: Predictor, limits: ConnectionLimits) -> Iterator[Running]:
    """The small model, served under *limits*."""
    ended: Counter[str] = Counter()
    listener = graceful_server.bind("127.0.0.1", 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # what is not read is soon noticed
    port = listener.getsockname()[1]
    app = build_app(
        predictor=predictor,
        served=ServedRelease("leaving", "none", 4, predictor.digest),
        limits=RequestLimits(body_seconds=0.8),
    )
    runs = listeners.UvicornServer(app, limits, lambda reason: ended.update([reason]))
    thread = threading.Thread(target=runs.run, args=([listener],))
    thread.start()
    try:
        yield Running(port, ended, runs.leave)
    finally:
        runs.should_exit = True
        thread.join(10)
    assert ended.keys() <= set(server_metrics.ENDED), "a reason that is not shown at 0 before it comes"


@pytest.fixture(scope="module")
def quick(predictor: Predictor) -> Iterator[Running]:
    """A server that has little patience."""
    with running(predictor, QUICK) as found:
        yield found


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    chunks = []
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            chunks.append(chunk)
    return b"".join(chunks)


def seconds(of: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.monotonic()
    of()
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("sent", "answer", "reason", "most"),
    [
        pytest.param(b"", b"", "idle", 2.5, id="nothing"),
        pytest.param(b"POST /v1", b"HTTP/1.1 408 ", "slow headers", 2.5, id="half-a-line"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\n", b"HTTP/1.1 408 ", "slow headers", 2.5, id="half-the-headers"),
        pytest.param(REQUEST[:-5], b"HTTP/1.1 408 ", "", 2.5, id="half-a-body"),
        pytest.param(HEALTH, b"HTTP/1.1 200 ", "", 4.0, id="an-answer-and-then-nothing"),
        pytest.param(
            b"POST /none HTTP/1.1\r\nContent-Length: 9\r\n\r\n", b"HTTP/1.1 404 ", "slow body", 3.0, id="unread-body"
        ),
        pytest.param(
            b"POST %b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n" % PATH.encode(),
            b"HTTP/1.1 408 ",
            "",
            2.5,
            id="chunks-that-stop",
        ),
    ],
)
def test_who_stops_sending_is_dropped(quick: Running, sent: bytes, answer: bytes, reason: str, most: float) -> None:
    """With a word where that is possible, in bounded time."""
    said: list[bytes] = []
    before = quick.ended[reason]
    assert seconds(lambda: said.append(quick.said(sent))) < most
    assert said[0].startswith(answer)
    assert bool(reason) == (quick.ended[reason] > before)


def test_who_sends_a_byte_now_and_then_is_dropped(quick: Running) -> None:
    """The time is for all of the headers, not from byte to byte."""
    with quick.connect() as connection:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 5:
                connection.sendall(b"G" if time.monotonic() - began < 0.1 else b"x")
                time.sleep(0.1)
        assert time.monotonic() - began < 3


def test_chunks_for_ever_are_dropped(quick: Running) -> None:
    """A body without an end has the same time as others."""
    with quick.connect() as connection:
        connection.sendall(b"POST %b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" % PATH.encode())
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 5:
                connection.sendall(b"1\r\n \r\n")
                time.sleep(0.05)
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 102, 431, "large headers", id="many"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100_000, 431, "large headers", id="very-many"),
        pytest.param(b"GET / HTTP/1.1\r\nA: " + b"b" * 40_000 + b"\r\n\r\n", 431, "large headers", id="long"),
        pytest.param(b"GET / HTTP/1.1\r\nA: " + b"b" * 200_000, 431, "large headers", id="endless"),
        pytest.param(b"GET /" + b"b" * 200_000, 431, "large headers", id="endless-address"),
        pytest.param(b"GET /" + b"b" * 40_000 + b" HTTP/1.1\r\n\r\n", 431, "large headers", id="long-address"),
        pytest.param(b"\r\n" * 100_000, 431, "large headers", id="empty-lines"),
        pytest.param(b"what is this\r\n\r\n", 400, "malformed", id="no-http"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400, "malformed", id="tls"),
        pytest.param(b"GET \xff\xfe HTTP/1.1\r\n\r\n", 400, "malformed", id="address-is-no-text"),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", 400, "malformed", id="two-lengths"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "malformed",
            id="length-and-chunks",
        ),
    ],
)
def test_what_is_no_request_is_refused(quick: Running, sent: bytes, status: int, reason: str) -> None:
    """As JSON, and the connection ends; nothing of it is kept until it is complete."""
    before = quick.ended[reason]
    with quick.connect() as connection:
        with contextlib.suppress(OSError):
            connection.sendall(sent)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        said = everything(connection)
    assert quick.ended[reason] == before + 1
    if said:  # a peer that still sends may lose the answer with the connection
        head, _, body = said.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert "error" in json.loads(body)


@pytest.mark.parametrize("framing", ["Content-Length: 5242880", "Transfer-Encoding: chunked"])
def test_who_sends_on_after_a_refusal_reads_it(quick: Running, framing: str) -> None:
    """Clients that write a whole body before they read, as Node's fetch does, learn that it is too large."""
    head = f"POST /predict HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n".encode()
    body = bytes(5 * 2**20) if "Length" in framing else b"100000\r\n%b\r\n" % bytes(2**20) * 5 + b"0\r\n\r\n"
    said = quick.said(head + body)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in said
    assert said.endswith(b"}")


def test_who_sends_on_for_ever_after_a_refusal_is_dropped(quick: Running) -> None:
    """What it sends is thrown away for as long as a caller needs to read the answer, and no longer."""
    with quick.connect() as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: h\r\nContent-Length: 5242880\r\n\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 413 ")

        def sends_on() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection.sendall(bytes(100))
                    time.sleep(0.05)

        assert seconds(sends_on) < 2 * connections.LINGER_SECONDS + 5


def test_a_length_that_is_too_short_ends_the_connection(quick: Running) -> None:
    """What is left over is no request; the first answer stands."""
    lying = REQUEST.replace(b"Content-Length: %d" % len(BODY), b"Content-Length: %d" % (len(BODY) - 9))
    said = quick.said(lying)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") in {1, 2}


def test_requests_that_come_together_are_answered_in_order(quick: Running) -> None:
    """A few; the second is not lost with the first's body."""
    with quick.connect() as connection:
        connection.sendall(REQUEST + HEALTH + REQUEST.replace(b"Host", b"Connection: close\r\nHost"))
        said = everything(connection)
    assert [part[:3] for part in said.split(b"HTTP/1.1 ")[1:]] == [b"200"] * 3
    assert said.index(b"predictions") < said.index(b"live") < said.rindex(b"predictions")


def test_whoever_asks_a_server_that_stops_is_told_to_connect_anew(predictor: Predictor) -> None:
    """With the answer, on the hot path and on the common one; of requests that came together, with the last one's."""
    with running(predictor, QUICK) as server:
        with server.connect() as connection:
            connection.sendall(HEALTH)
            assert b"connection: close" not in connection.recv(65_536)
            server.leave()
            connection.sendall(REQUEST)
            said = everything(connection)
        assert said.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"connection: close\r\n" in said
        for sent in (HEALTH, REQUEST * 3):
            said = server.said(sent)
            assert said.count(b"HTTP/1.1 200 OK\r\n") == sent.count(b"HTTP/1.1")
            assert said.count(b"connection: close\r\n") == 1
            assert b"connection: close" not in said.rpartition(b"HTTP/1.1")[0]


def test_a_thousand_requests_that_come_together_end_the_connection(quick: Running) -> None:
    """They would wait in memory."""
    before = quick.ended["pipelined"]
    said = quick.said(HEALTH * 1000)
    assert said.count(b"HTTP/1.1 200 ") < 20
    assert quick.ended["pipelined"] == before + 1


def test_silent_connections_keep_nobody_out(predictor: Predictor) -> None:
    """Whoever has been silent for longest gives way."""
    with running(predictor, replace(QUICK, header_seconds=60.0)) as found, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(found.connect()) for _ in range(40)]
        assert found.said(HEALTH.replace(b"Host", b"Connection: close\r\nHost")).startswith(b"HTTP/1.1 200 ")
        assert everything(silent[0]) == b""
        assert found.ended["crowded out"] == 33


def test_who_does_not_read_its_answer_is_dropped(predictor: Predictor) -> None:
    """An answer that is not taken is not kept for ever."""
    rows = json.dumps({"instances": [ROW] * 4000}).encode()
    request = b"POST %b HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (PATH.encode(), len(rows), rows)
    with running(predictor, replace(QUICK, write_seconds=0.5, idle_seconds=60.0)) as found, socket.socket() as greedy:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.connect(("127.0.0.1", found.port))
        greedy.sendall(request)
        deadline = time.monotonic() + 20
        while not found.ended["unread answer"] and time.monotonic() < deadline:
            time.sleep(0.1)
        assert found.ended["unread answer"] == 1


def test_an_event_loop_that_hangs_is_not_alive() -> None:
    """The other port says so; one that turns is, and so is one that nobody runs yet."""
    now = [0.0]
    state = Lifecycle(clock=lambda: now[0])
    assert state.live
    state.turn()
    now[0] += STALLED_SECONDS - 1
    assert state.live
    now[0] += 2
    assert not state.live
    state.turn()
    assert state.live


@pytest.mark.parametrize("upgrade", ["h2c", "websocket"])
def test_an_upgrade_that_is_not_done_is_a_request_like_others(quick: Running, upgrade: str) -> None:
    """Java's client offers HTTP/2 with its first request, body and all."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %b\r\nHTTP2-Settings: AAEAAEAA\r\nHost" % upgrade.encode()
    with quick.connect() as connection:
        connection.sendall(REQUEST.replace(b"Host", offer, 1))
        first = connection.recv(65536)
        assert first.startswith(b"HTTP/1.1 200 "), first
        connection.sendall(REQUEST)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.slow
def test_idle_connections_lock_nobody_out_of_few_files(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 256 files, 239 idle connections and more: requests are answered, and so is health, on either port."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path))
    beside_port = free_port()
    with started(folder, "--unsigned", "--port", "0", "--operations-port", str(beside_port), files=256) as process:
        _, address = ready(process)
        beside = f"http://127.0.0.1:{beside_port}"
        port = int(address.rpartition(":")[2])
        with contextlib.ExitStack() as stack:
            for _ in range(400):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            assert asked(address)["decisions"] == ["yes"]
            assert [status(address, "/healthz"), status(beside, "/healthz"), status(beside, "/readyz")] == [200] * 3
            assert status(beside, "/metrics") == 200
            assert status(beside, "/v2") == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


@pytest.mark.slow
def test_too_few_files_are_said(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """78 and what to do, rather than a server that nobody reaches."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path))
    with started(folder, "--unsigned", "--port", "0", files=80) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 78
    assert "raise it (ulimit -n)" in said
