"""Takes a model out of an environment for good: the request that does it, what it leaves, and what keeps it from being asked for.

The version file goes, and ``retired.yaml``, which says the same and why, comes in its place; evidence, registry and model store keep what
they have. Left to others: what a cluster takes down (Argo CD), and who still calls the model (the prediction log).
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from argosy.domain import environment_layout, promotion_requests, release
from argosy.domain.promotion_requests import Request, State
from argosy.promotion import subjects
from argosy.promotion.standing import Main
from argosy.report import retirement_body

LONGEST_REASON = 500


@dataclass(frozen=True)
class Retirement:
    """One environment that a model is to leave."""

    version: release.Version
    """The one that it serves."""
    environment: str
    hindered_by: Sequence[Request] = field(default=())
    """Open requests that need the model to be there, or would bring it back."""


def found(main: Main, model: str, environments: Iterable[str]) -> Iterator[Retirement]:
    """What *model* would leave of *environments*, the last of them first: production does not wait for what staging has no more."""
    for environment in reversed(list(environments)):
        version = main.version(model, environment)
        if version is not None:
            yield Retirement(version, environment, hindrances(main, model, environment))


def hindrances(main: Main, model: str, environment: str) -> list[Request]:
    """The open requests whose commits would bring *model* back to *environment*, or take it from there to the next one."""
    concerned = {(model, one) for one in (environment, environment_layout.following(environment)) if one}
    return [
        request
        for request in main.forge.requests()
        if request.state is State.OPEN and concerned.intersection(subjects.brings(main, request))
    ]


def refusals(retirements: Iterable[Retirement]) -> Iterator[str]:
    """Why *retirements* would not be asked for: the open requests that need what is to go, and what to do about each."""
    said: set[int] = set()
    for one in retirements:
        for request in one.hindered_by:
            if request.number in said:
                continue
            said.add(request.number)
            yield (
                f"request {request.number} ({request.title}) is open and needs {one.version.model} in {one.environment}, or would bring it "
                f"back: `argosy pr close {request.number} --reason TEXT`, or merge it, then retire"
            )


def proposal(one: Retirement, *, by: str, reason: str, at: datetime.datetime) -> promotion_requests.Proposal:
    """The request for *one*, in the name of *by*."""
    version, environment = one.version, one.environment
    why = _line(reason)
    subject = promotion_requests.Subject(
        model=version.model,
        environment=environment,
        model_digest=version.model_digest,
        version=version.version,
        policy_digest=version.policy_digest,
        retires=True,
    )
    note = f"# Retired from {environment}, {at:%Y-%m-%d}, by {_line(by)}: {why}\n{version.yaml()}"
    return promotion_requests.Proposal(
        subject=subject,
        title=f"Retire {version.model} from {environment}, which serves version {version.version}",
        body=retirement_body.markdown(version, environment, by=by, reason=why),
        files={environment_layout.retired_path(version.model, environment): note.encode()},
    )


def _line(text: str) -> str:
    return promotion_requests.one_line(text, LONGEST_REASON)
