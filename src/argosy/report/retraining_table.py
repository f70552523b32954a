"""The retrainings of a model on a terminal: what was let in and how it ended, what was refused and why."""

import datetime
from collections.abc import Iterator

from argosy.domain.retraining_admission import LedgerEntry, Refusals, RetrainingLedger
from argosy.report import plain_text


def text(ledger: RetrainingLedger) -> str:
    """The *ledger*, the newest first."""
    return "\n".join(_lines(ledger))


def _lines(ledger: RetrainingLedger) -> Iterator[str]:
    refused = ", ".join(f"{count} {reason}" for reason, count in sorted(ledger.refused.items()))
    yield f"{ledger.model}: {ledger.admitted} admitted, {sum(ledger.refused.values())} refused{f' ({refused})' if refused else ''}"
    for entry in reversed(ledger.admissions):
        yield f"  {_written(entry.at)}  {_outcome(entry):<14} {entry.kind:<12} {entry.id}{_said(entry.text)}{_ended(entry)}"
    for refusals in reversed(ledger.refusals):
        yield f"  {_written(refusals.last)}  refused        {_why(refusals)}"


def _outcome(entry: LedgerEntry) -> str:
    return entry.outcome or "runs"


def _ended(entry: LedgerEntry) -> str:
    request = f"request {plain_text.line(entry.request)}" if entry.request else ""
    told = ", ".join(filter(None, [plain_text.line(entry.why), request]))
    return f": {told}" if told else ""


def _why(refusals: Refusals) -> str:
    times = f", {refusals.count} times since {_written(refusals.first)}" if refusals.count > 1 else ""
    return f"{refusals.reason}: {plain_text.line(refusals.explanation)}{_said(refusals.text)}{times}"


def _said(words: str) -> str:
    return f" ({plain_text.line(words)})" if words else ""


def _written(moment: datetime.datetime) -> str:
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M}"


def refusal(ledger: RetrainingLedger, run: str) -> str:
    """Why *run* was refused, in a line. Others may ask about the same model meanwhile, and the ledger knows each refusal's last run."""
    found = next((each for each in reversed(ledger.refusals) if each.holder.partition(" ")[0] == run), None)
    if found is None:
        return f"refused; argosy logs {run} says why"
    return f"refused, {found.reason}: {plain_text.line(found.explanation)}"
