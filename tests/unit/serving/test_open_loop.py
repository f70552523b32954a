"""The bench's asker is judged by servers whose delays, refusals and failures are known."""

import contextlib
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bench import open_loop
from bench.open_loop import Asker, Question

BODY, HEADERS = b"{}", {"Authorization": "Bearer x"}
REQUEST = (
    b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    b"Authorization: Bearer x\r\n\r\n{}"
)
ACCEPTED = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nlate"
UNANNOUNCED = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
CUT = ACCEPTED[:-1]
ENDING = {b"", CUT, LAST}
"""What the connection is ended behind."""
Answers = Callable[[int], bytes]
"""The answer to a request by its place in the order in which all of them came."""


class KnownServer:
    """Answers as it is told, a thread for each connection."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.question = Question(self._listener.getsockname()[1], "/predict", BODY, HEADERS)
        self._lock = threading.Lock()
        self.asked = self.opened = 0
        self._taken: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it is closed
            while True:
                taken, _ = self._listener.accept()
                self.opened += 1
                self._taken.append(taken)
                self._threads.append(threading.Thread(target=self._serve, args=(taken,)))
                self._threads[-1].start()

    def _serve(self, taken: socket.socket) -> None:
        came = b""
        with contextlib.suppress(OSError), taken:
            while data := taken.recv(65536):
                came += data
                if len(came) < len(REQUEST):
                    continue
                assert came == REQUEST
                came = b""
                with self._lock:
                    place, self.asked = self.asked, self.asked + 1
                answer = self._answers(place)
                taken.sendall(answer)
                if answer in ENDING:
                    return

    def stop(self) -> None:
        """End every connection."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for taken in self._taken:
            with contextlib.suppress(OSError):
                taken.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()


@contextlib.contextmanager
def serving(answers: Answers) -> Iterator[KnownServer]:
    """A server that answers so."""
    server = KnownServer(answers)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Asker:
    """The program."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    return Asker(open_loop.built(tmp_path_factory.mktemp("open_loop")))


def test_each_is_sent_when_it_is_due(asker: Asker) -> None:
    """So many a second, evenly, over connections that are kept."""
    with serving(lambda _: ACCEPTED) as server:
        found = asker.ask(server.question, rate=200, seconds=0.5, connections=8)
    assert found.statuses.tolist() == [200] * 100
    assert (server.asked, server.opened) == (100, 8)
    assert found.lateness.min() >= 0
    assert np.median(found.lateness) < 0.002
    assert 0.49 < found.seconds < 2


def test_a_delay_is_told(asker: Asker) -> None:
    """A server that takes 50 ms makes every wait at least so long, and does not keep others from being sent."""

    def slow(_: int) -> bytes:
        time.sleep(0.05)
        return ACCEPTED

    with serving(slow) as server:
        found = asker.ask(server.question, rate=100, seconds=0.5, connections=32)
    assert found.waits.min() >= 0.05
    assert np.median(found.waits) < 0.08
    assert np.median(found.lateness) < 0.005


def test_who_waits_for_a_connection_waits_since_it_was_due(asker: Asker) -> None:
    """One connection, 20 ms an answer, a request each 10: the last of 50 waits for half a second, which a closed loop would not tell."""

    def slow(_: int) -> bytes:
        time.sleep(0.02)
        return ACCEPTED

    with serving(slow) as server:
        found = asker.ask(server.question, rate=100, seconds=0.5, connections=1)
    assert found.waits[0] < 0.1
    assert found.waits[-1] >= 50 * 0.02 - 0.49
    assert found.lateness[-1] >= 49 * 0.02 - 0.49


def test_refusals_are_told_apart(asker: Asker) -> None:
    """Every status has its own waits, and it is known which said when to come back."""
    answers = [ACCEPTED, REFUSED, UNANNOUNCED]
    with serving(lambda place: answers[place % 3]) as server:
        found = asker.ask(server.question, rate=100, seconds=0.3, connections=1)
    assert found.statuses.tolist() == [200, 503, 429] * 10
    assert found.announced.tolist() == [False, True, False] * 10


def test_an_answer_in_pieces_is_one(asker: Asker) -> None:
    """Longer than what is read at once, and with more in its head than a line."""
    body = b"x" * 300_000
    answer = b"HTTP/1.1 200 OK\r\nX: %b\r\nCONTENT-LENGTH: %d\r\n\r\n%b" % (b"y" * 4000, len(body), body)
    with serving(lambda _: answer) as server:
        found = asker.ask(server.question, rate=50, seconds=0.2, connections=2)
    assert found.statuses.tolist() == [200] * 10
    assert server.asked == 10


def test_a_server_that_hangs_ends_nobody(asker: Asker) -> None:
    """What has no answer in time is given up, whether it was sent or waited for a connection, and the program ends."""
    stopped = threading.Event()

    def hang(_: int) -> bytes:
        stopped.wait(30)
        return b""

    began = time.monotonic()
    with serving(hang) as server:
        found = asker.ask(server.question, rate=100, seconds=0.5, connections=1, timeout=0.5)
        stopped.set()
    assert time.monotonic() - began < 5
    assert found.statuses.tolist() == [0] * 50
    assert found.waits.min() >= 0.5
    assert np.isnan(found.lateness).any()


def test_a_connection_that_ends_is_opened_anew(asker: Asker) -> None:
    """Behind an answer that said so nothing is lost; ended instead of an answer, the request is sent once more."""
    ends = {2: LAST, 4: b""}
    with serving(lambda place: ends.get(place, ACCEPTED)) as server:
        found = asker.ask(server.question, rate=50, seconds=0.2, connections=1)
    assert found.statuses.tolist() == [200] * 10
    assert found.tries.tolist() == [1] * 4 + [2] + [1] * 5
    assert (server.asked, server.opened) == (11, 3)


def test_no_third_time(asker: Asker) -> None:
    """A request whose connection ends twice, or in the middle of its answer, has none."""
    ends = {1: b"", 2: b"", 4: CUT}
    with serving(lambda place: ends.get(place, ACCEPTED)) as server:
        found = asker.ask(server.question, rate=50, seconds=0.1, connections=1)
    assert found.statuses.tolist() == [200, 0, 200, 0, 200]
    assert server.asked == 6


def test_as_many_as_are_answered(asker: Asker) -> None:
    """At rate 0 a connection asks when it was answered: 4 of them, 10 ms each, 400 a second at most."""

    def slow(_: int) -> bytes:
        time.sleep(0.01)
        return ACCEPTED

    with serving(slow) as server:
        found = asker.ask(server.question, rate=0, seconds=0.5, connections=4)
    assert 20 < len(found.statuses) <= 204
    assert found.waits.min() >= 0.01
    assert len(found.statuses) == server.asked


def test_a_request_longer_than_the_kernel_takes_is_sent_whole(asker: Asker) -> None:
    """The rest of it follows once there is room."""
    listener = socket.create_server(("127.0.0.1", 0))
    question = Question(listener.getsockname()[1], "/predict", b" " * 8_000_000)
    whole = len(question.request)
    came: list[int] = []

    def take() -> None:
        taken, _ = listener.accept()
        with taken:
            size = 0
            while size < whole:
                time.sleep(0.001)
                size += len(taken.recv(1 << 20))
            came.append(size)
            taken.sendall(ACCEPTED)
            taken.recv(1)

    thread = threading.Thread(target=take)
    thread.start()
    with listener:
        found = asker.ask(question, rate=10, seconds=0.1, connections=1)
    thread.join()
    assert came == [whole]
    assert found.statuses.tolist() == [200]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", "no Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxyz", "longer than it says"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000, "is longer than 16384 bytes"),
    ],
    ids=["no length", "too long", "endless head"],
)
def test_an_answer_that_cannot_be_read_ends_it(asker: Asker, answer: bytes, said: str) -> None:
    """With what is wrong about it."""
    with serving(lambda _: answer) as server, pytest.raises(SystemExit, match=said):
        asker.ask(server.question, rate=10, seconds=0.2, connections=1)


def test_nobody_there_is_said(asker: Asker) -> None:
    """Not measured as failures."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SystemExit, match=rf"asking port {port} failed: .*Connection refused"):
        asker.ask(Question(port, "/", BODY), rate=10, seconds=0.1)


def test_no_compiler_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what to do about it."""
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"no C compiler .* install one .* or pass --asker vegeta"):
        open_loop.built(tmp_path)
