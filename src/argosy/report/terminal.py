"""A run in a few lines: verdict, the gates that failed with their numbers, the request, where the minutes went.

Printed after a run; whoever wants more opens the page.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from argosy.domain.evidence import ComparisonResult, Evidence, GateResult
from argosy.report import formats, plain_text, run_outcome, timeline, views
from argosy.report.record import Entry, Facts, RunReport

COSTLIEST = 5
"""The number of tasks that the line on time names."""


def summary(report: RunReport, page: Path | None = None) -> str:
    """The lines, without colour, ending without a newline. *page*: where the whole report was written."""
    return "\n".join(_lines(report, page))


def _lines(report: RunReport, page: Path | None) -> Iterator[str]:
    end = run_outcome.of(report)
    yield f"{report.facts.model}: {end.headline}"
    if end.detail and not (report.evidence and report.evidence.failed):
        yield f"  {end.detail}"
    if cause := report.cause:
        yield f"  cause     {cause.kind}{f': {plain_text.line(cause.explanation)}' if cause.explanation else ''}"
    if report.evidence and end.word != "stopped":
        yield from _of_evidence(report.evidence)
    if version := report.results.get("version"):
        digest = f", model {formats.short(report.evidence.model_digest)}" if report.evidence else ""
        yield f"  version   {version}{digest}"
    if request := views.request(report):
        how = f"argosy pr view {request.number}" if request.local else request.where
        yield f"  request   {request.number} waits for review: {how}"
    yield f"  time      {time(report.facts, report.entries)}"
    if took := reaction(report):
        yield f"  loop      {took}"
    if report.facts.peak_bytes is not None:
        yield f"  memory    {formats.size(report.facts.peak_bytes)} at its peak"
    if page is not None:
        yield f"  report    {page}"


def reaction(report: RunReport) -> str | None:
    """The time from the first shifted prediction to the end of the retraining, in parts; None where nobody knows since when."""
    found = timeline.reaction(report.cause, report.facts, report.entries)
    if found is None:
        return None
    parts = ", ".join(f"{label} {formats.seconds(taken)}" for label, taken in found.parts)
    return f"{formats.seconds(found.total)} from the first shifted prediction to {found.end} ({parts})"


def _of_evidence(evidence: Evidence) -> Iterator[str]:
    for gate in evidence.failed:
        yield f"  failed    {_gate(gate)}"
    held = [
        f"{view.name} {len(view.gates) - view.failed}/{len(view.gates)}"
        for view in views.dimensions(evidence)
        if view.gates
    ]
    yield f"  gates     {', '.join(held)}"
    if evidence.comparison:
        yield f"  champion  {_compared(evidence.comparison)}"
    if evidence.recent:
        yield f"  recent    {_compared(evidence.recent)}"


def _compared(comparison: ComparisonResult) -> str:
    if not comparison.compared:
        return "not compared"
    change = f"{formats.number(comparison.candidate)} against {formats.number(comparison.champion)}"
    return f"{comparison.outcome}: {formats.words(comparison.metric)} {change}"


def _gate(gate: GateResult) -> str:
    would = f"; would pass: {gate.would_pass}" if gate.would_pass else ""
    return f"{gate.gate}: {formats.number(gate.measured)}, limit {formats.bound(gate.limit)}{would}"


def time(facts: Facts, entries: Sequence[Entry]) -> str:
    """The duration of the run, and the tasks that took most of it."""
    times = timeline.of(facts, entries)
    costliest = sorted((row for row in times.rows if row.work), key=lambda row: -row.wall)[:COSTLIEST]
    parts = ", ".join(f"{row.label} {formats.seconds(row.wall)}" for row in costliest)
    cached = f"; {times.cached} of {times.tasks} tasks from the cache" if times.cached else ""
    return formats.seconds(times.wall) + (f" ({parts}{cached})" if parts else cached)
