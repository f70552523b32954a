"""Artifacts behind URLs."""

from pathlib import Path

import pytest

from argosy.engine.artifacts import urls
from argosy.engine.artifacts.failures import ArtifactFailure, ArtifactMissing
from argosy.engine.manifest.artifact_model import HTTPArtifact
from kit.web_server import Answer, web_server

SECRETS = {"who": {"user": "ada", "word": "s3cret", "token": "TOKEN-URL"}}
BASIC = {
    "basicAuth": {"usernameSecret": {"name": "who", "key": "user"}, "passwordSecret": {"name": "who", "key": "word"}}
}


def test_what_is_there_is_loaded(tmp_path: Path) -> None:
    """The body is the artifact; headers and the name and password are sent."""
    with web_server({"/it": Answer(b"content")}) as web:
        urls.load(
            HTTPArtifact({"url": f"{web.url}/it", "headers": [{"name": "X-Own", "value": "1"}], "auth": BASIC}),
            tmp_path / "it",
            SECRETS,
        )
    assert (tmp_path / "it").read_bytes() == b"content"
    assert web.asked[0].headers["X-Own"] == "1"
    assert web.asked[0].headers["Authorization"] == "Basic YWRhOnMzY3JldA=="


def test_a_token_is_asked_for(tmp_path: Path) -> None:
    """OAuth's client credentials: the token's URL is one of the secrets."""
    with web_server({"/token": Answer(b'{"access_token": "abc"}'), "/it": Answer(b"content")}) as web:
        secrets = {"who": {**SECRETS["who"], "token": f"{web.url}/token"}}
        selectors = {"clientIDSecret": "user", "clientSecretSecret": "word", "tokenURLSecret": "token"}
        auth = {
            "oauth2": {name: {"name": "who", "key": key} for name, key in selectors.items()}
            | {"scopes": ["read", "all"]}
        }
        urls.load(HTTPArtifact({"url": f"{web.url}/it", "auth": auth}), tmp_path / "it", secrets)
    assert [asked.path for asked in web.asked] == ["/token", "/it"]
    assert web.asked[0].body == b"grant_type=client_credentials&scope=read+all"
    assert web.asked[1].headers["Authorization"] == "Bearer abc"


def test_a_redirect_is_followed_without_the_password(tmp_path: Path) -> None:
    """Where the server points elsewhere, what opens it stays behind."""
    answers = {"/new": Answer(b"content")}
    with web_server(answers) as other, web_server({"/it": Answer(status=302, location=f"{other.url}/new")}) as web:
        urls.load(HTTPArtifact({"url": f"{web.url}/it", "auth": BASIC}), tmp_path / "it", SECRETS)
    assert (tmp_path / "it").read_bytes() == b"content"
    assert "Authorization" not in other.asked[0].headers


def test_a_file_is_put(tmp_path: Path) -> None:
    """Saving is a PUT of the whole file."""
    (tmp_path / "it").write_bytes(b"made")
    with web_server({"/it": Answer()}) as web:
        urls.save(HTTPArtifact({"url": f"{web.url}/it"}), tmp_path / "it", {})
    assert (web.asked[0].method, web.asked[0].body) == ("PUT", b"made")


@pytest.mark.parametrize(
    ("location", "kind", "message"),
    [
        pytest.param({"url": "URL/gone"}, ArtifactMissing, "404", id="not-there"),
        pytest.param({"url": "URL/broken"}, ArtifactFailure, "broken failed with reason: 503", id="server-error"),
        pytest.param({"url": "http://127.0.0.1:1/it"}, ArtifactFailure, "Connection refused", id="nobody-answers"),
        pytest.param({"url": "file:///etc/passwd"}, ArtifactFailure, "not an http or https URL", id="file"),
        pytest.param({"url": "http://[oops/it"}, ArtifactFailure, "Invalid IPv6 URL|oops", id="no-url"),
        pytest.param({"url": "URL/it\r\nX: 1"}, ArtifactFailure, "not an http or https URL", id="header-smuggled"),
        pytest.param({"url": "URL/it", "auth": BASIC}, ArtifactFailure, "Secret 'who' has no key 'user'", id="secret-unknown"),
    ],
)  # fmt: skip
def test_each_failure_is_one_error(
    location: dict[str, object], kind: type[ArtifactFailure], message: str, tmp_path: Path
) -> None:
    """What went wrong, where."""
    with web_server({"/broken": Answer(status=503), "/it": Answer(b"x")}) as web:
        location = {**location, "url": str(location["url"]).replace("URL", web.url)}
        with pytest.raises(kind, match=message):
            urls.load(HTTPArtifact(location), tmp_path / "it", {})
