"""Answers Prometheus and whoever looks after the exporter: ``/metrics``, ``/healthz``, ``/readyz``."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from argosy import errors

HOST = "127.0.0.1"
PORT = 8000
METRICS = "text/plain; version=0.0.4; charset=utf-8"
PATIENCE_SECONDS = 10.0
"""Within which a caller has to have sent its request."""

Page = Callable[[], tuple[int, str, bytes]]
"""Status, type and body."""


@contextlib.contextmanager
def serving(host: str, port: int, text: Callable[[], bytes], ready: Callable[[], bool]) -> Iterator[str]:
    """Answer on *port*, 0 for a free one, while the block runs; yields the address. Raises Misconfigured where it is not ours to use."""

    def whether(word: str, holds: Callable[[], bool]) -> Page:
        return lambda: ((200 if holds() else 503), "application/json", json.dumps({word: holds()}).encode())

    pages = {
        "/metrics": lambda: (200, METRICS, text()),
        "/healthz": whether("live", lambda: True),
        "/readyz": whether("ready", ready),
    }
    try:
        server = ThreadingHTTPServer((host, port), type("Handler", (_Handler,), {"pages": pages}))
    except OSError as error:
        raise errors.Misconfigured(
            f"cannot listen on {host}:{port}: {error.strerror}; name another port with --port"
        ) from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="metrics")
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    pages: Mapping[str, Page]
    timeout = PATIENCE_SECONDS

    def do_GET(self) -> None:
        page = self.pages.get(self.path.partition("?")[0])
        if page is None:
            self._answer(404, "application/json", b'{"error": "there is nothing at this address; try /metrics"}')
        else:
            self._answer(*page())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a line for each scrape says nothing."""
