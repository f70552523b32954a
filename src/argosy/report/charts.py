"""Geometry of the charts: data in, positions in percent of the plot out. What a mark looks like is the page's business.

Positions are percentages because a chart is drawn as wide as the screen is while its text keeps its size.
"""

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from argosy.domain.evidence import CHAMPION, MODEL, ComparisonResult, Curve, GateResult
from argosy.domain.search import Choice, SearchHistory
from argosy.domain.training_record import LearningCurve
from argosy.domain.version_comparison import ArmDifference
from argosy.report import formats
from argosy.report.timeline import Timeline

MOST_POINTS = 240
"""More points in a line than this are thinned: nobody sees them, and the file is mailed around."""


@dataclass(frozen=True)
class Scale:
    """Maps values to percent of an axis."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """The position of *value*, in percent from the low end; what lies outside is moved to the end."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(100 * min(1.0, max(0.0, share)), 2)


@dataclass(frozen=True)
class Tick:
    """A labelled position on an axis, in percent."""

    at: float
    text: str


@dataclass(frozen=True)
class Polyline:
    """A line through points in percent of the plot, y downwards: the text of an SVG ``points`` attribute."""

    name: str
    points: str
    reference: bool = False


@dataclass(frozen=True)
class Mark:
    """A point of a scatter plot, in percent, y downwards."""

    x: float
    y: float
    kind: str
    title: str


@dataclass(frozen=True)
class Chart:
    """A chart with two axes."""

    title: str
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Polyline, ...]
    marks: tuple[Mark, ...] = ()
    summary: str = ""


@dataclass(frozen=True)
class Bar:
    """A bar that ends at *end* percent, its label and its value as text."""

    label: str
    end: float
    text: str


@dataclass(frozen=True)
class Bullet:
    """A measurement against its limit on one line, in percent; ``passes_above`` says on which side of the limit it holds."""

    measured: float | None
    limit: float
    passes_above: bool
    others: tuple[float, ...] = ()
    """Of more values on the same line."""
    zero: float = 0.0
    """Where zero is: the line begins there, or below where something on it is negative."""


@dataclass(frozen=True)
class Interval:
    """A difference with its confidence interval, zero, and the non-inferiority margin, in percent."""

    low: float
    high: float
    middle: float
    zero: float
    margin: float


@dataclass(frozen=True)
class Block:
    """One attempt in the timeline, in percent of the run."""

    x: float
    width: float
    kind: str
    title: str


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round values from *low* to *high*, about *wanted* of them."""
    if not high > low:
        return [low]
    raw = (high - low) / max(1, wanted - 1)
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next((magnitude * factor for factor in (1, 2, 2.5, 5, 10) if magnitude * factor >= raw * 0.999), raw)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def of_curve(curve: Curve) -> Chart:
    """The line chart of *curve*; points that are not finite are left out."""
    series = {name: _finite(points) for name, points in curve.series.items()}
    x = _scale(x for points in series.values() for x, _ in points)
    y = _scale(y for points in series.values() for _, y in points)
    # The model's own first, whatever their order in the document: the first line has the strongest colour.
    ordered = sorted(series.items(), key=lambda named: _rank(named[0]))
    lines = tuple(Polyline(name, _points(points, x, y), name in REFERENCES) for name, points in ordered if points)
    return Chart(
        title=curve.title,
        x_label=curve.x_label,
        y_label=curve.y_label,
        x_ticks=_ticks(x),
        y_ticks=_ticks(y),
        lines=lines,
        summary=f"{curve.title}: {curve.y_label} against {curve.x_label} for {', '.join(series) or 'no series'}.",
    )


def _rank(name: str) -> int:
    """The model's own line comes first, whatever else there is after it, then the champion's, then standards."""
    return 3 if name in REFERENCES else 2 if name == CHAMPION else 0 if name == MODEL else 1


def over_time(curve: Curve, most: int = 7) -> Chart:
    """The line chart of *curve*, whose x are seconds since 1970: at the axis stand days, those of its points, *most* of them.

    Where days come twice the time stands beside them.
    """
    known = sorted({x for points in curve.series.values() for x, _ in points})
    scale = _scale(known)
    every = max(1, math.ceil(len(known) / most))
    marked = {at: datetime.datetime.fromtimestamp(at, datetime.UTC) for at in known[::every]}
    days = {at: f"{moment:%Y-%m-%d}" for at, moment in marked.items()}
    if len(set(days.values())) < len(days):
        days = {at: f"{moment:%m-%d %H:%M}" for at, moment in marked.items()}
    return replace(of_curve(curve), x_ticks=tuple(Tick(scale.at(at), text) for at, text in days.items()))


def of_learning(curve: LearningCurve) -> Chart:
    """Loss by boosting round, of the rows fitted on and of those left out."""

    def numbered(losses: Sequence[float]) -> list[tuple[float, float]]:
        return [(float(after), loss) for after, loss in zip(curve.rounds, losses, strict=True)]

    return of_curve(
        Curve(
            title="Learning curve, mean over the folds",
            dimension="training",
            x_label="boosting round",
            y_label=formats.words(curve.loss),
            series={"left out": numbered(curve.validation), "fitted on": numbered(curve.train)},
        )
    )


REFERENCES = frozenset(
    {"chance", "ideal", "limit", "perfect", "prevalence", "reference", "no skill", "perfectly calibrated"}
)
"""Series that stand for a standard rather than a model; drawn as thin dashes."""


def of_search(history: SearchHistory, choice: Choice | None) -> Chart | None:
    """Trials by number, the best score so far, and the trial chosen; None for a search without a scored trial."""
    trials = sorted((trial for trial in history.trials if trial.fold_scores), key=lambda trial: trial.number)
    complete = [trial for trial in trials if trial.state == "complete"]
    if not complete:
        return None
    better = max if history.direction == "maximize" else min
    x = Scale(-0.5, max(trial.number for trial in trials) + 0.5)
    y = _robust_scale([trial.score for trial in trials], [trial.score for trial in complete])
    best = list(accumulate((trial.score for trial in complete), better))
    chosen = choice.trial if choice else None
    marks = tuple(
        Mark(
            x.at(trial.number),
            100 - y.at(trial.score),
            "chosen" if trial.number == chosen else trial.state,
            f"Trial {trial.number}: {formats.number(trial.score)} ({trial.state}, {len(trial.fold_scores)} folds)",
        )
        # The chosen one last, so that it lies on top.
        for trial in sorted(trials, key=lambda trial: trial.number == chosen)
    )
    return Chart(
        title="Tuning history",
        x_label="trial",
        y_label=formats.words(history.metric),
        x_ticks=_ticks(x, whole=True),
        y_ticks=_ticks(y),
        lines=(Polyline("best so far", _steps([trial.number for trial in complete], best, x, y)),),
        marks=marks,
        summary=(
            f"{len(complete)} complete and {len(trials) - len(complete)} pruned trials; "
            f"{formats.words(history.metric)} of the best: {formats.number(best[-1])}."
        ),
    )


def of_attribution(attribution: Mapping[str, float], most: int = 15) -> tuple[Bar, ...]:
    """Bars of the largest attributions, the longest first, scaled to the first."""
    ordered = sorted(attribution.items(), key=lambda item: (-abs(item[1]), item[0]))[:most]
    scale = Scale(0.0, max((abs(value) for _, value in ordered), default=0.0) or 1.0)
    return tuple(Bar(name, scale.at(abs(value)), formats.number(value)) for name, value in ordered)


def of_gate(gate: GateResult, *others: float) -> Bullet | None:
    """*gate* on a line from zero, or from below, to one where it fits; *others* fit on, too. None where its limit is no number."""
    sign, _, text = gate.limit.strip().partition(" ")
    try:
        limit = float(text)
    except ValueError:
        return None
    values = [limit, *others, *([gate.measured] if gate.measured is not None else [])]
    known = list(map(abs, values))
    if sign not in {">=", "<="} or not all(map(math.isfinite, known)):
        return None
    low = min(0.0, *values)
    scale = Scale(low, 1.0 if 0.2 < max(known) <= 1.0 else 1.25 * max(known) or 1.0)
    measured = None if gate.measured is None else scale.at(gate.measured)
    return Bullet(measured, scale.at(limit), sign == ">=", tuple(map(scale.at, others)), scale.at(0.0))


def of_comparison(comparison: ComparisonResult) -> Interval:
    """The candidate's difference to the champion with its interval; right is better."""
    values = [comparison.low, comparison.high, comparison.difference, 0.0, -comparison.margin]
    room = 0.12 * (max(values) - min(values)) or 1.0
    scale = Scale(min(values) - room, max(values) + room)
    return Interval(
        low=scale.at(comparison.low),
        high=scale.at(comparison.high),
        middle=scale.at(comparison.difference),
        zero=scale.at(0.0),
        margin=scale.at(-comparison.margin),
    )


def of_arms(one: ArmDifference, margin: float) -> Interval:
    """The second version's difference to the served one with its interval; right is better. An end that there is none of is the edge."""
    known = [each for each in (one.low, one.high, one.difference, 0.0, -margin) if each is not None]
    room = 0.12 * (max(known) - min(known)) or 1.0
    scale = Scale(min(known) - room, max(known) + room)
    return Interval(
        low=0.0 if one.low is None else scale.at(one.low),
        high=100.0 if one.high is None else scale.at(one.high),
        middle=scale.at(one.difference),
        zero=scale.at(0.0),
        margin=scale.at(-margin),
    )


def of_timeline(timeline: Timeline) -> tuple[tuple[str, tuple[Block, ...]], ...]:
    """For each row of *timeline* its label and its attempts as blocks."""
    scale = Scale(0.0, timeline.wall or 1.0)

    def block(start: float, end: float, kind: str, title: str) -> Block:
        x = scale.at(start)
        return Block(x, max(0.3, round(scale.at(end) - x, 2)), kind, title)

    return tuple(
        (
            row.label,
            tuple(
                block(
                    span.start,
                    span.end,
                    "cached" if span.cached else span.phase.lower(),
                    f"{row.label}: {formats.seconds(span.end - span.start)}, {span.phase.lower()}",
                )
                for span in row.spans
            ),
        )
        for row in timeline.rows
    )


def timeline_ticks(timeline: Timeline) -> tuple[Tick, ...]:
    """Ticks of the timeline, in the run's own time."""
    scale = Scale(0.0, timeline.wall or 1.0)
    return tuple(Tick(scale.at(value), formats.seconds(value) if value else "0") for value in ticks(0.0, timeline.wall))


def _finite(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]


def _scale(values: Iterable[float]) -> Scale:
    """From the least to the greatest value; what fills much of zero to one, as rates do, gets the whole of it."""
    known = list(values)
    low, high = min(known, default=0.0), max(known, default=1.0)
    if low >= 0.0 and high <= 1.0 and high - low > 0.4:
        return Scale(0.0, 1.0)
    room = 0.05 * (high - low) or 0.5
    return Scale(0.0 if 0.0 <= low <= room * 4 else low - room, high + room)


def _robust_scale(values: Sequence[float], core: Sequence[float]) -> Scale:
    """All of *core*'s better half and most of the rest: one hopeless trial must not press all others into a line."""
    ordered = sorted(core)
    low, high = ordered[len(ordered) // 10], ordered[-1 - len(ordered) // 10]
    reach = 3 * (high - low) or abs(high) * 0.05 or 1.0
    shown = [value for value in values if low - reach <= value <= high + reach]
    room = 0.06 * (max(shown) - min(shown)) or 0.01
    return Scale(min(shown) - room, max(shown) + room)


def _ticks(scale: Scale, *, whole: bool = False) -> tuple[Tick, ...]:
    values = [value for value in ticks(scale.low, scale.high) if not whole or (value >= 0 and value.is_integer())]
    return tuple(Tick(scale.at(value), formats.number(int(value) if whole else value)) for value in values)


def _points(points: Sequence[tuple[float, float]], x: Scale, y: Scale) -> str:
    every = max(1, math.ceil(len(points) / MOST_POINTS))
    kept = [point for index, point in enumerate(points) if index % every == 0 or index == len(points) - 1]
    return " ".join(f"{x.at(across)},{round(100 - y.at(up), 2)}" for across, up in kept)


def _steps(across: Sequence[int], up: Sequence[float], x: Scale, y: Scale) -> str:
    corners = [(float(across[0]), up[0])]
    for (_, before), (at, after) in pairwise(zip(across, up, strict=True)):
        corners += [(float(at), before), (float(at), after)]
    corners.append((x.high, up[-1]))
    return " ".join(f"{x.at(a)},{round(100 - y.at(b), 2)}" for a, b in corners)
