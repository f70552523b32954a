"""The page of one model: what each environment serves, how far its predictions moved over time, what labels say, what was asked for.

Values in, the page's words and lines out; who asks for the values is ``local_pages``, and how it looks ``report/pages``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from argosy.domain import figures
from argosy.domain.evidence import Curve
from argosy.domain.looks import Look
from argosy.domain.performance_report import MeasuredScore, Performance, PerformancePeriod
from argosy.monitoring.served_state import ServedState
from argosy.report import charts, formats

MOST_TICKS = 3
"""Times at the axis, which a phone has room for."""
MOST_COURSES = 2
"""Metrics whose course is drawn."""
MOST_COLUMNS = 12
"""Columns of the newest look that are shown; the rest is counted."""


@dataclass(frozen=True)
class WatchedModel:
    """One model in one environment, with what was seen of it. *looks*: the oldest first."""

    environment: str
    state: ServedState
    looks: Sequence[Look]
    performance: Performance | None
    days: Sequence[PerformancePeriod] = ()
    """What labels tell of each day, the oldest first."""


@dataclass(frozen=True)
class ColumnRow:
    """One column of the newest look."""

    name: str
    distance: str
    limit: str
    drifted: bool


@dataclass(frozen=True)
class ScoreRow:
    """One metric that labels tell."""

    metric: str
    value: str
    interval: str
    gate: str
    standing: str


@dataclass(frozen=True)
class EnvironmentPart:
    """What the page shows of one environment."""

    name: str
    state: ServedState
    newest: Look | None
    chart: charts.Chart | None
    columns: Sequence[ColumnRow]
    left: int
    performance: Performance | None
    scores: Sequence[ScoreRow]
    courses: Sequence[charts.Chart]
    """Real performance over time, a metric each."""


def part(watched: WatchedModel) -> EnvironmentPart:
    """What is shown of *watched*: the looks at the version that serves; those at earlier ones say nothing of it."""
    seen = [look for look in watched.looks if look.model_digest == watched.state.model_digest]
    newest = seen[-1] if seen else None
    columns = _columns(newest) if newest else []
    performance = watched.performance
    if performance is not None and performance.model_digest != watched.state.model_digest:
        performance = None
    return EnvironmentPart(
        name=watched.environment,
        state=watched.state,
        newest=newest,
        chart=_chart(watched.environment, seen),
        columns=columns[:MOST_COLUMNS],
        left=max(0, len(columns) - MOST_COLUMNS),
        performance=performance,
        scores=[_score(one) for one in performance.scores] if performance else [],
        courses=list(_courses(watched)),
    )


def _chart(environment: str, seen: Sequence[Look]) -> charts.Chart | None:
    """The distance of the farthest column, look by look; None for fewer than two, which are no line."""
    measured = [look for look in seen if look.verdict in ("drift", "no drift")]
    if len(measured) < 2:
        return None
    farthest = [(look.until.timestamp(), look.distance) for look in measured]
    limit = [(look.until.timestamp(), look.thresholds.distance) for look in measured]
    curve = Curve(
        title=f"The column that moved farthest, {environment}",
        dimension="drift",
        x_label="end of the window",
        y_label="Jensen-Shannon distance",
        series={"farthest column": farthest, "limit": limit},
    )
    return charts.over_time(curve, MOST_TICKS)


def _courses(watched: WatchedModel) -> Iterator[charts.Chart]:
    """The metrics that have a gate, day by day, with their intervals; without one the first that was measured."""
    if len(watched.days) < 2:
        return
    newest = watched.days[-1].scores
    gated = [score for score in newest if score.at_least is not None or score.at_most is not None]
    for metric in [score.metric for score in gated or newest][:MOST_COURSES]:
        yield _course(watched, metric)


def _course(watched: WatchedModel, metric: str) -> charts.Chart:
    called = formats.measurement(metric)
    series: dict[str, list[tuple[float, float]]] = {name: [] for name in (called, "low", "high", "limit")}
    for day in watched.days:
        score = next((each for each in day.scores if each.metric == metric), None)
        if score is None:
            continue
        limit = score.at_least if score.at_least is not None else score.at_most
        for name, value in ((called, score.value), ("low", score.low), ("high", score.high), ("limit", limit)):
            if value is not None:
                series[name].append((day.since.timestamp(), value))
    curve = Curve(
        title=f"{called} by day, {watched.environment}",
        dimension="performance",
        x_label="day of the predictions",
        y_label=called,
        series={name: points for name, points in series.items() if points},
    )
    return charts.over_time(curve, MOST_TICKS)


def _columns(look: Look) -> list[ColumnRow]:
    found = [(name, finding) for name, report in look.parts for finding in report.findings]
    found.sort(key=lambda one: (not one[1].drifted, -one[1].beyond))
    return [
        ColumnRow(
            f"{finding.difference.column} where {name}" if name else finding.difference.column,
            figures.number(finding.beyond),
            figures.number(finding.limit),
            finding.drifted,
        )
        for name, finding in found
    ]


def _score(score: MeasuredScore) -> ScoreRow:
    gates = ((">=", score.at_least), ("<=", score.at_most))
    return ScoreRow(
        score.metric,
        figures.number(score.value),
        "" if score.low is None else f"{figures.number(score.low)} to {figures.number(score.high)}",
        ", ".join(f"{sign} {figures.number(limit)}" for sign, limit in gates if limit is not None),
        score.standing or "",
    )
