"""What Argo Rollouts' own status means."""

import pytest

from argosy.adapters.cluster import rollouts

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
