"""Reads the canaries of a cluster."""

from collections.abc import Mapping

from argosy.exporter import samples, series
from argosy.exporter.samples import Reading, Sample
from argosy.ports.rollouts import Rollouts


def read(rollouts: Mapping[str, Rollouts]) -> Reading:
    """How the canaries of each environment stand. Raises TryAgain, or Misconfigured, where the cluster does."""
    found: list[Sample] = []
    for environment, of_it in rollouts.items():
        for rollout in of_it.of(environment):
            labels = {"model": rollout.model, "environment": environment, "digest": rollout.newest or ""}
            under_way = not rollout.failed and rollout.phase in {"Progressing", "Paused"}
            found.append(samples.of(series.CANARY_ABORTED, rollout.failed, **labels))
            found.append(samples.of(series.CANARY_UNDER_WAY, under_way, **labels))
    return Reading(found)
