"""Decides on one event; the rules are ``argosy.monitoring.retrainings``' word."""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from argosy.domain.model_settings import CommonSettings
from argosy.domain.notices import Notice
from argosy.domain.retraining_admission import Refused
from argosy.monitoring import retraining_notices, retrainings
from argosy.monitoring.retrainings import Event, LooksOf
from argosy.ports.admission_state import AdmissionState


@dataclass(frozen=True)
class Answered:
    """The results of the step."""

    admitted: bool
    decision: str
    cause: str


def run(
    event: Event,
    *,
    settings: CommonSettings,
    state: AdmissionState,
    looks_of: LooksOf,
    now: datetime.datetime,
    tell: Callable[[Callable[[], Iterable[Notice]]], None],
) -> Answered:
    """The decision on *event*, of which people are told through *tell*. A refusal is an answer, no failure."""
    answer = retrainings.decide(event, settings=settings, state=state, looks_of=looks_of, now=now)
    tell(lambda: retraining_notices.of(answer.decision, settings, event.holder, now))
    if isinstance(answer.decision, Refused):
        return Answered(False, answer.decision.line, "")
    return Answered(True, f"admitted as {answer.decision.entry.id}", answer.cause.text() if answer.cause else "")
