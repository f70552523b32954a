"""A web server in this process that answers from a table and keeps what it was asked and sent."""

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What is sent for one path."""

    body: bytes = b""
    status: int = 200
    location: str = ""
    """Where else to look."""


def listed(*items: Mapping[str, Any]) -> Answer:
    """A list as Kubernetes' API server gives it."""
    return Answer(json.dumps({"metadata": {}, "items": items}).encode())


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Web:
    """A running server: where, and what it was asked."""

    url: str
    asked: list[Asked]


@contextlib.contextmanager
def web_server(answers: Mapping[str, Answer]) -> Iterator[Web]:
    """A server that gives *answers* by path, 404 for any other."""
    asked: list[Asked] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"answers": answers, "asked": asked}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Web(f"http://127.0.0.1:{server.server_port}", asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    answers: Mapping[str, Answer]
    asked: list[Asked]

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append(Asked(self.command, self.path, dict(self.headers.items()), body))
        answer = self.answers.get(self.path, Answer(status=404))
        self.send_response(answer.status)
        if answer.location:
            self.send_header("Location", answer.location)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_PUT = do_POST = _any  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing."""
