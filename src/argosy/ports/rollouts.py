"""The port to the canaries of a cluster: how each stands. It reads; nobody promotes or aborts through it."""

from typing import Protocol

from argosy.domain.rollouts import Rollout


class Rollouts(Protocol):
    """The rollouts of models. Every method raises TryAgain where the cluster fails."""

    def of(self, environment: str) -> list[Rollout]:
        """Every rollout of a model in *environment*, by name. Raises Misconfigured where the cluster has none of that kind, or refuses."""
