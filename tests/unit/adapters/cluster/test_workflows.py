"""What becomes of a Workflow object when it is read and when it is to go on."""

import base64
import gzip
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from argosy import errors
from argosy.adapters.cluster import workflows
from argosy.adapters.cluster.workflows import ClusterWorkflows

NODES = {"w-1": {"id": "w-1", "name": "w.a", "displayName": "a", "type": "Suspend", "phase": "Running"}}


def _refused(monkeypatch: pytest.MonkeyPatch, status: int, body: str) -> ClusterWorkflows:
    """A namespace of a cluster that answers every read with *status* and *body*."""
    error = ApiException(status=status, reason="Refused")
    error.body = body

    def refuse(*_arguments: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(client.CustomObjectsApi, "get_namespaced_custom_object", refuse)
    return ClusterWorkflows("team", api=client.ApiClient(client.Configuration()))


def test_packed_nodes_are_unpacked() -> None:
    """Of a large workflow the controller keeps the nodes as gzip in base64."""
    packed = base64.b64encode(gzip.compress(json.dumps(NODES).encode())).decode()
    found = workflows._unpacked({"metadata": {"name": "w"}, "status": {"phase": "Running", "compressedNodes": packed}})
    assert found["status"]["nodes"] == NODES


def test_nodes_elsewhere_are_said() -> None:
    """Of a very large one they are in the controller's database, which no client of the API server reads."""
    with pytest.raises(errors.Misconfigured, match=r"in the controller's database; `argo get`"):
        workflows._unpacked({"metadata": {"name": "w"}, "status": {"offloadNodeStatusVersion": "fnv:1"}})


def test_going_on_after_a_suspension() -> None:
    """What was suspended is not, and nothing else of the workflow changes."""
    before = {"metadata": {"name": "w"}, "spec": {"suspend": True, "entrypoint": "m"}, "status": {"nodes": {}}}
    assert workflows._resumed(before) == {**before, "spec": {"entrypoint": "m"}}


def test_going_on_at_a_step_that_waits() -> None:
    """The step is done, with the defaults of what it would have been told; others stay as they are."""
    waiting = {
        **NODES["w-1"],
        "outputs": {"parameters": [{"name": "answer", "valueFrom": {"supplied": {}, "default": "yes"}}]},
    }
    other = {**NODES["w-1"], "id": "w-2", "type": "Pod"}
    after = workflows._resumed(
        {"metadata": {"name": "w"}, "spec": {}, "status": {"nodes": {"w-1": waiting, "w-2": other}}}
    )
    done = after["status"]["nodes"]["w-1"]
    assert (done["phase"], done["outputs"]["parameters"]) == ("Succeeded", [{"name": "answer", "value": "yes"}])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", done["finishedAt"])
    assert after["status"]["nodes"]["w-2"] == other


def test_a_step_that_waits_for_a_value() -> None:
    """Nobody can answer in its place."""
    node = {**NODES["w-1"], "outputs": {"parameters": [{"name": "answer", "valueFrom": {"supplied": {}}}]}}
    with pytest.raises(errors.UsageError, match="a waits for a value of 'answer'"):
        workflows._resumed({"metadata": {"name": "w"}, "spec": {}, "status": {"nodes": {"w-1": node}}})


def test_answering_a_step_that_waits() -> None:
    """The step that is named is done with what it was given and defaults for the rest; another that waits goes on waiting."""
    asked = [
        {"name": "answer", "valueFrom": {"supplied": {}}},
        {"name": "why", "valueFrom": {"supplied": {}, "default": "none"}},
    ]
    waiting = {**NODES["w-1"], "outputs": {"parameters": asked}}
    other = {**NODES["w-1"], "id": "w-2", "name": "w.b"}
    packed = base64.b64encode(gzip.compress(json.dumps({"w-1": waiting, "w-2": other}).encode())).decode()
    before = {"metadata": {"name": "w"}, "spec": {"suspend": True}, "status": {"compressedNodes": packed}}
    after = workflows._answered(before, "w.a", {"answer": "42"}, "approved by me")
    assert after["spec"] == before["spec"]
    assert "compressedNodes" not in after["status"]
    done = after["status"]["nodes"]["w-1"]
    assert (done["phase"], done["message"]) == ("Succeeded", "approved by me")
    assert done["outputs"]["parameters"] == [{"name": "answer", "value": "42"}, {"name": "why", "value": "none"}]
    assert after["status"]["nodes"]["w-2"] == other
    assert workflows._answered(before, "w.c", {}, "") == before


@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        pytest.param(
            403, '{"message": "workflows is forbidden"}', errors.Misconfigured, "does not allow it", id="no-right"
        ),
        pytest.param(401, "{}", errors.Misconfigured, "does not know us", id="expired-token"),
        pytest.param(404, "404 page not found", errors.Misconfigured, "Argo Workflows is not installed", id="no-argo"),
        pytest.param(404, '{"reason": "NotFound"}', errors.Misconfigured, "apply --server-side", id="no-template"),
        pytest.param(503, "{}", errors.TryAgain, "fails", id="down"),
    ],
)
def test_what_a_cluster_refuses(
    monkeypatch: pytest.MonkeyPatch, status: int, body: str, kind: type[errors.ArgosyError], told: str
) -> None:
    """One line that says whose turn it is."""
    with pytest.raises(kind, match=told):
        _refused(monkeypatch, status, body).template("flower")


def test_retrying_needs_argo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named with where to get it."""
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(errors.Misconfigured, match="`argo` is not installed"):
        _refused(monkeypatch, 500, "").retry("w", [])


def test_what_argo_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last line is passed on, with the command."""
    done = subprocess.CompletedProcess([], 1, stdout="", stderr="x\nFATA workflow must be Failed\n")
    monkeypatch.setattr(workflows.shutil, "which", lambda _name: "argo")
    monkeypatch.setattr(workflows.subprocess, "run", lambda *_args, **_more: done)
    with pytest.raises(errors.UsageError, match="argo --namespace team retry w` refused: FATA workflow must be Failed"):
        _refused(monkeypatch, 500, "").retry("w", [])


class Chunks:
    """A response that comes in pieces."""

    def stream(self) -> Iterator[bytes]:
        """The pieces."""
        yield from (b"one\ntw", b"o\n", b"thr", b"ee")


def test_lines_of_a_log_that_comes_in_pieces() -> None:
    """A line is told whole, and the last one without its end too."""
    assert list(workflows._lines(Chunks())) == ["one", "two", "three"]


def test_a_kubeconfig_that_is_no_yaml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file is named; what is in it, which may be a token, is not."""
    broken = tmp_path / "config"
    broken.write_text("users: [{token: s3cret]", encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(broken))
    with pytest.raises(errors.Misconfigured, match="which is not YAML") as caught:
        ClusterWorkflows("team")
    assert "s3cret" not in str(caught.value)
