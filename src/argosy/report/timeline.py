"""The timeline of a run: its attempts, grouped as a person thinks of them, and what was spent between them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from argosy.domain.retraining_cause import Cause
from argosy.report.record import Entry, Facts, attempt_of

PROPOSE = "propose"
ITEM = re.compile(r"\(\d+:.*\)$")


@dataclass(frozen=True)
class Span:
    """One attempt, from start to finish, in seconds since the run began."""

    start: float
    end: float
    phase: str
    cached: bool
    title: str


@dataclass(frozen=True)
class TimelineRow:
    """All attempts of one task; those of a fan-out share a row. All durations in seconds."""

    label: str
    template: str
    spans: tuple[Span, ...]
    work: float
    """Summed over attempts, so parallel work counts once for each."""
    wall: float
    """From the first start to the last finish."""
    waiting: float
    """Longest wait for a free place."""
    cached: int
    failed: int
    peak_bytes: int | None


@dataclass(frozen=True)
class Timeline:
    """The whole run's time, in seconds."""

    rows: tuple[TimelineRow, ...]
    wall: float
    work: float
    gap: float
    """Time in which no step ran: the executor's own."""
    cached: int
    tasks: int


@dataclass(frozen=True)
class Reaction:
    """How long it took from the first prediction that was otherwise to the end of the retraining, in seconds."""

    parts: tuple[tuple[str, float], ...]
    """What was waited for, and how long."""
    end: str
    """How it ended, in words."""

    @property
    def total(self) -> float:
        """All parts together."""
        return sum(seconds for _, seconds in self.parts)


def reaction(cause: Cause | None, facts: Facts, entries: Sequence[Entry]) -> Reaction | None:
    """The reaction to *cause* that the run is; None where there is none, or nobody knows since when."""
    begin = (cause.began or cause.since) if cause else None
    if cause is None or begin is None:
        return None
    proposed = [entry for entry in entries if entry.template == PROPOSE and entry.finished is not None]
    opened = next((entry for entry in proposed if not entry.failed), None)
    last = opened or (proposed[-1] if proposed else None)
    end = "the opened request" if opened else "the refusal" if last else "the end of the run"
    finished = (last.finished if last else facts.finished) or facts.started
    marks = [("the run to start", facts.started), (f"{end}, in the run", finished)]
    if cause.alert:
        marks.insert(0, ("the alert to fire", cause.alert.starts_at.timestamp()))
    return Reaction(tuple(_between(begin.timestamp(), marks)), end)


def _between(begin: float, marks: Sequence[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    """The time up to each of *marks*; clocks of several machines may disagree, and no part is then negative."""
    for label, mark in marks:
        yield label, max(0.0, mark - begin)
        begin = max(begin, mark)


def of(facts: Facts, entries: Sequence[Entry]) -> Timeline:
    """The timeline of a run that is described by *facts* and *entries*."""
    ran = sorted((entry for entry in entries if entry.started is not None), key=lambda entry: entry.started or 0.0)
    last = max((_end(entry) for entry in ran), default=facts.started)
    end = facts.finished if facts.finished is not None else last
    rows = [_row(label, group, facts.started) for label, group in _grouped(ran)]
    rows.sort(key=lambda row: row.spans[0].start)
    spans = [span for row in rows for span in row.spans]
    wall = max(0.0, end - facts.started)
    return Timeline(
        rows=tuple(rows),
        wall=wall,
        work=sum(row.work for row in rows),
        gap=max(0.0, wall - _covered(spans)),
        cached=sum(row.cached for row in rows),
        tasks=len(ran),
    )


def label_of(name: str) -> str:
    """The label of a task in the timeline: ``$.tune.trial-0(3:…)(1)`` is one of ``tune.trial-0``."""
    return ITEM.sub("", attempt_of(name)).removeprefix("$.")


def _grouped(entries: list[Entry]) -> Iterable[tuple[str, list[Entry]]]:
    by_label = sorted(entries, key=lambda entry: label_of(entry.name))
    return [(label, list(group)) for label, group in groupby(by_label, key=lambda entry: label_of(entry.name))]


def _row(label: str, entries: list[Entry], origin: float) -> TimelineRow:
    spans = sorted((_span(entry, origin) for entry in entries), key=lambda span: span.start)
    peaks = [entry.peak_bytes for entry in entries if entry.peak_bytes is not None]
    return TimelineRow(
        label=label,
        template=entries[0].template,
        spans=tuple(spans),
        work=sum(span.end - span.start for span in spans if not span.cached),
        wall=max(span.end for span in spans) - spans[0].start,
        waiting=max(max(0.0, (entry.started or 0.0) - entry.ready) if entry.ready else 0.0 for entry in entries),
        cached=sum(entry.cached for entry in entries),
        failed=sum(entry.failed for entry in entries),
        peak_bytes=max(peaks, default=None),
    )


def _span(entry: Entry, origin: float) -> Span:
    start = max(0.0, (entry.started or origin) - origin)
    return Span(start, max(start, _end(entry) - origin), entry.phase, entry.cached, entry.name)


def _end(entry: Entry) -> float:
    return entry.finished if entry.finished is not None else entry.started or 0.0


def _covered(spans: list[Span]) -> float:
    """Length of the union of *spans*."""
    covered, reached = 0.0, 0.0
    for span in sorted(spans, key=lambda span: span.start):
        covered += max(0.0, span.end - max(span.start, reached))
        reached = max(reached, span.end)
    return covered
