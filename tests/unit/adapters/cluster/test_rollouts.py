"""What Argo Rollouts' own status means."""

from typing import Any

import pytest

from argosy.adapters.cluster import rollouts
from kit.web_server import Answer, Web, listed

SERVING = "/apis/argoproj.io/v1alpha1/namespaces/serving"
OF_STAGING = f"{SERVING}/rollouts?labelSelector=argosy.dev/model%2Cargosy.dev/environment%3Dstaging"
PODS = "/apis/apps/v1/namespaces/serving/replicasets?labelSelector=rollouts-pod-template-hash"
RUNS = f"{SERVING}/analysisruns?labelSelector=rollouts-pod-template-hash"

DONE = {"type": "Completed", "status": "True", "lastTransitionTime": "t"}
HEALTHY = {"type": "Healthy", "status": "True", "lastTransitionTime": "u"}
STALLED = {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param({"abort": True, "phase": "Degraded"}, True, id="aborted"),
        pytest.param({"phase": "Degraded", **STALLED}, True, id="never-ready"),
        pytest.param({"phase": "Progressing", **STALLED}, False, id="late-but-going-on"),
        pytest.param(
            {"phase": "Degraded", "conditions": [{"reason": "InvalidSpec"}]}, False, id="a-spec-that-is-wrong"
        ),
        pytest.param({"phase": "Healthy"}, False, id="healthy"),
        pytest.param({}, False, id="not-seen-by-the-controller-yet"),
    ],
)
def test_given_up(status: dict[str, object], expected: bool) -> None:
    """Only what the controller gave up: a spec that cannot be used is nobody's model."""
    assert rollouts.given_up(status) is expected


def test_measurements() -> None:
    """Values as they were measured, oldest first; one that ended without a value says how it ended."""
    results = [
        {
            "name": "errors",
            "phase": "Failed",
            "message": "too many",
            "measurements": [{"value": "[0.1]"}, {"phase": "Error"}],
        },
        {"name": "latency"},
    ]
    first, second = rollouts.measured(results)
    assert (first.metric, first.phase, first.values, first.message) == (
        "errors",
        "Failed",
        ["[0.1]", "Error"],
        "too many",
    )
    assert (second.phase, second.values) == ("", [])


def test_looks_have_the_weight_of_their_step() -> None:
    """The step's number is in a label; its weight is the last one set before it."""
    spec = {
        "strategy": {"canary": {"steps": [{"setWeight": 25}, {"analysis": {}}, {"setWeight": 50}, {"analysis": {}}]}}
    }
    runs = [
        {"metadata": {"labels": {"step-index": "3"}, "creationTimestamp": "c"}, "status": {"phase": "Running"}},
        {
            "metadata": {"creationTimestamp": "c"},
            "status": {"phase": "Successful", "startedAt": "s", "completedAt": "e"},
        },
    ]
    assert [(look.weight, look.phase, look.began_at, look.ended_at) for look in rollouts.looks(runs, spec)] == [
        (50, "Running", "c", None),
        (None, "Successful", "s", "e"),
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param({"phase": "Healthy"}, "t", id="through"),
        pytest.param({"phase": "Healthy", "conditions": [DONE, HEALTHY]}, "u", id="ready-after-it-was-complete"),
        pytest.param({"phase": "Progressing"}, None, id="pods-are-exchanged-still"),
        pytest.param({"phase": "Healthy", "conditions": []}, None, id="never-through"),
    ],
)
def test_healthy_at(status: dict[str, object], expected: str | None) -> None:
    """When the controller called it completed."""
    assert rollouts.healthy_at({"conditions": [DONE], **status}) == expected


def _rollout(model: str, newest: str, stable: str, **status: Any) -> dict[str, Any]:
    labels = {"argosy.dev/model": model, "argosy.dev/environment": "staging"}
    hashes = {"currentPodHash": newest, "stableRS": stable}
    return {"metadata": {"name": model, "labels": labels}, "status": {**hashes, **status}}


def _pods(pods: str, digest: str, asked_for: str) -> dict[str, Any]:
    template = {"metadata": {"annotations": {"argosy.dev/model-digest": digest}}, "spec": {"containers": []}}
    labels = {"rollouts-pod-template-hash": pods}
    metadata = {"name": pods, "labels": labels, "creationTimestamp": asked_for}
    return {"metadata": metadata, "spec": {"selector": {}, "template": template}}


def _run(pods: str, began: str, metric: str) -> dict[str, Any]:
    metadata = {"labels": {"rollouts-pod-template-hash": pods}, "creationTimestamp": began}
    return {"metadata": metadata, "status": {"metricResults": [{"name": metric}]}}


def test_three_questions_however_many_models(api: Web, answers: dict[str, Answer]) -> None:
    """Each canary is told from the others by the hash of its pods; the runs of its newest are in their order."""
    answers[OF_STAGING] = listed(
        _rollout("leaving", "b2", "b1", abort=True, phase="Degraded"), _rollout("churn", "a1", "a1", phase="Healthy")
    )
    answers[PODS] = listed(
        _pods("a1", "one", "2026-01-01T00:00:00Z"),
        _pods("b1", "two", "2026-01-02T00:00:00Z"),
        _pods("b2", "three", "2026-01-03T00:00:00Z"),
    )
    answers[RUNS] = listed(_run("b2", "5", "errors"), _run("b1", "1", "latency"), _run("b2", "4", "distance"))
    churn, leaving = rollouts.ClusterRollouts("serving").of("staging")
    assert [asked.path for asked in api.asked] == [OF_STAGING, PODS, RUNS]
    assert (churn.newest, churn.stable, churn.began_at, churn.measurements) == (
        "one",
        "one",
        "2026-01-01T00:00:00Z",
        [],
    )
    assert (leaving.newest, leaving.stable, leaving.began_at) == ("three", "two", "2026-01-03T00:00:00Z")
    assert [one.metric for one in leaving.measurements] == ["distance", "errors"]


def test_an_environment_without_models(api: Web, answers: dict[str, Answer]) -> None:
    """Nothing more is asked."""
    answers[OF_STAGING] = listed()
    assert rollouts.ClusterRollouts("serving").of("staging") == []
    assert len(api.asked) == 1


def test_pods_that_are_not_there_yet(api: Web, answers: dict[str, Answer]) -> None:
    """A Rollout that the controller has not seen has no model that can be named."""
    assert api
    answers.update({OF_STAGING: listed(_rollout("churn", "", "")), PODS: listed(), RUNS: listed()})
    (churn,) = rollouts.ClusterRollouts("serving").of("staging")
    assert (churn.newest, churn.stable, churn.began_at, churn.looks) == (None, None, None, [])
