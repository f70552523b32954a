"""What is said of pods that wait, and when waiting ends."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy_kind import kube
from argosy_kind.kube import Kubectl
from kind_cluster.conftest import FakeCluster

PULL = {"reason": "ErrImageNeverPull", "message": "Container image is not present"}


def pod(name: str, **status: Any) -> dict[str, Any]:
    """A pod."""
    return {"metadata": {"name": name}, "status": status}


def container(name: str, state: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The status of a container."""
    return {"name": name, "state": state, "ready": False, **more}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param(
            pod(
                "p",
                conditions=[
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "Insufficient cpu",
                    }
                ],
            ),
            "pod p waits for a node: Insufficient cpu",
            id="no-node",
        ),
        pytest.param(
            pod("p", containerStatuses=[container("c", {"waiting": PULL})]),
            "pod p/c waits: ErrImageNeverPull Container image is not present",
            id="no-image",
        ),
        pytest.param(
            pod(
                "p",
                initContainerStatuses=[
                    container(
                        "i", {"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": {"exitCode": 3}}
                    )
                ],
            ),
            "pod p/i waits: CrashLoopBackOff (it ended with 3)",
            id="ends-again-and-again",
        ),
    ],
)
def test_which_pod_waits_for_what(found: dict[str, Any], said: str) -> None:
    """In one line a pod."""
    assert [line for _, line in kube.what_waits(found)] == [said]


def test_a_pod_that_runs_waits_for_nothing() -> None:
    """Nor does one whose containers wait for their init containers, which are told of themselves."""
    assert list(kube.what_waits(pod("p", containerStatuses=[container("c", {"running": {}})]))) == []
    waits = container("c", {"waiting": {"reason": "PodInitializing"}})
    assert list(kube.what_waits(pod("p", containerStatuses=[waits]))) == []


def test_a_limit_names_what_is_waited_for(fake_cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the last line of what runs and is not ready."""
    monkeypatch.setattr(kube, "POLL", 0)
    pods = [pod("p", containerStatuses=[container("c", {"running": {}})])]
    fake_cluster.answers("get pods", {"items": pods})
    fake_cluster.answers("logs p", "starting\nno database answers\n")
    with pytest.raises(
        errors.TryAgain, match="toy: not within 0 s: pod p/c is not ready and says: no database answers"
    ):
        Kubectl("").wait_for("toy", lambda: False, 0, "argosy-services")


def test_a_moment_without_an_answer_ends_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training of half an hour is not given up for it; where it lasts, the last of it is said."""
    monkeypatch.setattr(kube, "POLL", 0)
    answers = iter([errors.TryAgain("the server is away"), "", "there"])

    def holds() -> str:
        answer = next(answers)
        if isinstance(answer, errors.TryAgain):
            raise answer
        return answer

    assert Kubectl("").wait_for("toy", holds, 60) == "there"
    answers = iter([errors.TryAgain("the server is away")])
    with pytest.raises(errors.TryAgain, match="toy: not within 0 s: the server is away"):
        Kubectl("").wait_for("toy", holds, 0)


def test_what_no_time_mends_ends_the_wait(fake_cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod that is about to be replaced has a moment; then its reason is said, long before the limit."""
    monkeypatch.setattr(kube, "POLL", 0)
    monkeypatch.setattr(kube, "PATIENCE", 0)
    fake_cluster.answers("get pods", {"items": [pod("p", containerStatuses=[container("c", {"waiting": PULL})])]})
    with pytest.raises(errors.Misconfigured, match="toy: pod p/c waits: ErrImageNeverPull"):
        Kubectl("").wait_for("toy", lambda: False, 3600, "argosy-services")


def test_a_file_that_brings_its_own_resource_types(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What needs them is applied once they are there; any other refusal ends it at once."""
    early = "error: resource mapping not found for kind X: no matches for kind; ensure CRDs are installed first"
    said = [(1, early), (1, early), (0, "")]
    asked: list[tuple[str, ...]] = []

    def attempt(self: Kubectl, *words: str, **_: object) -> "subprocess.CompletedProcess[str]":
        asked.append(words)
        code, err = said.pop(0)
        return subprocess.CompletedProcess(words, code, "", err)

    monkeypatch.setattr(kube, "POLL", 0)
    monkeypatch.setattr(Kubectl, "attempt", attempt)
    Kubectl("").apply_file(tmp_path / "install.yaml", "kserve", "us", 60)
    assert len(asked) == 3
    said[:] = [(1, "Error from server (Forbidden): you may not")]
    with pytest.raises(errors.TryAgain, match=r"kubectl apply install\.yaml: .*you may not"):
        Kubectl("").apply_file(tmp_path / "install.yaml", "kserve", "us", 60)
    said[:] = [(1, early)]
    with pytest.raises(errors.TryAgain, match="ensure CRDs"):
        Kubectl("").apply_file(tmp_path / "install.yaml", "kserve", "us", -1)


@pytest.mark.parametrize(
    ("counts", "done"),
    [
        pytest.param({"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}, True, id="all"),
        pytest.param({"replicas": 3, "updatedReplicas": 2, "readyReplicas": 2}, False, id="old-ones-are-left"),
        pytest.param({"replicas": 2, "updatedReplicas": 2, "readyReplicas": 1}, False, id="not-ready"),
        pytest.param(
            {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}, False, id="not-seen-yet"
        ),
        pytest.param({}, False, id="nothing-yet"),
    ],
)
def test_rolled_out(counts: dict[str, int], done: bool) -> None:
    """Every pod is of the newest template and ready, and the controller has seen that template."""
    workload = {"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": {"observedGeneration": 2, **counts}}
    assert kube.rolled_out(workload) is done


def test_a_kind_that_the_cluster_does_not_know(fake_cluster: FakeCluster) -> None:
    """Is like an object that is not there; any other refusal is said."""
    unknown = 'error: the server doesn\'t have a resource type "rollout"'
    fake_cluster.answers("get rollout churn", err=unknown, code=1)
    assert Kubectl("").get("rollout", "churn", "argosy-staging") is None
    fake_cluster.answers("get secret x", err="Error from server (Forbidden): secrets is forbidden", code=1)
    with pytest.raises(errors.TryAgain, match=r"kubectl get secret x: .*Forbidden"):
        Kubectl("").get("secret", "x")


def test_the_context_is_named_to_kubectl(fake_cluster: FakeCluster) -> None:
    """Where one was given."""
    fake_cluster.answers("get pod p", pod("p"))
    assert Kubectl("theirs").get("pod", "p") == json.loads(json.dumps(pod("p")))
    assert fake_cluster.asked() == ["--context theirs get pod p --output=json --ignore-not-found"]


def test_what_a_command_in_a_pod_said() -> None:
    """Rather than that it ended."""
    assert kube.last_line("no such table\ncommand terminated with exit code 1\n") == "no such table"
