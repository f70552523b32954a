"""How a run ended, in the words that a person reads first. Every view of a report opens with the same ones."""

from dataclasses import dataclass
from typing import Literal

from argosy.domain.evidence import Evidence, GateResult
from argosy.report import ledger
from argosy.report.record import RunReport

Tone = Literal["good", "bad", "wait", "plain"]


@dataclass(frozen=True)
class Outcome:
    """The end of a run: one word, whether it is good news, a headline and what it means."""

    word: str
    tone: Tone
    headline: str
    detail: str


def of(report: RunReport) -> Outcome:
    """How *report*'s run ended."""
    stopped = report.failure
    # A verdict of no ends `propose` with a failure: the verdict is then the news, not the step.
    if stopped and not (stopped.template == "propose" and report.evidence and report.evidence.verdict != "promote"):
        detail = stopped.error or stopped.message or report.facts.message
        return Outcome("stopped", "bad", f"The run stopped in {ledger.label_of(stopped.name)}", detail)
    if report.evidence:
        return _of_verdict(report.evidence)
    if report.facts.phase in {"Running", "Pending"}:
        return Outcome("running", "wait", "The run has not ended", report.facts.message)
    if report.facts.phase == "Succeeded":
        return Outcome("done", "plain", "The run ended without a verdict", report.facts.message)
    return Outcome("stopped", "bad", "The run stopped", report.facts.message)


def _of_verdict(evidence: Evidence) -> Outcome:
    gates = f"{len(gating(evidence.gates))} gates"
    if evidence.verdict == "promote":
        return Outcome("promote", "good", f"Ready for review: all {gates} hold", evidence.explanation)
    if evidence.verdict == "champion":
        return Outcome("champion", "plain", "Already in production", evidence.explanation)
    if evidence.verdict == "inconclusive":
        return Outcome("inconclusive", "wait", "Held back: the data cannot tell", evidence.explanation)
    failed = len(evidence.failed)
    if not failed:
        return Outcome("reject", "bad", "Rejected", evidence.explanation)
    return Outcome("reject", "bad", f"Rejected: {failed} of {gates} failed", evidence.explanation)


def gating(gates: list[GateResult]) -> list[GateResult]:
    """The gates that can hold a model back; an accepted deviation cannot."""
    return [gate for gate in gates if not gate.deviation]
