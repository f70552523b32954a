"""The outcome of a canary, and what git owes to it: a pure decision from what the cluster and main say.

An aborted canary leaves the old model serving while main still names the new one; a healthy one in an environment lets its model go on to
the next. Reading the cluster is an adapter's business, opening requests is ``argosy.promotion.canaries``'s.
"""

from dataclasses import dataclass
from typing import Literal

from argosy.domain import environment_layout, merge_checks, release
from argosy.domain.documents import Document


class Measurement(Document):
    """One measurement of an AnalysisRun about the new pods."""

    metric: str
    phase: str
    """In Argo Rollouts' words: Successful, Failed, Inconclusive, Error, Running."""
    values: list[str] = []
    """Oldest first, as they were measured."""
    message: str = ""


class Analysis(Document):
    """One analysis of the new pods, taken at one weight. Times as Kubernetes writes them, UTC; None: not yet."""

    weight: int | None = None
    """Percent of the requests that the new pods had; None where the rollout has no weights."""
    phase: str
    began_at: str
    ended_at: str | None = None


class Rollout(Document):
    """A model's rollout in one environment, at one moment."""

    name: str
    namespace: str
    model: str
    environment: str
    phase: str
    """In Argo Rollouts' words: Healthy, Progressing, Paused, Degraded."""
    failed: bool
    """True where the newest pods were given up: the analysis aborted them, or they never became ready in time."""
    message: str = ""
    newest: str | None = None
    """Digest of the model in the newest pods, those that are tried or were given up; None where they name none."""
    stable: str | None = None
    """Digest of the model in the pods that passed last; None where none ever did."""
    measurements: list[Measurement] = []
    began_at: str | None = None
    """When the newest pods were asked for; of pods that come back, as after a revert, when they were asked for first."""
    looks: list[Analysis] = []
    """At the newest pods, oldest first."""
    healthy_at: str | None = None
    """Since when the newest pods have all requests; None while they have not."""


@dataclass(frozen=True)
class Conclusion:
    """The decision about a rollout, and why."""

    action: Literal["revert", "advance", "nothing"]
    reason: str


def conclude(rollout: Rollout, live: release.Version | None) -> Conclusion:
    """The decision about *rollout*, where main names *live* for its environment."""
    if live is None:
        return Conclusion("nothing", "main names no version; Argo CD will remove it")
    if rollout.newest != live.model_digest:
        newest, named = merge_checks.short(rollout.newest), merge_checks.short(live.model_digest)
        return Conclusion("nothing", f"its newest pods have {newest}, main names {named}: the sync is under way")
    if rollout.failed:
        return _given_up(rollout)
    if rollout.phase != "Healthy" or rollout.stable != rollout.newest:
        return Conclusion("nothing", f"{rollout.phase}{_because(rollout)}")
    following = environment_layout.following(rollout.environment)
    return (
        Conclusion("advance", f"healthy, so {following} may follow") if following else Conclusion("nothing", "healthy")
    )


def _given_up(rollout: Rollout) -> Conclusion:
    if rollout.stable == rollout.newest:
        # The old pods have the same model: what failed is an image, a setting or the cluster, and another model would not mend it.
        return Conclusion(
            "nothing",
            f"{rollout.phase}, but with the model that also serves: look at the other changes{_because(rollout)}",
        )
    return Conclusion("revert", rollout.message or rollout.phase)


def _because(rollout: Rollout) -> str:
    return f" ({rollout.message})" if rollout.message else ""
