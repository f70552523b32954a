"""What the demonstration demands of what it shows: a stage in which something else happened ends it, with one line of what that was."""

import datetime
from collections.abc import Collection

from argosy import errors
from argosy.cli.demonstration.alertmanager import ALERT
from argosy.cli.demonstration.script import Mishap
from argosy.domain.evidence import Evidence
from argosy.domain.retraining_admission import Reason, Refusals, RetrainingLedger

HOUR = datetime.timedelta(hours=1)
HELD_UP: frozenset[Reason] = frozenset({"cooldown", "budget", "stopped", "answered"})
"""Why an alert is refused where a retraining was let in before: each is what the settings promise."""


def next_look(now: datetime.datetime) -> datetime.datetime:
    """The end of the look that is due an hour after *now*: nobody who watches the demonstration waits for it, so it is asked for."""
    return now + HOUR


def drift_seen(seen: str, environment: str) -> None:
    """Demand that a look, which said *seen*, saw drift."""
    if not seen.startswith(f"{environment}: drift"):
        raise errors.ArgosyError(
            f"the demo stopped: a look at unusual traffic saw no drift: {seen or 'it said nothing'}"
        )


def retrained_once(ledger: RetrainingLedger, run: str, evidence: Evidence | None, mishap: Mishap) -> str:
    """Demand that *run* was let in, for the alert, and that the gates, the one of *mishap* among them, kept what it made out.

    Returns that, in a sentence.
    """
    entry = ledger.of_run(run)
    if entry is None:
        raise errors.ArgosyError(f"the demo stopped: the alert started no retraining: {refusal(ledger)}")
    if entry.outcome != "rejected" or evidence is None or evidence.verdict != "reject":
        verdict = f"its verdict is {evidence.verdict!r}" if evidence else "it came to no verdict"
        raise errors.ArgosyError(
            f"the demo stopped: {mishap.says}, and the gates were to refuse what was learned from that; retraining {entry.id} ended as "
            f"{entry.outcome or 'running'!r}, and {verdict}: argosy logs {run}"
        )
    failed = [gate.gate for gate in evidence.failed]
    if mishap.stopped_by not in failed:
        raise errors.ArgosyError(
            f"the demo stopped: {mishap.stopped_by} was to refuse the retraining, and {', '.join(failed) or 'no gate'} did: "
            f"argosy logs {run}"
        )
    if evidence.cause is None or evidence.cause.alert is None or evidence.cause.alert.name != ALERT:
        raise errors.ArgosyError(f"the demo stopped: the evidence of {run} does not say that {ALERT} asked for it")
    return f"Let in once, as {entry.id}, and refused by {', '.join(failed)}: nothing is proposed, and what is served stays."


def held_up(ledger: RetrainingLedger) -> None:
    """Demand that the newest refusal is because of the retraining before."""
    if not ledger.refusals or _newest(ledger).reason not in HELD_UP:
        lost = f"; where nothing runs any more: argosy retrain {ledger.model} --release" if ledger.running else ""
        raise errors.ArgosyError(
            f"the demo stopped: an earlier retraining was to hold this one up: {refusal(ledger)}{lost}"
        )


def nothing_changed(admitted: int, reasons: Collection[str], expected: Collection[str]) -> None:
    """Demand that one alert, repeated, was *admitted* no time, and refused for none but the *expected* reasons."""
    if admitted or not reasons or not set(reasons) <= set(expected):
        raise errors.ArgosyError(
            f"the demo stopped: one alert, repeated, was let in {admitted} times and refused as {', '.join(reasons) or 'nothing'}; "
            f"expected: never, and {' or '.join(sorted(expected))}"
        )


def refusal(ledger: RetrainingLedger) -> str:
    """The newest refusal, in words."""
    if not ledger.refusals:
        return "nothing is in its ledger"
    newest = _newest(ledger)
    return f"{newest.reason}: {newest.explanation}"


def _newest(ledger: RetrainingLedger) -> Refusals:
    return max(ledger.refusals, key=lambda each: each.last)
