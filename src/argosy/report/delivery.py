"""From the merge of a request to all requests answered by its model: when Argo CD and Argo Rollouts did what."""

from collections.abc import Iterator
from datetime import datetime

from argosy.domain.merge_checks import short
from argosy.domain.promotion_requests import Request, State
from argosy.domain.rollouts import Rollout


def lines(request: Request, rollouts: list[Rollout]) -> Iterator[str]:
    """One line an event, with the time since the merge; *rollouts* are those of the request's environment."""
    if request.state is not State.MERGED or request.ended_at is None:
        yield "not merged, so nothing of it is served"
        return
    rollout = next((one for one in rollouts if one.model == request.subject.model), None)
    if rollout is None:
        yield "not synced yet: the namespace has no rollout of this model"
        return
    subject = request.subject
    # A second version changes the pods of the first, which go on to serve what they served.
    served = (subject.champion_digest if subject.tries else None) or subject.model_digest
    if rollout.newest != served:
        yield f"the newest pods have {short(rollout.newest)}: this one is not synced yet, or something followed it"
        return
    merged = datetime.fromisoformat(request.ended_at)
    for moment, what in _events(rollout):
        if (at := datetime.fromisoformat(moment)) >= merged:
            yield f"+{_seconds((at - merged).total_seconds()):<8} {what}"
    if rollout.healthy_at is None:
        yield f"{rollout.phase}: {rollout.message}" if rollout.message else rollout.phase


def _events(rollout: Rollout) -> Iterator[tuple[str, str]]:
    if rollout.began_at:
        yield rollout.began_at, "synced: pods of it are asked for"
    for look in rollout.looks:
        share = f" at {look.weight} %" if look.weight is not None else ""
        yield look.began_at, f"measuring{share}"
        if look.ended_at:
            yield look.ended_at, f"measured{share}: {look.phase}"
    if rollout.healthy_at:
        yield rollout.healthy_at, "healthy: it answers all requests"


def _seconds(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
