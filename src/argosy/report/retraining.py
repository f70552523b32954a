"""The cause of a retraining as rows that people read: the same in a request and on a page. No markup; whoever shows it escapes it."""

import datetime
from collections.abc import Iterator

from argosy.domain import figures
from argosy.domain.evidence import DataWindow, Evidence, Table
from argosy.domain.retraining_cause import Cause
from argosy.report.markdown_text import Code

KINDS = {
    "drift": "what the model is asked, or says, has drifted",
    "performance": "its real performance is below its gate",
    "new data": "new data is there",
    "push": "somebody pushed to the model's repository",
    "schedule": "its schedule",
    "hand": "somebody asked for it",
}


def rows(cause: Cause) -> Iterator[tuple[str, str]]:
    """What is known of *cause*, a name and a value each."""
    yield "kind", f"{cause.kind}: {KINDS[cause.kind]}"
    if cause.alert:
        yield "alert", f"{cause.alert.name}, firing since {moment(cause.alert.starts_at)}"
        yield "its fingerprint", Code(cause.alert.fingerprint)
    if cause.environment:
        yield "seen in", cause.environment
    if cause.model_digest:
        yield "of the model", Code(cause.model_digest)
    if cause.since and cause.until:
        yield "in the predictions", f"from {moment(cause.since)} to {moment(cause.until)}"
    if cause.began:
        yield "from when on", moment(cause.began)
    if cause.performance:
        change = cause.performance
        yield "real performance", f"{change.metric} {_change(change.before, change.now)}"
    if cause.admission:
        yield "let in as", Code(cause.admission)


def windows(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The times of the rows that the model was trained on, and of those that it was judged by."""
    if evidence.trained_on:
        yield "trained on", _window(evidence.trained_on)
    if evidence.recent_rows:
        yield "newest labelled rows, kept for judging", _window(evidence.recent_rows)


def moved(cause: Cause) -> Table:
    """The columns that moved."""
    return Table(
        title="What moved",
        dimension="cause",
        header=["Column", "Measure", "Before", "Now", "More"],
        rows=[
            [each.column, each.measure, figures.number(each.before), figures.number(each.now), each.explanation]
            for each in cause.columns
        ],
    )


def moment(time: datetime.datetime) -> str:
    """A moment in UTC, to the minute."""
    return f"{time.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"


def _window(window: DataWindow) -> str:
    return f"{window.rows:,} rows from {moment(window.since)} to {moment(window.until)}"


def _change(before: float | None, now: float | None) -> str:
    return (
        f"{figures.number(now)}; it was {figures.number(before)} when the model was approved"
        if before is not None
        else figures.number(now)
    )
