"""The way back from a model, as lines for a terminal: from what was answered down to data and code."""

from collections.abc import Iterator, Sequence

from argosy.domain import evidence as evidences
from argosy.domain.evidence import DataWindow, Evidence
from argosy.domain.promotion_requests import Request
from argosy.domain.traces import AnsweredRow, Placement, Trace
from argosy.report import formats

MOST_ROWS = 5
"""Rows of one request that are shown."""


def lines(answers: Sequence[AnsweredRow], trace: Trace) -> Iterator[str]:
    """One line a link of the chain, its name first."""
    for answer in answers[:MOST_ROWS]:
        yield _line("answer", _answer(answer))
    if len(answers) > MOST_ROWS:
        yield _line("", f"and {len(answers) - MOST_ROWS} rows more (--json has them)")
    version = trace.version
    yield _line("model", f"{version.model} version {version.version}, {version.model_digest}")
    for placement in trace.placements:
        yield _line("served", _placement(placement))
    if trace.rejected:
        yield _line("taken out", trace.rejected)
    for request in trace.requests:
        yield _line("request", _request(request))
    yield _line("signatures", f"{'hold' if trace.signatures.passed else 'NOT VERIFIED'}: {trace.signatures.reason}")
    if trace.evidence is None:
        yield _line("evidence", "none lies beside the version")
        return
    for name, text in _of_evidence(trace.evidence):
        yield _line(name, text)
    yield _line("bundle", version.storage_uri)


def _of_evidence(evidence: Evidence) -> Iterator[tuple[str, str]]:
    yield "evidence", f"{evidence.verdict}: {evidence.explanation}"
    yield "policy", f"{evidence.policy_digest}, {evidences.tally(evidence.gates)}"
    champion = evidence.champion
    beside = (
        f"version {champion.version}, {champion.model_digest}"
        if champion.model_digest
        else "no model was in production"
    )
    yield "compared", beside
    if evidence.cause:
        yield "cause", f"{evidence.cause.kind}: {evidence.cause.explanation}"
    yield (
        "data",
        f"snapshot {evidence.snapshot_digest}, {evidence.rows_train:,} rows trained on, {evidence.rows_holdout:,} held out",
    )
    if evidence.trained_on:
        yield "", _window(evidence.trained_on)
    yield from ((name, text) for name, text in evidence.provenance.rows())


def _answer(answer: AnsweredRow) -> str:
    score = ", ".join(formats.number(value) for value in answer.score)
    decided = f", decided {answer.decision}" if answer.decision else ""
    return f"{answer.time:%Y-%m-%d %H:%M:%S} UTC in {answer.environment}, row {answer.row}: {score}{decided}"


def _placement(placement: Placement) -> str:
    return (
        f"{placement.environment}, since commit {placement.commit[:12]} of main{'' if placement.live else '; no more'}"
    )


def _request(request: Request) -> str:
    subject = request.subject
    ended = f" by {request.ended_by}, {request.ended_at}" if request.ended_by else ""
    return f"#{request.number} {subject.kind} in {subject.environment}: {request.state}{ended} ({request.url})"


def _window(window: DataWindow) -> str:
    return f"of {window.since:%Y-%m-%d} to {window.until:%Y-%m-%d}"


def _line(name: str, text: str) -> str:
    return f"{name:<12} {text}"
