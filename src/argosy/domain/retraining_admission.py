"""Whether a model is trained again, now, because somebody or something asks for it.

Anything may ask, any number of times: Argo Events delivers at least once and does not limit. An alert is a hint, what the newest looks
show is believed. Pure: a ledger and an ask in, a decision and the next ledger out. Who keeps the ledger sees to it that two do not decide
at once.
"""

import datetime
from collections.abc import Sequence
from typing import Literal

from pydantic import AwareDatetime, Field

from argosy.domain import documents
from argosy.domain.documents import Document
from argosy.domain.evidence import VerdictWord
from argosy.domain.retraining_cause import Kind
from argosy.domain.retraining_settings import Retraining

Reason = Literal[
    "unreadable",
    "unknown model",
    "resolved",
    "not wanted",
    "other version",
    "duplicate",
    "in flight",
    "stopped",
    "no look",
    "too few rows",
    "not confirmed",
    "answered",
    "cooldown",
    "budget",
]
"""Why an ask is refused. Series and tables name them, so they stay."""

Outcome = Literal["requested", "served already", "inconclusive", "rejected", "bad data", "failed", "lost"]
"""Requested: a request was opened. Served already: the model that came of it is in its place, or was merged. Inconclusive: the newest rows
could not tell. Rejected: the gates said no. Bad data: it came to no model. Failed: it broke. Lost: nobody said how it ended, and its lease
is over. How each comes about is ``argosy.domain.retraining_ends``' word."""

KEPT_ADMISSIONS = 50
KEPT_REFUSALS = 100
KEPT_OF_A_REASON = 20
"""So that what comes often, such as messages that nobody can read, leaves room for the others."""

DAY = datetime.timedelta(days=1)
APART = datetime.timedelta(minutes=50)
"""Between the ends of two looks that both count: an hour, less what a cluster may start one late and the next one in time."""


class Observation(Document):
    """What one look showed, as far as admission goes by it."""

    until: AwareDatetime
    model_digest: str
    rows: int
    drifted: bool | None = None
    """None where it had too few rows to say."""
    distance: float = 0.0
    """Jensen-Shannon distance of the column that is farthest from the reference, free of what is usual there."""
    below_gate: bool | None = None
    """Whether the real performance is below its gate; None where too few labels are there to say."""
    measured: AwareDatetime | None = None
    """When that was measured: a look between two measurements carries the one before."""


class Ask(Document):
    """Somebody or something that wants a model trained again."""

    model: str
    environment: str = ""
    kind: Kind
    reference: str = ""
    """Digest of the model that is to be replaced; that of the newest look where the asker does not know."""
    window: str
    """What happened, and when, as the asker names it: equal asks have equal windows."""
    holder: str
    """The run that asks. Asked again by the same run, the answer is the same: a step may be retried."""
    fires: bool = True
    """False for an alert that is over."""
    text: str = ""
    """Who or what asks, in a few words."""

    @property
    def identity(self) -> str:
        """The name of what is asked: asks about one thing, however often they come, have one."""
        parts = [self.model, self.environment, self.kind, self.reference, self.window]
        return documents.sha256(documents.canonical_json(parts).encode()).removeprefix("sha256:")[:16]


class LedgerEntry(Document):
    """A retraining that was let in."""

    id: str
    identity: str
    kind: Kind
    environment: str
    reference: str
    holder: str
    at: AwareDatetime
    lease_until: AwareDatetime
    text: str = ""
    ended: AwareDatetime | None = None
    outcome: Outcome | None = None
    why: str = ""
    """The steps in which it ended, and how, where it did not succeed."""
    verdict: VerdictWord | None = None
    """What the evaluation said of the model that came of it; None where it came to none, and from an earlier Argosy."""
    request: str = ""
    """The request that was opened: its number, and where it is."""

    @property
    def run(self) -> str:
        """The run, or workflow, that it was let in for."""
        return self.holder.partition(" ")[0]

    @property
    def runs(self) -> bool:
        """True until it is said how it ended."""
        return self.outcome is None


class Refusals(Document):
    """The asks about one thing that were refused for one reason."""

    identity: str
    kind: Kind
    reason: Reason
    explanation: str
    count: int
    first: AwareDatetime
    last: AwareDatetime
    text: str = ""
    holder: str = ""
    """The run that asked last."""


class RetrainingLedger(Document):
    """What is remembered of one model's retrainings."""

    model: str
    admissions: list[LedgerEntry] = []
    """Newest last."""
    refusals: list[Refusals] = []
    """The latest, by the time of their last one; how many there ever were is in ``refused``."""
    refused: dict[Reason, int] = {}
    admitted: int = Field(default=0, ge=0)
    stop_after: int = Field(default=Retraining().stop_after, ge=1)
    """After how many retrainings in a row that led to no request a person has to look, by the settings that were last asked with."""

    @property
    def running(self) -> LedgerEntry | None:
        """The retraining that is in flight."""
        return next((admission for admission in self.admissions if admission.runs), None)

    def of_run(self, run: str) -> LedgerEntry | None:
        """The retraining that the run, or workflow, named *run* was let in for."""
        return next((entry for entry in self.admissions if entry.run == run), None)


class Admitted(Document):
    """Yes: train."""

    entry: LedgerEntry


class Refused(Document):
    """No, and why."""

    reason: Reason
    explanation: str
    """One sentence."""

    @property
    def line(self) -> str:
        """What is told of it."""
        return f"{REFUSED}{self.reason}: {self.explanation}"


REFUSED = "refused, "
"""What the line of a refusal begins with."""


def decide(
    ledger: RetrainingLedger, ask: Ask, rules: Retraining, observations: Sequence[Observation], now: datetime.datetime
) -> tuple[Admitted | Refused, RetrainingLedger]:
    """The answer to *ask*, and the ledger in which it stands.

    *observations*: what the looks showed, in any order; of those at one version that are less than an hour apart the newest counts.
    """
    ledger = _without_lost(ledger, now).model_copy(update={"stop_after": rules.stop_after})
    in_order = _apart(observations)
    ask = ask.model_copy(update={"reference": ask.reference or _served(in_order)})
    decision = _again(ledger, ask) or _refusal(ledger, ask, rules, in_order, now)
    if isinstance(decision, Admitted):
        return decision, ledger
    if decision is not None:
        return decision, refuse(ledger, ask, decision, now)
    admission = LedgerEntry(
        id=f"{ask.model}-{_utc(now):%Y%m%dT%H%M%SZ}-{ask.identity[:8]}",
        identity=ask.identity,
        kind=ask.kind,
        environment=ask.environment,
        reference=ask.reference,
        holder=ask.holder,
        at=now,
        lease_until=now + datetime.timedelta(hours=rules.lease_hours),
        text=ask.text,
    )
    kept = [*ledger.admissions, admission][-KEPT_ADMISSIONS:]
    return Admitted(entry=admission), ledger.model_copy(update={"admissions": kept, "admitted": ledger.admitted + 1})


def _apart(observations: Sequence[Observation]) -> list[Observation]:
    """The newest look at each version, and those before it that are an hour apart, oldest first.

    A look that was taken again has seen the same predictions and confirms nothing: a step that was retried, a schedule that ran twice,
    somebody who looked between two hours. By the time between them, not by the clock's hour: of that, two that are seconds apart may be
    in different ones.
    """
    kept: list[Observation] = []
    for each in sorted(observations, key=lambda each: each.until, reverse=True):
        later = next((one for one in reversed(kept) if one.model_digest == each.model_digest), None)
        if later is None or later.until - each.until >= APART:
            kept.append(each)
    return kept[::-1]


def _measurements(observations: Sequence[Observation]) -> list[Observation]:
    """The newest of *observations* with each measurement of performance: those that carry one and the same do not confirm one another."""
    newest = {(each.model_digest, each.measured or each.until): each for each in observations}
    return list(newest.values())


def refuse(ledger: RetrainingLedger, ask: Ask, refused: Refused, now: datetime.datetime) -> RetrainingLedger:
    """*ledger* with one more refusal counted; as it is where this run was told so before: its step was retried."""
    same = [each for each in ledger.refusals if (each.identity, each.reason) == (ask.identity, refused.reason)]
    if any(each.holder == ask.holder for each in same):
        return ledger
    others = [each for each in ledger.refusals if each not in same]
    counted = Refusals(
        identity=ask.identity,
        kind=ask.kind,
        reason=refused.reason,
        explanation=refused.explanation,
        count=1 + sum(each.count for each in same),
        first=min([now, *(each.first for each in same)]),
        last=now,
        text=ask.text,
        holder=ask.holder,
    )
    of_it = [each for each in others if each.reason == refused.reason]
    others = [each for each in others if each not in of_it[: 1 - KEPT_OF_A_REASON]]
    totals = {**ledger.refused, refused.reason: ledger.refused.get(refused.reason, 0) + 1}
    return ledger.model_copy(update={"refusals": [*others, counted][-KEPT_REFUSALS:], "refused": totals})


def _without_lost(ledger: RetrainingLedger, now: datetime.datetime) -> RetrainingLedger:
    """*ledger*, in which what nobody ended in time has ended."""
    admissions = [
        admission.model_copy(update={"outcome": "lost", "ended": admission.lease_until})
        if admission.runs and admission.lease_until <= now
        else admission
        for admission in ledger.admissions
    ]
    return ledger.model_copy(update={"admissions": admissions})


def _again(ledger: RetrainingLedger, ask: Ask) -> Admitted | None:
    """The answer that the same run was given before: its step was retried after the ledger was written."""
    running = ledger.running
    return Admitted(entry=running) if running is not None and running.holder == ask.holder else None


def _served(observations: Sequence[Observation]) -> str:
    """The digest of the model that the newest look is at; empty where there is none."""
    return observations[-1].model_digest if observations else ""


def _refusal(
    ledger: RetrainingLedger, ask: Ask, rules: Retraining, observations: Sequence[Observation], now: datetime.datetime
) -> Refused | None:
    """Why *ask* is refused; None where it is not. What is true of the ask alone comes before what is true of the moment."""
    if refused := _unwanted(ask, rules, _served(observations)) or _known_already(ledger, ask):
        return refused
    of_it = [each for each in observations if ask.reference in {"", each.model_digest}]
    if ask.kind == "performance":
        of_it = _measurements(of_it)
    return None if ask.kind == "hand" else _held_up(ledger, ask, rules, of_it, now)


def _held_up(
    ledger: RetrainingLedger, ask: Ask, rules: Retraining, observations: Sequence[Observation], now: datetime.datetime
) -> Refused | None:
    return (
        _stopped(ledger, ask, rules)
        or (_unconfirmed(ask, rules, observations, now) if ask.kind in {"drift", "performance"} else None)
        or _answered(ledger, ask, rules, observations, now)
        or _too_soon(ledger, rules, now)
    )


def _unwanted(ask: Ask, rules: Retraining, served: str) -> Refused | None:
    if not ask.fires:
        return Refused(reason="resolved", explanation="the alert is over")
    if served and ask.reference not in {"", served}:
        return Refused(
            reason="other version",
            explanation=f"it is about {ask.reference}, and the newest look is at {served}: that version serves no more",
        )
    if ask.kind not in rules.on and ask.kind != "hand":
        return Refused(
            reason="not wanted", explanation=f"`retraining.on` in model.yaml does not name {ask.kind!r} as a cause"
        )
    return None


def _known_already(ledger: RetrainingLedger, ask: Ask) -> Refused | None:
    earlier = next((each for each in reversed(ledger.admissions) if each.identity == ask.identity), None)
    if earlier is not None:
        return Refused(reason="duplicate", explanation=f"{earlier.id} was started for it at {_shown(earlier.at)}")
    if running := ledger.running:
        return Refused(
            reason="in flight",
            explanation=f"{running.id} runs since {_shown(running.at)}; it counts as lost from {_shown(running.lease_until)} on; where its "
            f"run was cut off, go on with it (argosy resume {running.run}) or give it up (argosy retrain {ask.model} --release)",
        )
    return None


def _stopped(ledger: RetrainingLedger, ask: Ask, rules: Retraining) -> Refused | None:
    failed = failures(ledger, ask.reference)
    if failed < rules.stop_after:
        return None
    return Refused(
        reason="stopped",
        explanation=f"the last {failed} retrainings of this version led to no request; look at why, then start one by hand: "
        f"argosy retrain {ask.model} --because TEXT",
    )


def failures(ledger: RetrainingLedger, reference: str) -> int:
    """Retrainings in a row, up to the newest, that led to no request, since *reference* has been served.

    One whose model is in its place already failed in nothing, and mended nothing: it neither counts nor begins the count anew.
    """
    count = 0
    for admission in reversed(ledger.admissions):
        if admission.outcome == "requested" or (reference and admission.reference not in {"", reference}):
            break
        count += not admission.runs and admission.outcome != "served already"
    return count


def _unconfirmed(
    ask: Ask, rules: Retraining, observations: Sequence[Observation], now: datetime.datetime
) -> Refused | None:
    """Why the looks do not bear out what an alert says."""
    oldest = now - datetime.timedelta(hours=rules.enter.hours)
    newest = [each for each in observations if each.until >= oldest][-rules.enter.of :]
    if not observations:
        return Refused(
            reason="no look",
            explanation=f"there is no look at it: no version is served there, or nothing watches it; `argosy drift {ask.model}` says which",
        )
    if not newest:
        return Refused(
            reason="no look",
            explanation=f"nobody looked at its predictions within {rules.enter.hours:g} hours (`retraining.enter`)",
        )
    if len(newest) < rules.enter.looks:
        return Refused(
            reason="not confirmed",
            explanation=f"{_looks(len(newest))} at it within {rules.enter.hours:g} hours, counted once {_once(ask)}; "
            f"{rules.enter.looks} have to show it (`retraining.enter`)",
        )
    if rules.enter.looks > (telling := sum(_shows(each, ask, rules) is not None for each in newest)):
        enough = (
            "labels (`labels.minimum_rows`)" if ask.kind == "performance" else "to judge by (`monitor.minimum_rows`)"
        )
        return Refused(
            reason="too few rows",
            explanation=f"{telling} of the newest {_looks(len(newest))} can tell, {rules.enter.looks} have to: each needs "
            f"{rules.minimum_rows} rows (`retraining.minimum_rows`; the newest has {newest[-1].rows}) and enough {enough}",
        )
    agreed = sum(_shows(each, ask, rules) is True for each in newest)
    if agreed < rules.enter.looks:
        return Refused(
            reason="not confirmed",
            explanation=f"{agreed} of the newest {_looks(len(newest))} show{'s' * (agreed == 1)} it; "
            f"{rules.enter.looks} of {rules.enter.of} have to (`retraining.enter`)",
        )
    return None


def _once(ask: Ask) -> str:
    return "a measurement (`labels.every`)" if ask.kind == "performance" else "an hour"


def _looks(number: int) -> str:
    return f"{number} look{'s' * (number != 1)}"


def _shows(observation: Observation, ask: Ask, rules: Retraining) -> bool | None:
    """Whether a look shows what *ask* is about; None where it cannot say."""
    if observation.rows < rules.minimum_rows:
        return None
    if ask.kind == "performance":
        return observation.below_gate
    if observation.drifted is None:
        return None
    return observation.drifted and observation.distance >= rules.enter.distance


def _answered(
    ledger: RetrainingLedger, ask: Ask, rules: Retraining, observations: Sequence[Observation], now: datetime.datetime
) -> Refused | None:
    """Why nothing more is to be done: a request that answers this waits for its merge, and what it answers never was over."""
    # What was tried since and opened none has left it where it is.
    last = next((each for each in reversed(ledger.admissions) if each.outcome == "requested"), None)
    if last is None or ask.kind not in {"drift", "performance"}:
        return None
    since = last.ended or last.at
    waits = now < since + datetime.timedelta(hours=rules.request_hours)
    if (
        not waits
        or last.reference != ask.reference
        or last.kind != ask.kind
        or _left(observations, ask, rules, last.at)
    ):
        return None
    return Refused(
        reason="answered",
        explanation=f"{last.id} opened {_named(last)} for it, which waits since {_shown(since)}: merge or close it",
    )


def _named(entry: LedgerEntry) -> str:
    number = entry.request.partition(" ")[0]
    return f"request {number}" if number else "a request"


def _left(observations: Sequence[Observation], ask: Ask, rules: Retraining, since: datetime.datetime) -> bool:
    """True where, after *since*, what *ask* is about was over for as many looks in a row as it takes."""
    row = 0
    for observation in observations:
        if observation.until <= since or _shows(observation, ask, rules) is None:
            continue
        row = row + 1 if _is_over(observation, ask, rules) else 0
        if row >= rules.leave.looks:
            return True
    return False


def _is_over(observation: Observation, ask: Ask, rules: Retraining) -> bool:
    if ask.kind == "performance":
        return observation.below_gate is False
    return observation.drifted is False and observation.distance < rules.leave.distance


def _too_soon(ledger: RetrainingLedger, rules: Retraining, now: datetime.datetime) -> Refused | None:
    # A clock that was set back makes the last one seem to end in the future: then it is too soon, never twice.
    ended = max((each.ended or each.at for each in ledger.admissions), default=None)
    if ended is not None and now < (free := ended + datetime.timedelta(hours=rules.cooldown_hours)):
        return Refused(
            reason="cooldown",
            explanation=f"the last one ended at {_shown(ended)}; the next may start at {_shown(free)}",
        )
    started = [each.at for each in ledger.admissions if each.at > now - DAY]
    if len(started) >= rules.per_day:
        return Refused(
            reason="budget",
            explanation=f"{len(started)} started within 24 hours, as many as `retraining.per_day` allows; the next may at "
            f"{_shown(sorted(started)[-rules.per_day] + DAY)}",
        )
    return None


def _utc(moment: datetime.datetime) -> datetime.datetime:
    return moment.astimezone(datetime.UTC)


def _shown(moment: datetime.datetime) -> str:
    return f"{_utc(moment):%Y-%m-%d %H:%M} UTC"
