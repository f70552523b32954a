"""Requests of ``http`` templates: what is sent, what an answer means, and the words of Go's client where none comes."""

import asyncio
import contextlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy.argo import Phase
from argosy.engine.attempts.web import LONGEST_BODY, HttpRequest
from argosy.engine.effects import PodResult
from argosy.engine.manifest.model import HTTPTemplate


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it was sent, or as its path says."""

    waits = threading.Event()

    def do_GET(self) -> None:
        """Answer."""
        if self.path == "/late":
            self.waits.wait(5)
        self.send_response(307 if self.path == "/round" else 200)
        if self.path == "/round":
            self.send_header("Location", "/round")
        self.end_headers()
        told = " ".join(f"{name}={self.headers[name]}" for name in ("Host", "X-Key", "Content-Type", "User-Agent"))
        if self.path.endswith("/keys"):
            told = f"{self.path} {self.headers['Authorization']} {self.headers['Proxy-Authorization']}"
        with contextlib.suppress(OSError):  # whoever asked has gone
            self.wfile.write(b"x" * (LONGEST_BODY + 1) if self.path == "/long" else told.encode())

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
        """Nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    """A server's address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    Echo.waits.clear()
    yield f"http://127.0.0.1:{server.server_port}"
    Echo.waits.set()
    server.shutdown()
    server.server_close()
    thread.join()


def ask(template: dict[str, Any], patience: float | None = None) -> PodResult | None:
    """The result of one template."""
    return asyncio.run(HttpRequest(HTTPTemplate(template), {"key": {"word": "hidden"}}).run(patience))


def test_what_is_sent(address: str) -> None:
    """Headers of the manifest, one of them from a Secret, the host among them; none that it does not name."""
    headers = [
        {"name": "host", "value": "elsewhere"},
        {"name": "X-Key", "valueFrom": {"secretKeyRef": {"name": "key", "key": "word"}}},
    ]
    result = ask({"url": address, "headers": headers})
    assert result is not None
    assert result.outputs.result == "Host=elsewhere X-Key=hidden Content-Type=None User-Agent=None"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        pytest.param({"url": "/late", "timeoutSeconds": 0.2}, "context deadline exceeded", id="no-answer-in-time"),
        pytest.param({"url": "/round"}, "stopped after 10 redirects", id="redirected-without-end"),
        pytest.param({"url": "/long"}, "more than 1048576 bytes", id="answer-too-long"),
        pytest.param({"url": "/", "successCondition": "1 +"}, "unable to evaluate expression '1 +'", id="no-condition"),
        pytest.param({"url": "/", "successCondition": "'x'"}, "'x' to bool", id="condition-of-no-truth"),
        pytest.param({"url": "/", "bodyFrom": {"bytes": "?"}}, "base64|padding", id="body-that-is-no-base64"),
        pytest.param(
            {"url": "/", "headers": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "none", "key": "k"}}}]},
            "Secret 'none' has no key 'k'",
            id="secret-that-is-not-there",
        ),
    ],
)
def test_why_it_failed(address: str, template: dict[str, Any], message: str) -> None:
    """Whatever goes wrong is a failure of the step, with a reason."""
    result = ask({**template, "url": address + template["url"]})
    assert result is not None
    assert result.phase is Phase.FAILED
    assert any(words in result.message.replace('"', "'") for words in message.split("|"))


def test_passwords_of_the_user_stay_here(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``~/.netrc`` has for the host is the user's, and not for a manifest; a header of the manifest's own is sent all the same."""
    own = tmp_path / "netrc"
    own.write_text("machine 127.0.0.1 login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(own))
    result = ask({"url": f"{address}/keys"})
    assert result is not None
    assert result.outputs.result == "/keys None None"
    result = ask({"url": f"{address}/keys", "headers": [{"name": "Authorization", "value": "Bearer mine"}]})
    assert result is not None
    assert result.outputs.result == "/keys Bearer mine None"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        pytest.param("http://elsewhere.example/keys", "http://elsewhere.example/keys None Basic bWU6eA==", id="by-it"),
        pytest.param("HERE/keys", "/keys None None", id="not-for-that-host"),
    ],
)
def test_the_proxy_of_the_surroundings(address: str, monkeypatch: pytest.MonkeyPatch, url: str, told: str) -> None:
    """Is asked, with the password that its address holds, but for the hosts that are excepted."""
    monkeypatch.setenv("http_proxy", address.replace("http://", "http://me:x@"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    result = ask({"url": url.replace("HERE", address)})
    assert result is not None
    assert result.outputs.result == told


def test_nobody_listens() -> None:
    """A connection that is refused is told in the words that make it a transient error."""
    result = ask({"url": "http://127.0.0.1:9/x"})
    assert result is not None
    assert result.message == 'Get "http://127.0.0.1:9/x": dial tcp 127.0.0.1:9: connect: connection refused'


def test_it_can_be_given_up(address: str) -> None:
    """A deadline of the step ends it, whatever the server does."""
    assert ask({"url": f"{address}/late"}, patience=0.1) is None
