"""Looks at the canaries of an environment once; what follows from them is ``promotion.canaries``' word."""

import datetime
from collections.abc import Callable, Iterable

from argosy import errors
from argosy.domain import environment_layout
from argosy.domain.notices import Notice
from argosy.monitoring import request_notices
from argosy.ports.forge import Forge
from argosy.ports.registry import Registry
from argosy.ports.rollouts import Rollouts
from argosy.promotion import canaries

Tell = Callable[[Callable[[], Iterable[Notice]]], None]
"""Tells people what a function finds out, and raises nothing."""


def run(
    *,
    environment: str,
    rollouts: Rollouts,
    forge: Forge,
    registry: Registry,
    report: Callable[[str], None],
    tell: Tell = lambda _notices: None,
    now: datetime.datetime | None = None,
) -> list[str]:
    """Do what each canary of *environment* calls for; returns one line each, which *report* had as soon as it was known.

    Raises Rejected, after all were looked at, where a model was given up and there is none to go back to.
    """
    if environment not in environment_layout.ENVIRONMENTS:
        raise errors.Misconfigured(
            f"there is no environment {environment!r}; environments: {', '.join(environment_layout.ENVIRONMENTS)}"
        )
    seen = rollouts.of(environment)  # once: a cluster is asked three things, however many models it has
    try:
        settled = canaries.settle(
            environment, seen, forge=forge, registry=registry, report=lambda one: report(one.line)
        )
    finally:  # also of a canary that was given up with nothing to go back to
        tell(lambda: request_notices.of_environment(forge, environment, seen, now))
    return [one.line for one in settled]
