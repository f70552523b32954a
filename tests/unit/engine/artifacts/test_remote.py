"""Artifacts by their location."""

from pathlib import Path

import pytest

from argosy.engine.artifacts.failures import ArtifactFailure
from argosy.engine.artifacts.remote import Remote
from argosy.engine.manifest.artifact_model import Artifact
from kit.web_server import Answer, web_server

SECRETS = {"who": {"user": "ada", "word": "s3cret"}}


def test_artifactory_is_the_web_with_a_password(tmp_path: Path) -> None:
    """Loaded with GET and unpacked, saved with PUT as it is archived."""
    (tmp_path / "it").write_text("made", encoding="utf-8")
    remote = Remote(tmp_path / "bucket", SECRETS)
    with web_server({"/it": Answer(b"content")}) as web:
        keys = {
            f"{name}Secret": {"name": "who", "key": key} for name, key in (("username", "user"), ("password", "word"))
        }
        artifact = {"archive": {"none": {}}, "artifactory": {"url": f"{web.url}/it", **keys}}
        remote.load(Artifact(artifact), tmp_path / "got")
        remote.save(Artifact(artifact), tmp_path / "it")
    assert (tmp_path / "got").read_text(encoding="utf-8") == "content"
    assert [(asked.method, asked.body) for asked in web.asked] == [("GET", b""), ("PUT", b"made")]
    assert {asked.headers["Authorization"] for asked in web.asked} == {"Basic YWRhOnMzY3JldA=="}


@pytest.mark.parametrize(
    ("artifact", "message"),
    [
        pytest.param({"git": {"repo": "x"}}, "git output artifacts unsupported", id="git"),
        pytest.param(
            {"http": {"url": "http://x"}, "archive": {"none": {}}}, "a folder cannot be saved", id="folder-to-url"
        ),
        pytest.param({"s3": {"key": "../x"}}, "is not a plain path", id="key-outside"),
    ],
)
def test_what_cannot_be_saved(artifact: dict[str, object], message: str, tmp_path: Path) -> None:
    """One error each."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(ArtifactFailure, match=message):
        Remote(tmp_path / "bucket", {}).save(Artifact(artifact), tmp_path / "folder")


def test_only_buckets_delete(tmp_path: Path) -> None:
    """As with the controller, what lies behind a URL stays."""
    with pytest.raises(ArtifactFailure, match="http artifacts cannot be deleted"):
        Remote(tmp_path, {}).delete(Artifact({"http": {"url": "http://x"}}))
