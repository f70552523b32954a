"""Who waits for whom: requests for reviewers, runs for an approval, canaries for their measurements. Values in, rows out."""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from argosy.domain.promotion_requests import Request, Subject
from argosy.domain.rollouts import Rollout
from argosy.ports.runs import SUSPENDED, Run


@dataclass(frozen=True)
class Waiting:
    """One thing that waits."""

    what: str
    href: str
    """Its page in `argosy ui`; empty where it has none."""
    waits: str
    """Who waits, in words."""
    waits_for: str
    seconds: float | None
    """How long by now; None where nobody wrote down since when."""


def rows(
    requests: Iterable[Request],
    owners: Callable[[Subject], Sequence[str]],
    champions: Mapping[str, str],
    runs: Iterable[Run],
    rollouts: Iterable[Rollout],
    now: datetime.datetime,
) -> list[Waiting]:
    """All that waits, the longest first. *requests*: open ones; *champions*: model to the digest that production serves."""
    found = [
        *(_request(each, owners(each.subject), champions, now) for each in requests),
        *_runs(runs, now),
        *_rollouts(rollouts, now),
    ]
    return sorted(found, key=lambda one: -(one.seconds or 0.0))


def _request(request: Request, owners: Sequence[str], champions: Mapping[str, str], now: datetime.datetime) -> Waiting:
    subject = request.subject
    stale = (
        subject.kind == "promotion"
        and subject.champion_digest is not None
        and champions.get(subject.model, "") != subject.champion_digest
        and champions.get(subject.model, "") != subject.model_digest
    )
    review = f"a review by {', '.join(owners)}" if owners else "a review"
    return Waiting(
        what=f"#{request.number} {request.title}",
        href=f"/requests/{request.number}",
        waits=request.author,
        waits_for="a new run: production serves another model than its evidence compares with" if stale else review,
        seconds=_since(request.opened_at, now),
    )


def _runs(runs: Iterable[Run], now: datetime.datetime) -> Iterator[Waiting]:
    for run in runs:
        if run.phase == SUSPENDED:
            waits = [node.display_name for node in run.waiting]
            since = min((node.started for node in run.waiting), default=run.started)
            yield Waiting(
                what=run.name,
                href=f"/runs/{run.name}",
                waits="the run",
                waits_for=f"an approval of {', '.join(waits)}" if waits else "somebody who resumes or approves it",
                seconds=None if since is None else max(0.0, now.timestamp() - since),
            )


def _rollouts(rollouts: Iterable[Rollout], now: datetime.datetime) -> Iterator[Waiting]:
    for one in rollouts:
        if one.healthy_at is not None and not one.failed:
            continue
        share = next((f" at {look.weight} %" for look in reversed(one.looks) if look.weight is not None), "")
        yield Waiting(
            what=f"Canary of {one.model} in {one.environment}",
            href=f"/models/{one.model}",
            waits="a new version",
            waits_for="the revert that git owes: it was given up" if one.failed else f"its measurements{share}",
            seconds=_since(one.began_at, now),
        )


def _since(text: str | None, now: datetime.datetime) -> float | None:
    return None if text is None else max(0.0, (now - datetime.datetime.fromisoformat(text)).total_seconds())
