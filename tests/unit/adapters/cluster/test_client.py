"""Which cluster is meant, and what its refusals are in Argosy's words."""

import json
from pathlib import Path

import pytest
import urllib3
from kubernetes.client.exceptions import ApiException

from argosy import errors
from argosy.adapters.cluster import client

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
clusters: [{name: c, cluster: {server: "https://cluster.example"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: here, context: {cluster: c, user: u}}]
"""


def test_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By KUBECONFIG; nothing is asked of it yet. A context that it does not have is said, with the file."""
    path = tmp_path / "config"
    path.write_text(KUBECONFIG, encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(path))
    assert client.connect().configuration.host == "https://cluster.example"
    with pytest.raises(errors.Misconfigured, match="there"):
        client.connect("there")


@pytest.mark.parametrize("in_pod", [pytest.param(True, id="pod"), pytest.param(False, id="elsewhere")])
def test_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_pod: bool) -> None:
    """In a pod its own cluster is meant, by its account's token; elsewhere the file that is missing is named."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    if in_pod:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(errors.Misconfigured, match="Service token file" if in_pod else str(tmp_path / "none")):
        client.connect()


def refused(status: int, message: str = "no") -> ApiException:
    """An answer of the API server."""
    error = ApiException(status=status, reason="reason")
    error.body = json.dumps({"message": message})
    return error


@pytest.mark.parametrize(
    ("failure", "kind", "said"),
    [
        pytest.param(
            refused(401), errors.Misconfigured, "expired or wrong; log in again, so that .* new", id="unknown-token"
        ),
        pytest.param(
            refused(403, "pods is forbidden"), errors.Misconfigured, "pods is forbidden; mend it", id="forbidden"
        ),
        pytest.param(refused(404), errors.Misconfigured, "no such thing", id="not-there"),
        pytest.param(refused(409), errors.TryAgain, "fails", id="conflict"),
        pytest.param(refused(429), errors.TryAgain, "fails", id="too-many"),
        pytest.param(refused(503), errors.TryAgain, "fails", id="down"),
        pytest.param(refused(422, "bad spec"), errors.Misconfigured, "refuses: bad spec", id="invalid"),
        pytest.param(urllib3.exceptions.ProtocolError("x"), errors.TryAgain, "cannot be reached", id="cut-off"),
        pytest.param(ConnectionRefusedError(), errors.TryAgain, "cannot be reached", id="refused"),
    ],
)
def test_refusals(failure: Exception, kind: type[errors.ArgosyError], said: str) -> None:
    """Whether a retry can help decides the class; what was being done is in the message."""
    with pytest.raises(kind, match=f"looking: .*{said}"), client.reported("looking", "mend it"):
        raise failure


def test_an_answer_that_is_no_json() -> None:
    """A proxy's page is not shown; its status is enough."""
    error = ApiException(status=502, reason="Bad Gateway")
    error.body = "<html>"
    assert client.said(error) == "Bad Gateway"
