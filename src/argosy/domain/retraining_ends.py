"""How a retraining ended, and what the ledger says of it.

What is known of it comes from two sides: the step that asks for a promotion says what the evaluation found and which request there is, as
soon as it knows; the exit handler says that the run is over. Pure: a ledger in, the next one out.
"""

import datetime
from collections.abc import Callable, Sequence

from argosy import errors
from argosy.domain.evidence import VerdictWord
from argosy.domain.retraining_admission import LedgerEntry, Outcome, RetrainingLedger
from argosy.domain.run_failures import FailedStep

OF_DATA = frozenset({"ingest", "validate"})
"""Steps whose no is about the data."""

MOST_NAMED = 5
"""Failed steps that a ledger names."""


def note(
    ledger: RetrainingLedger, admission: str, verdict: VerdictWord, request: str, now: datetime.datetime
) -> RetrainingLedger:
    """*ledger* after the retraining *admission* came to a model with that *verdict*, and to *request*, empty where there is none.

    A run that was taken up again after its end may come to a request all the same: then that is how it ended.
    """
    return _changed(ledger, admission, lambda entry: _noted(entry, verdict, request, now))


def _noted(entry: LedgerEntry, verdict: VerdictWord, request: str, now: datetime.datetime) -> LedgerEntry:
    entry = entry.model_copy(update={"verdict": verdict, "request": request or entry.request})
    if entry.runs or not request:
        return entry
    return entry.model_copy(update={"outcome": "requested", "ended": now, "why": ""})


def close(
    ledger: RetrainingLedger, holder: str, status: str, failed: Sequence[FailedStep], now: datetime.datetime
) -> RetrainingLedger:
    """*ledger* after the run *holder* ended with the workflow's *status* and the steps that *failed*.

    Unchanged where none of its retrainings is in flight, unless it was taken up after its end and succeeded.
    """
    held = next((entry for entry in ledger.admissions if entry.holder == holder and _is_open(entry, status)), None)
    if held is None:
        return ledger
    ended = {"outcome": outcome(held, status, failed), "ended": now, "why": why(failed)}
    return _changed(ledger, held.id, lambda entry: entry.model_copy(update=ended))


def _is_open(entry: LedgerEntry, status: str) -> bool:
    return entry.runs or (status == "Succeeded" and entry.outcome in ("failed", "lost"))


def outcome(entry: LedgerEntry, status: str, failed: Sequence[FailedStep] = ()) -> Outcome:
    """How the retraining *entry* ended, by the workflow's *status*, the steps that *failed*, and what was noted of it before."""
    if status == "Succeeded":
        # Of a run whose steps note nothing, as those of earlier Argosys, this is what is most likely.
        return "served already" if entry.verdict and not entry.request else "requested"
    ended = [step for step in failed if step.exit_code is not None]
    if {step.exit_code for step in ended} != {errors.Rejected.exit_code}:
        return "failed"
    if entry.verdict == "inconclusive":
        return "inconclusive"
    return "bad data" if {step.name for step in ended} <= OF_DATA else "rejected"


def why(failed: Sequence[FailedStep]) -> str:
    """The steps that *failed*, in a line; no text of theirs, which may hold anything."""
    ended = (
        step.name if step.exit_code is None else f"{step.name} ended with {step.exit_code}"
        for step in failed[:MOST_NAMED]
    )
    return ", ".join(ended) + f" and {len(failed) - MOST_NAMED} more" * (len(failed) > MOST_NAMED)


def _changed(
    ledger: RetrainingLedger, admission: str, change: Callable[[LedgerEntry], LedgerEntry]
) -> RetrainingLedger:
    entries = [change(entry) if entry.id == admission else entry for entry in ledger.admissions]
    return ledger.model_copy(update={"admissions": entries})
