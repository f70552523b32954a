"""What people are told of an answer of admission: that a model is trained again, or is not, and why.

How a retraining ended is told by ``run_notices``.
"""

import datetime

from argosy.domain.model_settings import CommonSettings
from argosy.domain.notices import Event, Notice
from argosy.domain.notify_settings import hearing
from argosy.domain.retraining_admission import Admitted, Reason, Refused

QUIET: frozenset[Reason] = frozenset({"resolved", "duplicate", "in flight", "unknown model", "not wanted"})
"""Refusals that are no news: what is asked is over, is being done, or was never to be done. They are counted all the same."""


def of(decision: Admitted | Refused, settings: CommonSettings, holder: str, now: datetime.datetime) -> list[Notice]:
    """The notice of *decision*, which the run *holder* asked for at *now*.

    An alert asks as long as it fires, so a refusal is told once a day for each reason.
    """
    if isinstance(decision, Admitted):
        entry = decision.entry
        what = f"a retraining for {entry.kind} started"
        return [_notice("retraining started", settings, what, entry.text, holder, key=entry.id)]
    if decision.reason in QUIET:
        return []
    what = f"a retraining was refused, {decision.reason}"
    day = f"{now.astimezone(datetime.UTC):%Y-%m-%d}"
    key = f"{decision.reason} {day}"
    return [_notice("retraining refused", settings, what, decision.explanation, holder, key=key)]


def _notice(event: Event, settings: CommonSettings, what: str, why: str, holder: str, *, key: str) -> Notice:
    run = holder.partition(" ")[0]
    look = f"run {run}; see it with: argosy get {run}\nall that asked: argosy retrain {settings.model} --list"
    return Notice(
        event=event,
        model=settings.model,
        owner=settings.owner,
        title=f"{settings.model}: {what}",
        text=f"{why}\n{look}" if why else look,
        key=key,
        channels=hearing(settings.notify, event),
    )
