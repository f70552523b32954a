"""What people are told of requests and canaries: opened, superseded, waiting, given up.

Whom, a model's evidence says, which travels with every request and stands beside every version that main names.
"""

import datetime
from collections.abc import Iterable, Iterator

from argosy import errors
from argosy.domain import rollouts as rules
from argosy.domain.notices import Event, Notice
from argosy.domain.notify_settings import Audience
from argosy.domain.promotion_requests import Request, State
from argosy.domain.rollouts import Rollout
from argosy.ports.forge import Forge
from argosy.promotion import subjects
from argosy.promotion.standing import Main

PATIENCE = datetime.timedelta(days=1)
"""How long a request may be open before people are told that it waits, each day once."""


def of_opened(request: Request, audience: Audience, known: Iterable[Request]) -> Iterator[Notice]:
    """That *request* is open, and which of the *known* ones it superseded."""
    if request.state is not State.OPEN:
        return
    yield _notice(
        "request opened", request, audience, f"request {request.number} is open: {request.title}", _open(request)
    )
    for other in known:
        if other.superseded_by == request.number:
            said = f"request {other.number} is superseded by request {request.number}"
            yield _notice(
                "request superseded", other, audience, said, f"there is nothing left to review in it: {other.title}"
            )


def of_waiting(forge: Forge, environment: str, now: datetime.datetime) -> Iterator[Notice]:
    """The requests for *environment* that have been open for a day or more. Raises TryAgain where the forge fails."""
    for request in forge.requests():
        if request.state is not State.OPEN or request.subject.environment != environment:
            continue
        waited = now - _moment(request.opened_at)
        if waited >= PATIENCE and (
            audience := _audience(subjects.proposed(forge, request), request.subject.model, environment)
        ):
            said = f"request {request.number} waits for {waited.days} days: {request.title}".replace(
                " 1 days", " a day"
            )
            yield _notice("request waiting", request, audience, said, _open(request), day=f"{now:%Y-%m-%d}")


def of_canaries(forge: Forge, seen: Iterable[Rollout]) -> Iterator[Notice]:
    """The canaries among *seen* that were given up. Raises TryAgain where the forge fails."""
    main = Main.now(forge)
    for rollout in seen:
        live = main.version(rollout.model, rollout.environment)
        conclusion = rules.conclude(rollout, live)
        audience = _audience(main, rollout.model, rollout.environment)
        if live is None or audience is None or conclusion.action != "revert":
            continue
        yield Notice(
            event="canary aborted",
            model=rollout.model,
            environment=rollout.environment,
            owner=audience.owner,
            title=f"{rollout.model}: the canary of version {live.version} was given up in {rollout.environment}",
            text=f"{conclusion.reason}\nmerge the request that takes it back: argosy pr list",
            key=rollout.newest or "",
            channels=audience.hearing("canary aborted"),
        )


def of_proposed(forge: Forge, request: Request) -> list[Notice]:
    """:func:`of_opened` for *request*, by what its own commit has. Raises TryAgain where the forge fails."""
    subject = request.subject
    audience = _audience(subjects.proposed(forge, request), subject.model, subject.environment)
    return list(of_opened(request, audience, forge.requests())) if audience else []


def of_environment(
    forge: Forge, environment: str, seen: Iterable[Rollout], now: datetime.datetime | None
) -> list[Notice]:
    """All there is to tell of *environment*: canaries given up, requests opened, superseded, waiting. Raises TryAgain where it fails.

    What was told before is told no second time, so everything that is open is named; *now*: None where nobody waits.
    """
    requests = [each for each in forge.requests() if each.state is State.OPEN]
    opened = [notice for request in requests for notice in of_proposed(forge, request)]
    waiting = of_waiting(forge, environment, now) if now else ()
    return [*of_canaries(forge, seen), *opened, *waiting]


def _audience(main: Main, model: str, environment: str) -> Audience | None:
    try:
        evidence = main.evidence(model, environment)
    except errors.Misconfigured:  # whoever wrote it, people cannot be found by it
        return None
    return evidence.audience if evidence else None


def _notice(event: Event, request: Request, audience: Audience, said: str, text: str, *, day: str = "") -> Notice:
    return Notice(
        event=event,
        model=request.subject.model,
        environment=request.subject.environment,
        owner=audience.owner,
        title=f"{request.subject.model}: {said}",
        text=text,
        link=request.url if request.url.startswith(("https://", "http://")) else None,
        key=f"{request.number} {request.subject.model_digest} {day}".rstrip(),
        channels=audience.hearing(event),
    )


def _open(request: Request) -> str:
    return f"for {request.subject.environment}; review it with: argosy pr view {request.number}"


def _moment(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
