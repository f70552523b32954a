"""What goes wrong between us and a server of pull requests: one line each, with what to do; nothing is done twice."""

import contextlib
import datetime
import http.server
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.adapters.hosted_forge import github
from argosy.adapters.hosted_forge.gitea import GiteaHost
from argosy.adapters.hosted_forge.host import Host
from argosy.adapters.hosted_forge.promotion_pulls import HostedForge
from argosy.testing.forge_contract import TEMPLATE, merge, opened, proposal
from kit.certificates import write_certificate
from kit.fake_github import FakeGithub

SECRET = "a-secret-token"
BRANCH = {"name": "main", "commit": {"sha": "1" * 40, "id": "1" * 40}}
Made = Callable[[str], Host]
Step = tuple[int, Any, dict[str, str]]


def _github(address: str) -> Host:
    return github.of_token("owner/name", SECRET, api=address, patience=0.0)


def _gitea(address: str) -> Host:
    return GiteaHost(address, "owner/name", SECRET, patience=0.0)


@pytest.fixture(params=[_github, _gitea], ids=["github", "gitea"])
def made(request: pytest.FixtureRequest) -> Made:
    """Makes the host of a server at an address."""
    chosen: Made = request.param
    return chosen


class Scripted:
    """A server that gives one answer after the other, the last one for ever; what it was asked is kept."""

    def __init__(self, *steps: Step, certificate: Path | None = None) -> None:
        self.asked: list[str] = []
        scripted = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _serve(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                scripted.asked.append(self.command)
                status, body, headers = steps[min(len(scripted.asked), len(steps)) - 1]
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            do_GET = do_POST = do_CONNECT = do_PATCH = _serve  # noqa: N815 - names that http.server looks for

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client that hangs up on a certificate is what is tested."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.address = f"{scheme}://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}).start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def scripted(*steps: Step, certificate: Path | None = None) -> Iterator[Scripted]:
    """One, for as long as a block lasts."""
    server = Scripted(*steps, certificate=certificate)
    try:
        yield server
    finally:
        server.stop()


def refused(made: Made, server: Scripted, kind: type[errors.ArgosyError], said: str, *, write: bool = False) -> str:
    """The one line of what a call to *server* ends with."""
    host = made(server.address)
    with pytest.raises(kind, match=said) as raised:
        host.open("promote/toy", "Promote", "text") if write else host.main()
    text = str(raised.value)
    assert "\n" not in text
    assert SECRET not in text
    return text


@pytest.mark.parametrize("status", [429, 403])
def test_a_limit_is_waited_out(made: Made, status: int) -> None:
    """Where the server says how long, also for a write: what was refused for a limit was not done."""
    limited: Step = (status, {"message": "You have exceeded a secondary rate limit"}, {"Retry-After": "0"})
    with scripted(limited, limited, (200, BRANCH, {})) as server:
        assert made(server.address).main() == "1" * 40
        assert server.asked == ["GET", "GET", "GET"]


def test_a_limit_that_never_ends(made: Made) -> None:
    """After a few times it is left to whoever retries the step."""
    with scripted((429, {"message": "Too many requests"}, {"Retry-After": "0"})) as server:
        refused(made, server, errors.TryAgain, "try again", write=True)
        assert server.asked == ["POST"] * 4


def test_a_limit_for_an_hour(made: Made) -> None:
    """Nobody sleeps for that long; the line says for how long."""
    with scripted((429, {"message": "Too many requests"}, {"Retry-After": "3600"})) as server:
        refused(made, server, errors.TryAgain, "3600 seconds")
        assert server.asked == ["GET"]


def test_the_hourly_limit_of_github() -> None:
    """It names the moment at which it ends in a header of its own."""
    at = datetime.datetime(2026, 1, 1, 14, 30, tzinfo=datetime.UTC)
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(at.timestamp()))}
    with scripted((403, {"message": "API rate limit exceeded for installation ID 7."}, headers)) as server:
        refused(_github, server, errors.TryAgain, "rate limit is reached.*try again after 14:30 UTC")
        assert server.asked == ["GET"]


def test_a_no_is_no_limit(made: Made) -> None:
    """What the token may not do is not asked again; the line names the rights."""
    with scripted((403, {"message": "Resource not accessible"}, {})) as server:
        refused(made, server, errors.Misconfigured, "The token needs .*read and write")
        assert server.asked == ["GET"]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_failure_is_never_repeated_by_itself(made: Made, status: int) -> None:
    """It may have done what was asked; the step is retried as a whole, and looks first."""
    with scripted((status, {"message": "Server Error"}, {"Retry-After": "0"})) as server:
        refused(made, server, errors.TryAgain, "fails: .*try again", write=True)
        assert server.asked == ["POST"]


def test_a_token_that_ended(made: Made) -> None:
    """Said by the name of the setting."""
    with scripted((401, {"message": "Bad credentials"}, {})) as server:
        refused(made, server, errors.Misconfigured, "refuses ARGOSY_FORGE_TOKEN.*make a new one")


def test_a_server_that_moved() -> None:
    """Nothing is written to where an answer leads; the line says where that is."""
    with scripted((301, None, {"Location": "https://elsewhere.example/api/v1/repos/o/n"})) as server:
        refused(_gitea, server, errors.Misconfigured, "elsewhere.example.*into ARGOSY_FORGE_URI", write=True)
        assert server.asked == ["POST"]


def test_an_enterprise_server_under_another_name() -> None:
    """What it is called in its own answers is where calls go; under an alias they would go nowhere, or elsewhere."""
    pull = {"number": 1, "issue_url": "https://git.acme.example/api/v3/repos/owner/name/issues/1"}
    with scripted((200, pull, {})) as server:
        with pytest.raises(errors.Misconfigured, match=r"calls itself git\.acme\.example .*ARGOSY_FORGE_URI"):
            _github(server.address).label(1, ["promotion"])
        assert server.asked == ["GET"]


def test_a_certificate_that_is_not_trusted(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the setting that trusts it, and that setting does."""
    certificate = write_certificate(tmp_path)
    with scripted((200, BRANCH, {}), certificate=certificate) as server:
        refused(made, server, errors.Misconfigured, "is not trusted: set ARGOSY_CA_BUNDLE")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert made(server.address).main() == "1" * 40
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "mistyped.pem"))
        refused(made, server, errors.Misconfigured, "REQUESTS_CA_BUNDLE names no file")


def test_a_proxy_that_wants_a_password(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the setting; the password that it holds is not repeated."""
    with scripted((407, {}, {"Proxy-Authenticate": "Basic"})) as proxy, scripted((200, BRANCH, {})) as server:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address.replace("//", "//ada:wrong-password@"))
        monkeypatch.delenv("NO_PROXY", raising=False)
        server.address = "https://forge.example"
        assert "wrong-password" not in refused(made, server, errors.Misconfigured, "wants another user or password")


def test_a_proxy_that_is_down(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may come back."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with scripted((200, BRANCH, {})) as server:
        server.address = "https://forge.example"
        refused(made, server, errors.TryAgain, "proxy that HTTPS_PROXY names")


@pytest.fixture
def fake() -> Iterator[FakeGithub]:
    """A GitHub that knows one repository."""
    made = FakeGithub(TEMPLATE)
    yield made
    made.stop()


def test_a_rule_of_main_forbids_the_merge(fake: FakeGithub) -> None:
    """Trying again does not help: the line says what main's rules want, and where it is to be seen to."""
    forge = HostedForge(_github(fake.api))
    opened(forge, proposal("a"))
    said = "Repository rule violations found\n\nAt least 1 approving review is required by reviewers with write access.\n\n"
    fake.fault = lambda _method, path, _count: (405, {"message": said}) if path.endswith("/merge") else None
    with pytest.raises(errors.Rejected, match=r"At least 1 approving review .* see to it at https://\S+/pull/1"):
        merge(forge, 1)


def test_a_rule_forbids_the_branch(fake: FakeGithub) -> None:
    """What GitHub answers then is what it answers where a branch is there already; no branch is moved for it."""
    forge = HostedForge(_github(fake.api))
    answer = (
        422,
        {
            "message": "Repository rule violations found",
            "errors": ["Cannot create ref due to creations being restricted."],
        },
    )
    fake.fault = lambda method, path, _count: answer if (method, path) == ("POST", "/git/refs") else None
    with pytest.raises(errors.Misconfigured, match="creations being restricted"):
        forge.propose(proposal("a"))
    assert not [line for line in fake.seen if line.startswith("PATCH")]
    assert forge.requests() == []


@pytest.mark.parametrize("lost", ["PATCH /pulls/1", "POST /issues/1/comments"])
def test_a_close_whose_answer_is_lost(fake: FakeGithub, lost: str) -> None:
    """It is closed once, with its first reason, and told once at most."""
    forge = HostedForge(_github(fake.api))
    opened(forge, proposal("a"))
    start = len(fake.seen)
    forge.close(1, by="ada", reason="no")
    calls = fake.seen[start:]
    forge.reopen(1, by="ada")
    fake.store.comments.clear()
    fake.lost = {len(fake.seen) + calls.index(lost)}
    with pytest.raises(errors.TryAgain, match="what it may have done is found"):
        forge.close(1, by="ada", reason="not now")
    closed = forge.close(1, by="ben", reason="another")
    assert (closed.ended_by, closed.reason) == ("ada", "not now")
    assert len(fake.store.comments.get(1, [])) <= 1


def test_a_merge_whose_answer_is_lost(fake: FakeGithub) -> None:
    """The next attempt finds it merged; main has it once."""
    forge = HostedForge(_github(fake.api))
    request = opened(forge, proposal("a"))
    at = forge.head()

    def lose(_method: str, path: str, count: int) -> None:
        if path.endswith("/merge"):
            fake.lost = {count}

    fake.fault = lose
    with pytest.raises(errors.TryAgain, match="what it may have done is found"):
        forge.merge(1, head=request.head, by="ada", at=at)
    main = forge.head()
    assert main != at
    assert forge.merge(1, head=request.head, by="ada", at=main).state == "merged"
    assert forge.head() == main
