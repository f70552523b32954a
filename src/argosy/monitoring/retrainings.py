"""Lets a retraining in, or not, and closes it: the rules of ``argosy.domain.retraining_admission`` over the ledgers and the looks.

Whatever asks is read here: an alert of Alertmanager, or a few words of somebody or something else. What comes from outside travels in
base64, so that nothing of it is ever taken for a part of a manifest.
"""

import base64
import binascii
import datetime
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from argosy import errors
from argosy.domain import alerts, looks, retraining_admission, retraining_cause, retraining_ends, run_failures
from argosy.domain.alerts import ReceivedAlert
from argosy.domain.evidence import Evidence
from argosy.domain.looks import Look
from argosy.domain.model_settings import CommonSettings
from argosy.domain.monitor_settings import Monitor
from argosy.domain.retraining_admission import (
    Admitted,
    Ask,
    LedgerEntry,
    Observation,
    Reason,
    Refused,
    RetrainingLedger,
)
from argosy.domain.retraining_cause import Cause, Kind
from argosy.domain.run_failures import FailedStep
from argosy.monitoring import causes
from argosy.ports.admission_state import AdmissionState
from argosy.ports.objects import Objects

ALERT = "alert"
"""The kind of an event that is a message of Alertmanager; its alerts say which kind of cause each is."""
BASE64 = "base64:"
LONGEST = len(BASE64) + 4 * (alerts.LONGEST // 3 + 1)
MOST_WORDS = 200

PERFORMANCE_ALERTS = frozenset({"ArgosyPerformanceBelowGate"})
"""Alerts that real performance confirms; drift confirms all others."""
SERVED_IN = "production"
"""The environment whose model is replaced, where whoever asks names none."""

ENVIRONMENT = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
MOST_LOOKS = 100
"""Looks that are asked for, four days of hourly ones; of more frequent ones those before too, one an hour, up to so many hours."""

LooksOf = Callable[[str], Sequence[Look]]
"""The looks at the model in an environment, oldest first."""


@dataclass(frozen=True)
class Event:
    """What came from outside: a message of Alertmanager, or a few words (*because*) of something of that *kind*."""

    kind: str
    holder: str
    """The run that was started for it."""
    alert: str = ""
    because: str = ""


@dataclass(frozen=True)
class EventAnswer:
    """What was decided on an event."""

    decision: Admitted | Refused
    cause: Cause | None = None
    """Why it is trained; None where it is not."""


def encoded(text: str) -> str:
    """*text* as the parameter of a workflow carries it."""
    return BASE64 + base64.b64encode(text.encode()).decode()


def decide(
    event: Event, *, settings: CommonSettings, state: AdmissionState, looks_of: LooksOf, now: datetime.datetime
) -> EventAnswer:
    """The answer to *event*, which is in the ledger of the model on return: admitted once, or refused and counted.

    Raises Misconfigured for a kind that there is not.
    """
    if event.kind != ALERT and not event.alert:
        return _on_words(event, settings=settings, state=state, looks_of=looks_of, now=now)
    try:
        message = alerts.read(_decoded(event.alert))
    except alerts.Unreadable as error:
        return _refuse(event, "unreadable", str(error), settings=settings, state=state, now=now)
    asking = [alert for alert in message.alerts if alert.model == settings.model and alert.asks_to_retrain]
    if not asking:
        reason, said = _why_none(message, settings.model)
        return _refuse(event, reason, said, settings=settings, state=state, now=now)
    answers = (_on_alert(alert, event, settings=settings, state=state, looks_of=looks_of, now=now) for alert in asking)
    return _first_admitted(answers)


def recent_looks(objects: Objects, model: str, environment: str) -> list[Look]:
    """The newest looks at *model* in *environment*, oldest first, those of other versions of Argosy left out.

    However often it is looked at, they reach back for days: looks confirm a drift where they are an hour apart. None for a name that is no
    environment's: an alert may hold any.
    """
    if not ENVIRONMENT.fullmatch(environment):
        return []
    prefix = looks.looks_prefix(model, environment)
    keys = [key for key in objects.keys(prefix) if looks.is_look(key)]
    contents = (objects.get(key) for key in [*_before(keys), *keys[-MOST_LOOKS:]])
    found = (looks.parse(content) for content in contents if content is not None)
    return [look for look in found if look is not None]


def _before(keys: Sequence[str]) -> list[str]:
    """Of the looks before the newest, the last of each hour, for the hours that those leave."""
    left = MOST_LOOKS - len({looks.look_hour(key) for key in keys[-MOST_LOOKS:]})
    by_hour = list({looks.look_hour(key): key for key in keys[:-MOST_LOOKS]}.values())
    return by_hour[-left:] if left > 0 else []


def close(
    state: AdmissionState, model: str, holder: str, *, status: str, failures: str, now: datetime.datetime
) -> LedgerEntry | None:
    """Close the retraining of the run *holder*, which ended with *status* and these *failures*; None where it held none.

    Asked again, the answer is the same: a step may be retried.
    """
    failed = [] if status == "Succeeded" else run_failures.parse(failures)
    return state.take_turn(model, lambda ledger: _closed(ledger, holder, status, failed, now))


def note(state: AdmissionState, evidence: Evidence, request: str, now: datetime.datetime) -> None:
    """Say in the ledger what came of the retraining that *evidence* is of, and which *request* was opened.

    Nothing where nobody asked for one. Asked again, the answer is the same: a step may be retried.
    """
    admission = evidence.cause.admission if evidence.cause else None
    if admission:
        state.take_turn(
            evidence.model,
            lambda ledger: (None, retraining_ends.note(ledger, admission, evidence.verdict, request, now)),
        )


def observation(look: Look) -> Observation:
    """What admission goes by of *look*."""
    performance = look.performance
    return Observation(
        until=look.until,
        model_digest=look.model_digest,
        rows=look.rows,
        drifted={"drift": True, "no drift": False}.get(look.verdict),
        distance=look.distance,
        below_gate={"below": True, "holds": False}.get(performance.verdict) if performance is not None else None,
        measured=performance.as_of if performance is not None else None,
    )


def _past(seen: Sequence[Look], settings: CommonSettings, now: datetime.datetime) -> list[Look]:
    """*seen* without those of a clock that was ahead: they would be the newest, and of an earlier version perhaps, until then."""
    due = now + (settings.monitor or Monitor()).due
    return [look for look in seen if look.until <= due]


def _on_alert(
    alert: ReceivedAlert,
    event: Event,
    *,
    settings: CommonSettings,
    state: AdmissionState,
    looks_of: LooksOf,
    now: datetime.datetime,
) -> EventAnswer:
    environment = alert.environment or SERVED_IN
    seen = _past(looks_of(environment), settings, now)
    kind: Kind = "performance" if alert.name in PERFORMANCE_ALERTS else "drift"
    ask = Ask(
        model=settings.model,
        environment=environment,
        kind=kind,
        reference=alert.model_digest,
        # The same alert fires as long as it lasts; what was looked at since is another matter.
        window=_written(_newest(kind, seen) or alert.since),
        holder=event.holder,
        fires=alert.fires,
        text=f"{alert.name or 'an alert'}, since {_written(alert.since)}",
    )
    decision = _decision(ask, seen, settings=settings, state=state, now=now)
    if isinstance(decision, Refused):
        return EventAnswer(decision)
    named = retraining_cause.Alert(
        name=retraining_cause.shortened(alert.name, 200) or ALERT, fingerprint=alert.fingerprint, starts_at=alert.since
    )
    of_it = [look for look in seen if decision.entry.reference in {"", look.model_digest}]
    return EventAnswer(
        decision, _public(causes.of_looks(kind, of_it, alert=named, admission=decision.entry.id), settings)
    )


def _newest(kind: Kind, seen: Sequence[Look]) -> datetime.datetime | None:
    """When that was seen which would confirm a cause of *kind*: looks between two measurements of performance carry the one before."""
    if not seen:
        return None
    performance = seen[-1].performance
    return performance.as_of if kind == "performance" and performance is not None else seen[-1].until


def _on_words(
    event: Event, *, settings: CommonSettings, state: AdmissionState, looks_of: LooksOf, now: datetime.datetime
) -> EventAnswer:
    kind = _kind(event.kind)
    try:
        because = _one_line(_decoded(event.because))
    except alerts.Unreadable as error:
        return _refuse(event, "unreadable", str(error), settings=settings, state=state, now=now)
    seen = _past(looks_of(SERVED_IN), settings, now)
    ask = Ask(
        model=settings.model,
        environment=SERVED_IN,
        kind=kind,
        # A person who asks twice wants it twice.
        window=event.holder if kind == "hand" else because or event.holder,
        holder=event.holder,
        text=because,
    )
    decision = _decision(ask, seen, settings=settings, state=state, now=now)
    if isinstance(decision, Refused):
        return EventAnswer(decision)
    explanation = retraining_cause.shortened(because)
    return EventAnswer(
        decision, Cause(kind=kind, environment=SERVED_IN, explanation=explanation, admission=decision.entry.id)
    )


def _decision(
    ask: Ask, seen: Sequence[Look], *, settings: CommonSettings, state: AdmissionState, now: datetime.datetime
) -> Admitted | Refused:
    shown = [observation(look) for look in seen]
    return state.take_turn(
        settings.model, lambda ledger: retraining_admission.decide(ledger, ask, settings.retraining, shown, now)
    )


def _first_admitted(answers: Iterator[EventAnswer]) -> EventAnswer:
    """The first of *answers* that lets it in, which ends the questions; the last where none does."""
    answer = next(answers)
    while isinstance(answer.decision, Refused) and (following := next(answers, None)) is not None:
        answer = following
    return answer


def _refuse(
    event: Event,
    reason: Reason,
    explanation: str,
    *,
    settings: CommonSettings,
    state: AdmissionState,
    now: datetime.datetime,
) -> EventAnswer:
    """Refuse, and count, what is no ask of this model's."""
    refused = Refused(reason=reason, explanation=explanation)
    # By what is said of it: of messages that are wrong in two ways both are listed.
    ask = Ask(model=settings.model, kind="drift", window=f"{reason}: {explanation}", holder=event.holder)
    state.take_turn(settings.model, lambda ledger: (None, retraining_admission.refuse(ledger, ask, refused, now)))
    return EventAnswer(refused)


def _why_none(message: alerts.Message, model: str) -> tuple[Reason, str]:
    about = sorted({alert.model for alert in message.alerts} - {model})
    if any(alert.model == model for alert in message.alerts):
        return "not wanted", f"no alert about {model} has the label {alerts.RETRAIN}=true"
    named = ", ".join(about[:3]) or "no model"
    return "unknown model", f"the message is about {named}; this is the retraining of {model}"


def _closed(
    ledger: RetrainingLedger, holder: str, status: str, failed: Sequence[FailedStep], now: datetime.datetime
) -> tuple[LedgerEntry | None, RetrainingLedger]:
    held = next((entry for entry in reversed(ledger.admissions) if entry.holder == holder), None)
    if held is None:
        return held, ledger
    closed = retraining_ends.close(ledger, holder, status, failed, now)
    return next(entry for entry in closed.admissions if entry.id == held.id), closed


def _decoded(text: str) -> str:
    if not text.startswith(BASE64):
        return text
    if len(text) > LONGEST:  # before anything is decoded
        raise alerts.Unreadable(f"the message has {len(text):,} characters; at most {LONGEST:,} are read")
    try:
        return base64.b64decode(text.removeprefix(BASE64), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise alerts.Unreadable("the message is no base64 of a text") from None


def _kind(text: str) -> Kind:
    kinds = {kind: kind for kind in get_args(Kind)}
    if text not in kinds:
        raise errors.Misconfigured(f"kind is {text!r}; expected {ALERT}, {', '.join(kinds)}")
    kind: Kind = kinds[text]
    return kind


def _public(cause: Cause, settings: CommonSettings) -> Cause:
    """*cause* without the columns that the contract calls personal."""
    return cause.without(settings.personal)


def _one_line(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return retraining_cause.shortened(printable, MOST_WORDS)


def _written(moment: datetime.datetime) -> str:
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
