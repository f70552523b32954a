"""Past saturation a plain request is refused by its head alone; whatever could be read in two ways is left to the parser."""

import random
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import httptools
import pytest

from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import graceful_server, listeners, unread_requests
from argosy.serving.app import app_of, server_parts
from argosy.serving.connections import Connection, ConnectionLimits
from argosy.serving.overload import Overload

PATH = "/v1/models/leaving:predict"
REQUEST = (
    b"POST %b HTTP/1.1\r\nHost: h\r\nX-Request-Id: mine\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n{}"
    % PATH.encode()
)


def test_a_plain_request_is_known_by_its_head() -> None:
    """Its path, and its headers as ASGI has them."""
    found = unread_requests.whole(REQUEST)
    assert found is not None
    assert found.path == PATH
    assert (b"x-request-id", b"mine") in found.headers


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(REQUEST[:-1], id="not-all-of-it"),
        pytest.param(REQUEST + b"P", id="more-than-one"),
        pytest.param(REQUEST.replace(b"Connection: keep-alive", b"Connection: close"), id="the-last-one"),
        pytest.param(REQUEST.replace(b"Connection: keep-alive", b"Content-Length: 2"), id="two-lengths"),
        pytest.param(REQUEST.replace(b"Connection: keep-alive", b"Transfer-Encoding: chunked"), id="chunks"),
        pytest.param(REQUEST.replace(b"Connection: keep-alive", b"Expect: 100-continue"), id="asks-first"),
        pytest.param(REQUEST.replace(b"Length: 2", b"Length: +2"), id="no-number"),
        pytest.param(REQUEST.replace(b"Length: 2", b"Length : 2"), id="space-before-colon"),
        pytest.param(REQUEST.replace(b"Length: 2", b"Length:\r\n 2"), id="folded"),
        pytest.param(REQUEST.replace(b"Host: h\r\n", b"Host: h\n"), id="bare-line-feed"),
        pytest.param(REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0"), id="of-1.0"),
        pytest.param(REQUEST.replace(b":predict", b":predict?a=1"), id="with-a-query"),
        pytest.param(REQUEST.replace(b":predict", b"%3Apredict"), id="escaped"),
        pytest.param(REQUEST.replace(b"POST", b"GET"), id="another-method"),
        pytest.param(REQUEST.replace(b"Host: h\r\n", b"Host: h\r\n" * 65), id="many-headers"),
    ],
)
def test_what_could_be_something_else_is_left_to_the_parser(sent: bytes) -> None:
    """A refusal that mistook where a request ends would answer for another one."""
    assert unread_requests.whole(sent) is None


class Parsed:
    """What the parser makes of bytes."""

    def __init__(self, sent: bytes) -> None:
        self.url, self.body, self.complete = b"", b"", 0
        parser = httptools.HttpRequestParser(self)
        parser.feed_data(sent)
        self.stays = parser.should_keep_alive() and not parser.should_upgrade()

    def on_url(self, url: bytes) -> None:
        """See httptools."""
        self.url += url

    def on_body(self, body: bytes) -> None:
        """See httptools."""
        self.body += body

    def on_message_complete(self) -> None:
        """See httptools."""
        self.complete += 1


def test_the_parser_agrees_on_what_is_known_by_its_head() -> None:
    """Of 20,000 requests with a few bytes changed, dropped or doubled: one message, the same address, and the connection stays."""
    chance, known = random.Random(7), 0
    odd = [
        b"\r",
        b"\n",
        b"\r\n",
        b" ",
        b":",
        b"\t",
        b"\0",
        b"%",
        b"?",
        b"\xff",
        b"0",
        b"Content-Length: 2\r\n",
        b"Upgrade: x\r\n",
    ]
    for _ in range(20_000):
        sent = bytearray(REQUEST)
        for _ in range(chance.randint(0, 3)):
            place = chance.randrange(len(sent))
            sent[place : place + chance.randint(0, 2)] = chance.choice(
                [*odd, sent[place : place + 3], bytes([chance.randrange(256)])]
            )
        found = unread_requests.whole(bytes(sent))
        if found is not None:
            known += 1
            parsed = Parsed(bytes(sent))
            assert (parsed.complete, parsed.url.decode(), parsed.stays) == (1, found.path, True), bytes(sent)
            assert parsed.body == bytes(sent).partition(b"\r\n\r\n")[2]
    assert known > 5_000


class Pressed(Overload):
    """A loop that a test says is past saturation or not."""

    pressed = True

    @property
    def late(self) -> bool:
        """See Overload."""
        return self.pressed

    def sheds(self) -> bool:
        """See Overload."""
        return self.pressed


@dataclass
class RunningServer:
    """A server in a thread of this process, and one connection to it."""

    overload: Pressed
    connection: socket.socket

    def ask(self, sent: bytes) -> tuple[bytes, bytes]:
        """Head and body of the answer to *sent*."""
        self.connection.sendall(sent)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self.connection.recv(65536)
        head, _, body = got.partition(b"\r\n\r\n")
        length = int(dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])[b"content-length"])
        while len(body) < length:
            body += self.connection.recv(65536)
        assert len(body) == length
        return head, body


@pytest.fixture
def running(predictor: Predictor) -> Iterator[RunningServer]:
    """The small model, past saturation."""
    overload = Pressed(0.01)
    served = ServedRelease("leaving", "none", 4, predictor.digest)
    listener = graceful_server.bind("127.0.0.1", 0)
    app = app_of(server_parts(predictor=predictor, served=served, overload=overload))
    runs = listeners.UvicornServer(app, ConnectionLimits(), lambda _: None)
    thread = threading.Thread(target=runs.run, args=([listener],))
    thread.start()
    try:
        with socket.create_connection(("127.0.0.1", listener.getsockname()[1]), timeout=20) as connection:
            yield RunningServer(overload, connection)
    finally:
        runs.should_exit = True
        thread.join(10)


def test_what_there_is_no_time_for_is_not_read(running: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 as for any other; no parser is asked, the connection stays, and the next one is answered as soon as there is time."""
    monkeypatch.setattr(Connection, "_feed", lambda *_: pytest.fail("it was parsed"))
    for _ in range(3):
        head, body = running.ask(REQUEST)
        assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert {b"retry-after: 1", b"x-request-id: mine", b"argosy-model: leaving"} <= set(head.split(b"\r\n"))
        assert b"more requests come" in body
    monkeypatch.undo()
    head, _ = running.ask(b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    running.overload.pressed = False
    assert running.ask(REQUEST)[0].startswith(b"HTTP/1.1 400 ")  # it is read now: an object without rows


def test_what_is_not_about_rows_is_answered(running: RunningServer) -> None:
    """Addresses that are asked whether the server is up, and those that there are none of."""
    for sent, status in [
        (b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", b"200"),
        (REQUEST.replace(PATH.encode(), b"/none"), b"404"),
    ]:
        assert running.ask(sent)[0].split(b" ")[1] == status


def test_the_answer_is_that_of_a_request_that_was_read(running: RunningServer) -> None:
    """Byte for byte but for its date: one that comes in two pieces has to be read."""
    at_once = running.ask(REQUEST)
    running.connection.sendall(REQUEST[:30])
    pieces = running.ask(REQUEST[30:])
    dated = [[line for line in head.split(b"\r\n") if not line.startswith(b"date")] for head, _ in (at_once, pieces)]
    assert dated[0] == dated[1]
    assert at_once[1] == pieces[1]
