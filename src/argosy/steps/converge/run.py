"""Looks at the canaries of an environment once and makes git agree with them.

Safe to repeat, and to run twice at once: the forge knows one request for each answer. A revert that a person closed stays closed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from argosy import errors
from argosy.domain import promotion, release
from argosy.domain import rollouts as canaries
from argosy.ports.forge import Forge
from argosy.ports.registry import Registry
from argosy.ports.rollouts import Rollouts
from argosy.promotion import aliases, following, reverting
from argosy.promotion.standing import Main


def run(
    *, environment: str, rollouts: Rollouts, forge: Forge, registry: Registry, report: Callable[[str], None]
) -> list[str]:
    """Do what each canary of *environment* calls for; returns one line each, which *report* had as soon as it was known.

    Raises Rejected, after all were looked at, where a model was given up and there is none to go back to.
    """
    if environment not in promotion.ENVIRONMENTS:
        raise errors.Misconfigured(
            f"there is no environment {environment!r}; environments: {', '.join(promotion.ENVIRONMENTS)}"
        )
    lines, stuck = [], []
    for rollout in rollouts.of(environment):
        try:
            did = _Look(rollout, forge, registry).act()
        except errors.Rejected as error:
            stuck.append(f"{rollout.model}: {error}")
            continue
        lines.append(f"{rollout.model} in {environment}: {did}")
        report(lines[-1])
    if environment == promotion.PRODUCTION:
        # Last, because a registry that fails must not keep a revert from being opened.
        for model in sorted({rollout.model for rollout in rollouts.of(environment)}):
            aliases.follow(forge, model, registry)
    if stuck:
        raise errors.Rejected("; ".join(stuck))
    return lines


@dataclass(frozen=True)
class _Look:
    """One canary, and what may be done about it."""

    rollout: canaries.Rollout
    forge: Forge
    registry: Registry

    def act(self) -> str:
        """Do what is called for; says what that was."""
        main = Main.now(self.forge)
        live = main.version(self.rollout.model, self.rollout.environment)
        conclusion = canaries.conclude(self.rollout, live)
        if live is None or conclusion.action == "nothing":
            return conclusion.reason
        request = self._revert(live, main) if conclusion.action == "revert" else self._advance(live)
        return f"{conclusion.reason}; {request}"

    def _revert(self, live: release.Version, main: Main) -> str:
        earlier = main.served_before(live, self.rollout.environment)
        if earlier is None:
            raise errors.Rejected(
                f"version {live.version} was given up in {self.rollout.environment} ({self.rollout.message}), and main never named another "
                "that could be put back; merge a request for a better one"
            )
        opened = self._opened(
            lambda: self.forge.propose(reverting.proposal(self.rollout, live, earlier.version, earlier.files))
        )
        self.registry.reject(live.model, live.model_digest, reverting.reason(self.rollout, live))
        return opened

    def _advance(self, live: release.Version) -> str:
        merged = [
            request
            for request in self.forge.requests()
            if request.state is promotion.State.MERGED
            and request.subject.model_digest == live.model_digest
            and (request.subject.model, request.subject.environment) == (live.model, self.rollout.environment)
        ]
        if not merged:
            return "no request brought it, so none follows"
        return self._opened(lambda: following.open_next(self.forge, merged[-1]))

    def _opened(self, ask: Callable[[], promotion.Request | None]) -> str:
        try:
            request = ask()
        except errors.Rejected as error:  # a person closed it; that is an answer, and every later look finds it again
            return f"left alone: {error}"
        return (
            f"request {request.number} ({request.state}): {request.title}" if request else "nothing is left to propose"
        )
