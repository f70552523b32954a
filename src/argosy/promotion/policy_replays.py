"""The verdicts that the environment repo keeps, asked again under a policy that somebody proposes.

What was judged: every version that an environment served, and what open requests propose. The answer is ``domain.policy_replay``'s.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace

from argosy import errors
from argosy.domain import environment_layout, policy_replay
from argosy.domain.evidence import Evidence
from argosy.domain.policy import Policy
from argosy.domain.policy_replay import PolicyReplay
from argosy.domain.promotion_requests import Request, State
from argosy.files import model_folder
from argosy.promotion import subjects
from argosy.promotion.standing import Main

Identity = tuple[str, str, str | None]


@dataclass(frozen=True)
class PastVerdict:
    """A model that was judged, and what it would be judged now."""

    version: int
    model_digest: str
    places: tuple[str, ...]
    """Environments that served it, or the open request that proposes it."""
    day: datetime.date
    """Of the request; of today where it is not known."""
    replay: PolicyReplay


@dataclass(frozen=True)
class _Past:
    version: int
    places: tuple[str, ...]
    evidence: Evidence
    policy: Policy | None


def under(main: Main, model: str, policy: Policy, today: datetime.date) -> list[PastVerdict]:
    """What was judged of *model* in *main* and its open requests, oldest first, under *policy*.

    Raises Misconfigured where evidence cannot be read.
    """
    requests = [one for one in main.forge.requests() if one.subject.model == model]
    days = {one.subject.model_digest: _day(one) for one in reversed(requests)}
    found: dict[Identity, _Past] = {}
    for past in [*_served(main, model), *_proposed(main, model, requests)]:
        known = found.setdefault(_identity(past.evidence), past)
        found[_identity(past.evidence)] = replace(known, places=tuple(dict.fromkeys(known.places + past.places)))
    return [
        _judged(past, policy, days.get(past.evidence.model_digest, today))
        for past in sorted(found.values(), key=lambda past: past.version)
    ]


def _judged(past: _Past, policy: Policy, day: datetime.date) -> PastVerdict:
    replayed = policy_replay.replay(past.evidence, policy, past.policy, day)
    return PastVerdict(past.version, past.evidence.model_digest, past.places, day, replayed)


def _served(main: Main, model: str) -> Iterator[_Past]:
    for environment in environment_layout.ENVIRONMENTS:
        for at in main.servings(model, environment):
            if past := _past(at, model, environment, environment):
                yield past


def _proposed(main: Main, model: str, requests: list[Request]) -> Iterator[_Past]:
    for request in requests:
        subject = request.subject
        if request.state is not State.OPEN or subject.kind != "promotion" or not subjects.is_genuine(main, request):
            continue
        proposed = subjects.proposed(main.forge, request)
        if past := _past(proposed, model, subject.environment, f"#{request.number}"):
            yield past


def _past(at: Main, model: str, environment: str, place: str) -> _Past | None:
    version, evidence = at.version(model, environment), at.evidence(model, environment)
    if version is None or evidence is None:
        return None
    return _Past(version.version, (place,), evidence, _policy(at, evidence))


def _policy(at: Main, evidence: Evidence) -> Policy | None:
    """The policy that *evidence* was judged by; None where the commit has another by then, or one that is not read any more."""
    found = at.policy(evidence.model)
    if found is None or found.digest != evidence.policy_digest:
        return None
    try:
        return model_folder.policy_of(found.content, f"{at.called}:{found.path}")
    except errors.Misconfigured:  # what was a policy to an earlier Argosy
        return None


def _identity(evidence: Evidence) -> Identity:
    return evidence.model_digest, evidence.policy_digest, evidence.champion.model_digest


def _day(request: Request) -> datetime.date:
    return datetime.datetime.fromisoformat(request.opened_at).date()
