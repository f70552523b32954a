"""What git owes to a canary, decided without a cluster."""

import pytest

from argosy.domain import release, rollouts
from argosy.domain.documents import sha256
from argosy.domain.rollouts import Rollout

NEW, OLD = sha256(b"new"), sha256(b"old")


def rollout(**changes: object) -> Rollout:
    """A canary of NEW over OLD in staging that was aborted; *changes* to that."""
    values = {
        "name": "toy",
        "namespace": "staging",
        "model": "toy",
        "environment": "staging",
        "phase": "Degraded",
        "failed": True,
        "message": "errors",
        "newest": NEW,
        "stable": OLD,
    }
    return Rollout.model_validate(values | changes)


def live(model_digest: str = NEW) -> release.Version:
    """What main names."""
    return release.Version(
        model="toy", version=2, model_digest=model_digest, storage_uri="s3://x", evidence_digest=NEW, policy_digest=NEW
    )


HEALTHY = {"phase": "Healthy", "failed": False, "message": "", "stable": NEW}


@pytest.mark.parametrize(
    ("seen", "named", "action", "why"),
    [
        pytest.param(rollout(), live(), "revert", "errors", id="aborted"),
        pytest.param(rollout(message=""), live(), "revert", "Degraded", id="aborted-without-a-word"),
        pytest.param(rollout(stable=None), live(), "revert", "errors", id="never-served"),
        pytest.param(rollout(), None, "nothing", "names no version", id="retired"),
        pytest.param(rollout(), live(OLD), "nothing", "sync is under way", id="reverted-but-not-synced"),
        pytest.param(rollout(newest=None), live(), "nothing", "no model, main names", id="pods-of-another-hand"),
        pytest.param(rollout(stable=NEW), live(), "nothing", "other changes", id="the-same-model-serves"),
        pytest.param(rollout(**HEALTHY), live(), "advance", "production may follow", id="healthy-in-staging"),
        pytest.param(
            rollout(**HEALTHY, environment="production"), live(), "nothing", "healthy", id="healthy-at-the-end"
        ),
        pytest.param(rollout(**HEALTHY | {"stable": OLD}), live(), "nothing", "Healthy", id="before-its-canary-began"),
        pytest.param(
            rollout(phase="Paused", failed=False, message="by hand"), live(), "nothing", "Paused (by hand)", id="paused"
        ),
    ],
)
def test_conclusions(seen: Rollout, named: release.Version | None, action: str, why: str) -> None:
    """A revert only for a model that was given up, that main still names, and that is not serving."""
    conclusion = rollouts.conclude(seen, named)
    assert conclusion.action == action
    assert why in conclusion.reason
