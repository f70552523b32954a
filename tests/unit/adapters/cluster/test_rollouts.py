"""What Argo Rollouts' own status means."""

import pytest

from argosy.adapters.cluster import rollouts

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
