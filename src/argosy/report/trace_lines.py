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
    return (f"{name:<12} {text}" for name, text in links(answers, trace))


def links(answers: Sequence[AnsweredRow], trace: Trace) -> Iterator[tuple[str, str]]:
    """The links of the chain, each with its name; one without goes on with the one before."""
    for answer in answers[:MOST_ROWS]:
        yield "answer", _answer(answer)
    if len(answers) > MOST_ROWS:
        yield "", f"and {len(answers) - MOST_ROWS} rows more (--json has them)"
    version = trace.version
    yield "model", f"{version.model} version {version.version}, {version.model_digest}"
    for placement in trace.placements:
        yield "served", _placement(placement)
    if trace.rejected:
        yield "taken out", trace.rejected
    for request in trace.requests:
        yield "request", _request(request)
    yield "signatures", f"{'hold' if trace.signatures.passed else 'NOT VERIFIED'}: {trace.signatures.reason}"
    if trace.evidence is None:
        yield "evidence", "none lies beside the version"
        return
    yield from _of_evidence(trace.evidence)
    yield "bundle", version.storage_uri


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
