"""What became of a merge on the cluster, as `argosy pr view` tells it."""

from typing import Any

import pytest

from argosy.domain.promotion_requests import Request, State, Subject
from argosy.domain.rollouts import Analysis, Rollout
from argosy.report import delivery

DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def request(**changes: Any) -> Request:
    """Merged at noon."""
    subject = Subject(model="flower", environment="staging", version=3, model_digest=DIGEST, policy_digest=OTHER)
    given = {"state": State.MERGED, "ended_by": "ada", "ended_at": "2026-03-01T12:00:00+00:00", **changes}
    facts = {"number": 1, "branch": "b", "title": "t", "head": "c", "url": "u", "author": "a", "opened_at": "o"}
    return Request.model_validate({**facts, "subject": subject, **given})


def rollout(**changes: Any) -> Rollout:
    """Through its canary two minutes later."""
    given = {
        "phase": "Healthy",
        "newest": DIGEST,
        "began_at": "2026-03-01T12:00:14Z",
        "looks": [
            Analysis(
                weight=25, phase="Successful", began_at="2026-03-01T12:00:40Z", ended_at="2026-03-01T12:01:05Z"
            ).model_dump()
        ],
        "healthy_at": "2026-03-01T12:02:10Z",
        **changes,
    }
    facts = {"name": "flower", "namespace": "n", "model": "flower", "environment": "staging", "failed": False}
    return Rollout.model_validate({**facts, **given})


def test_a_canary_that_went_through() -> None:
    """Each event with the time since the merge."""
    assert list(delivery.lines(request(), [rollout()])) == [
        "+14 s     synced: pods of it are asked for",
        "+40 s     measuring at 25 %",
        "+1 min 5 s measured at 25 %: Successful",
        "+2 min 10 s healthy: it answers all requests",
    ]


def test_pods_that_come_back_were_asked_for_before() -> None:
    """After a revert the pods are those of an earlier version: what they did before this merge is not told."""
    back = rollout(began_at="2026-02-01T12:00:00Z", looks=[])
    assert list(delivery.lines(request(), [back])) == ["+2 min 10 s healthy: it answers all requests"]


@pytest.mark.parametrize(
    ("changes", "rollouts", "told"),
    [
        pytest.param({"state": State.OPEN}, [rollout()], "not merged, so nothing of it is served", id="open"),
        pytest.param({}, [], "not synced yet: the namespace has no rollout of this model", id="nothing-there"),
        pytest.param({}, [rollout(newest=OTHER)], "the newest pods have bbbbbbbbbbbb", id="another-one"),
        pytest.param(
            {},
            [rollout(healthy_at=None, phase="Paused", message="CanaryPauseStep")],
            "Paused: CanaryPauseStep",
            id="on",
        ),
    ],
)
def test_what_is_not_served_yet(changes: dict[str, Any], rollouts: list[Rollout], told: str) -> None:
    """Said in the last line, with the reason."""
    assert list(delivery.lines(request(**changes), rollouts))[-1].startswith(told)
