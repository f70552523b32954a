"""A GitHub App's tokens: for one repository and two rights, made when they are needed and replaced before they end."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from argosy import errors
from argosy.adapters.hosted_forge import github, github_app
from argosy.adapters.hosted_forge.github_app import InstallationToken

MADE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEY = MADE.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()


class Apps:
    """The part of GitHub that gives apps their tokens."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any, str]] = []
        """Path, body and who asks, oldest first."""
        self.instead: dict[str, tuple[int, Any]] = {}
        """Answers by the end of a path."""
        apps = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                given = json.loads(self.rfile.read(length)) if length else None
                status, body = apps.answer(self.path, given, self.headers["Authorization"])
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            do_GET = do_POST = _serve  # noqa: N815 - names that http.server looks for

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.api = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}).start()

    def answer(self, path: str, given: Any, who: str) -> tuple[int, Any]:
        """One answer."""
        self.asked.append((path, given, who))
        for end, instead in self.instead.items():
            if path.endswith(end):
                return instead
        if path == "/repos/acme/environment/installation":
            return 200, {"id": 7}
        minted = len([one for one in self.asked if one[0].endswith("/access_tokens")])
        return 201, {"token": f"ghs_{minted}", "expires_at": "2026-01-01T01:00:00Z"}

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def apps() -> Iterator[Apps]:
    """Running."""
    made = Apps()
    yield made
    made.stop()


def token(apps: Apps, now: list[float], key: str = KEY) -> InstallationToken:
    """The token of an app whose clock shows the last of *now*."""
    return InstallationToken("acme/environment", "12345", key, api=apps.api, clock=lambda: now[-1])


def test_a_token_may_do_two_things_in_one_repository(apps: Apps) -> None:
    """Whatever the app may do elsewhere; it is asked for in the app's name, for ten minutes at most."""
    made = token(apps, [0.0])
    assert apps.asked == []
    assert (made.token, made.token_type) == ("ghs_1", "token")
    (_, _, who), (path, wanted, _) = apps.asked
    assert path == "/app/installations/7/access_tokens"
    assert wanted == {
        "repositories": ["environment"],
        "permissions": {"contents": "write", "pull_requests": "write"},
    }
    claims = jwt.decode(who.removeprefix("Bearer "), MADE.public_key(), algorithms=["RS256"])
    assert claims["iss"] == "12345"
    assert claims["exp"] - claims["iat"] <= 600


def test_a_token_is_replaced_before_it_ends(apps: Apps) -> None:
    """One serves for most of its hour; a step that takes longer gets the next one."""
    now = [0.0]
    made = token(apps, now)
    for moment, expected in ((0.0, "ghs_1"), (2879.0, "ghs_1"), (2881.0, "ghs_2"), (5000.0, "ghs_2")):
        now.append(moment)
        assert made.token == expected


def test_a_token_that_github_takes_no_more_is_made_anew(apps: Apps) -> None:
    """Revoked, or ended while a laptop slept."""
    made = token(apps, [0.0])
    assert made.token == "ghs_1"
    made.forget()
    assert made.token == "ghs_2"


def test_who_meets_a_token_that_ended_goes_on_with_a_new_one(apps: Apps) -> None:
    """One attempt fails for it, and the next is made with another: a step that is retried ends well."""
    host = github.of_app("acme/environment", "12345", KEY, api=apps.api, patience=0.0)
    apps.instead["/branches/main"] = 401, {"message": "Bad credentials"}
    with pytest.raises(
        errors.TryAgain, match="takes the app's token no more: it was revoked, or ended early; try again"
    ):
        host.main()
    apps.instead["/branches/main"] = 200, {"name": "main", "commit": {"sha": "1" * 40}}
    assert host.main() == "1" * 40
    assert [who for path, _, who in apps.asked if path.endswith("/branches/main")] == ["token ghs_1", "token ghs_2"]


@pytest.mark.parametrize(
    ("end", "status", "kind", "said"),
    [
        pytest.param("/installation", 401, errors.Misconfigured, "not of one app, or this machine's clock", id="wrong-key"),
        pytest.param("/installation", 404, errors.Misconfigured, "not installed on acme/environment", id="not-installed"),
        pytest.param("/access_tokens", 422, errors.Misconfigured, "must be allowed contents and pull", id="rights"),
        pytest.param("/access_tokens", 502, errors.TryAgain, "gives the app no token: 502; try again", id="server-error"),
    ],
)  # fmt: skip
def test_an_app_that_gets_no_token(
    apps: Apps, end: str, status: int, kind: type[errors.ArgosyError], said: str
) -> None:
    """Each says in a line what to mend."""
    apps.instead[end] = status, {"message": "no"}
    with pytest.raises(kind, match=said) as raised:
        _ = token(apps, [0.0]).token
    assert "\n" not in str(raised.value)


def test_a_key_that_is_none(apps: Apps) -> None:
    """It is not repeated: half of a key is a secret too."""
    with pytest.raises(errors.Misconfigured, match="ARGOSY_FORGE_APP_KEY is no private key") as raised:
        _ = token(apps, [0.0], KEY[:-60]).token
    assert KEY[40:60] not in str(raised.value)
    assert apps.asked == []


def test_rights_are_no_more_than_two() -> None:
    """Whoever adds one gives it to every step that opens requests."""
    assert github_app.RIGHTS == {"contents": "write", "pull_requests": "write"}
