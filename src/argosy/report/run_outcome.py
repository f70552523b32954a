"""The outcome of a run, in the words that a person reads first. Every view of a report opens with the same ones."""

from dataclasses import dataclass
from typing import Literal

from argosy.domain import as_of
from argosy.domain.evidence import Evidence, counting, tally
from argosy.domain.retraining_admission import REFUSED
from argosy.report import timeline
from argosy.report.record import RunReport

Tone = Literal["good", "bad", "wait", "plain"]
NOT_LET_IN = "refused"
"""The word for a run that asked for a retraining and was told no: none of the pipeline's steps had a turn."""


PARTIAL = "part"
"""The word for a run that was to be part of its pipeline only."""


@dataclass(frozen=True)
class Outcome:
    """The end of a run: one word, whether it is good news, a headline and what it means."""

    word: str
    tone: Tone
    headline: str
    detail: str


def of(report: RunReport) -> Outcome:
    """The outcome of *report*'s run."""
    stopped = report.failure
    # A verdict of no ends `propose` with a failure: the verdict is then the news, not the step.
    if stopped and not (stopped.template == "propose" and report.evidence and report.evidence.verdict != "promote"):
        detail = (stopped.error or stopped.message or report.facts.message).removeprefix("error: ")
        return Outcome("stopped", "bad", f"The run stopped in {timeline.label_of(stopped.name)}", detail)
    if report.facts.part and report.facts.phase == "Succeeded":
        return _of_part(report.facts.part, report.evidence)
    if report.evidence:
        return _of_verdict(report.evidence)
    if report.facts.phase in {"Running", "Pending"}:
        return Outcome("running", "wait", "The run has not ended", report.facts.message)
    if (decision := report.results.get("decision", "")).startswith(REFUSED):
        reason, _, why = decision.removeprefix(REFUSED).partition(": ")
        return Outcome(NOT_LET_IN, "plain", f"Not trained again: {reason}", why)
    if report.facts.phase == "Succeeded":
        return Outcome("done", "plain", "The run ended without a verdict", report.facts.message)
    return Outcome("stopped", "bad", "The run stopped", report.facts.message)


def _of_part(part: str, evidence: Evidence | None) -> Outcome:
    """Of a run that ended where it was told to: it proposes nothing, whatever its gates say."""
    said = f"Nothing is proposed by it. Its verdict would be: {_of_verdict(evidence).headline}" if evidence else ""
    return Outcome(PARTIAL, "plain", f"Part of a run: {part}", said)


def _of_verdict(evidence: Evidence) -> Outcome:
    if evidence.verdict == "promote":
        all_hold = f"all {len(counting(evidence.gates))} gates hold"
        headline = (
            f"As of {as_of.text(evidence.as_of)} {all_hold}" if evidence.as_of else f"Ready for review: {all_hold}"
        )
        return Outcome("promote", "good", headline, evidence.explanation)
    if evidence.verdict == "champion":
        return Outcome("champion", "plain", "Already in production", evidence.explanation)
    if evidence.verdict == "inconclusive":
        told = all(result.compared for result in (evidence.comparison, evidence.recent) if result)
        why = "the data cannot tell" if told else "it could not be compared with the champion"
        return Outcome("inconclusive", "wait", f"Held back: {why}", evidence.explanation)
    headline = f"Rejected: {tally(evidence.gates)}" if evidence.failed else "Rejected"
    # The explanation opens with the tally too; a person reads it once.
    return Outcome("reject", "bad", headline, evidence.explanation.removeprefix(f"{tally(evidence.gates)}: "))
