"""The page of where the time went: of the newest runs, of their steps, and of requests until somebody decided.

Values in, rows out; how a run's time is cut into work and gaps is ``report.timeline``'s.
"""

import datetime
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from argosy.argo import NodeType
from argosy.domain.promotion_requests import Request, State
from argosy.ports.runs import Run
from argosy.report import timeline
from argosy.report.record import Entry, Facts
from argosy.report.timeline import Timeline, TimelineRow

MOST_STEPS = 25
"""Steps that are shown, those that took most; the rest is counted."""


@dataclass(frozen=True)
class RunTime:
    """Where one run's time went, in seconds."""

    run: str
    wall: float
    work: float
    """Summed over steps, so that what ran side by side counts once for each."""
    gap: float
    """In which no step ran: the executor's own."""
    cached: int
    tasks: int
    slowest: str
    """The step that took longest from its first start to its last end."""
    slowest_seconds: float

    @property
    def busy(self) -> float:
        """The share of the run's time in which a step ran, in percent."""
        return round(100 * (1 - self.gap / self.wall), 1) if self.wall else 0.0


@dataclass(frozen=True)
class StepTotal:
    """What one template took in the runs that are looked at, in seconds; what came from the cache is left out."""

    step: str
    runs: int
    median: float
    longest: float
    total: float
    share: float
    """Of all work, in percent of the step that has most of it."""


@dataclass(frozen=True)
class WaitTime:
    """How long one request waited, or waits."""

    request: Request
    seconds: float
    waits: bool


@dataclass(frozen=True)
class TimeSpent:
    """All of the page."""

    runs: Sequence[RunTime]
    steps: Sequence[StepTotal]
    left: int
    """Steps that are not shown."""
    requests: Sequence[WaitTime]
    medians: Sequence[tuple[str, float]]
    """Environment to the median of what its decided requests waited."""
    problem: str
    """Why requests are missing; empty where they are not."""


def of(
    runs: Sequence[Run], requests: Sequence[Request], now: datetime.datetime, most: int, problem: str = ""
) -> TimeSpent:
    """Where the time of *runs* and of the newest *most* of *requests* went; of what waits still, up to *now*."""
    known = [(run.name, _timeline(run)) for run in runs if run.over and run.started and run.finished]
    waits = [_wait(one, now) for one in sorted(requests, key=lambda one: -one.number)]
    steps = _steps([found for _, found in known])
    decided: dict[str, list[float]] = defaultdict(list)
    for wait in waits:
        if wait.request.state is State.MERGED:
            decided[wait.request.subject.environment].append(wait.seconds)
    return TimeSpent(
        runs=[_run(name, found) for name, found in known if found.rows],
        steps=steps[:MOST_STEPS],
        left=max(0, len(steps) - MOST_STEPS),
        requests=waits[:most],
        medians=[(environment, statistics.median(each)) for environment, each in decided.items()],
        problem=problem,
    )


def _timeline(run: Run) -> Timeline:
    entries = [
        Entry(run.local(node), node.template, str(node.phase), node.started, node.finished, cached=node.cached)
        for node in run.nodes.values()
        if node.type is NodeType.POD
    ]
    return timeline.of(Facts(run.name, "", run.phase, run.started or 0.0, run.finished), entries)


def _run(name: str, found: Timeline) -> RunTime:
    slowest = max(found.rows, key=_own)
    return RunTime(name, found.wall, found.work, found.gap, found.cached, found.tasks, slowest.label, _own(slowest))


def _own(row: TimelineRow) -> float:
    """From the first start to the last end of what was not answered from the cache."""
    spans = [span for span in row.spans if not span.cached]
    return max(span.end for span in spans) - min(span.start for span in spans) if spans else 0.0


def _steps(found: Sequence[Timeline]) -> list[StepTotal]:
    taken: dict[str, list[float]] = defaultdict(list)
    for each in found:
        of_run: dict[str, float] = defaultdict(float)
        for row in each.rows:
            if row.cached < len(row.spans):
                of_run[row.template or row.label] += row.work
        for step, seconds in of_run.items():
            taken[step].append(seconds)
    most = max((sum(each) for each in taken.values()), default=0.0) or 1.0
    rows = [
        StepTotal(step, len(each), statistics.median(each), max(each), sum(each), round(100 * sum(each) / most, 2))
        for step, each in taken.items()
    ]
    return sorted(rows, key=lambda row: (-row.total, row.step))


def _wait(request: Request, now: datetime.datetime) -> WaitTime:
    waits = request.state is State.OPEN or request.ended_at is None
    end = now if waits else datetime.datetime.fromisoformat(request.ended_at or "")
    return WaitTime(
        request, max(0.0, (end - datetime.datetime.fromisoformat(request.opened_at)).total_seconds()), waits
    )
