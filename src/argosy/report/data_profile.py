"""What the holdout's rows look like, column by column, drawn small: the counts that drift is measured from. No markup."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from argosy.domain.bundle import Bins, Histogram
from argosy.domain.data import FeatureSchema
from argosy.report import formats

MOST_LEVELS = 12
"""Levels of a category that have a bar, the commonest; and values of a number that has few."""
BARS = 24
"""Bars of a number that has many values."""
SHOWN = 24
"""Columns that are seen at once; the others are folded away."""
MOST_BEYOND = 0.25
"""The share of rows beyond an outermost edge up to which they are told alone. More, as where most rows have a zero, have a bar apart: the
others without it would be a picture of the few."""
GAP = 2.0
"""Percent between such a bar and the others."""


@dataclass(frozen=True)
class ProfileBar:
    """One bar: from *x*, *width* wide and *height* high, in percent."""

    x: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class ColumnView:
    """One column as a picture and in words."""

    name: str
    kind: str
    missing: str
    bars: tuple[ProfileBar, ...]
    said: str
    """What the picture shows, in words."""


def columns(bins: Bins | None, schema: FeatureSchema | None) -> list[ColumnView]:
    """The columns of *bins*, those with personal data left out; none of a model whose counts are not here."""
    personal = {feature.name for feature in schema.features if feature.personal} if schema else set()
    shown = [each for each in bins.columns if each.column not in personal] if bins else []
    return [_column(each) for each in shown]


def _column(counted: Histogram) -> ColumnView:
    rows = sum(counted.counts) + counted.missing
    missing = formats.percent(counted.missing / rows) if counted.missing and rows else ""
    if counted.levels is not None:
        bars, said = _of_levels(counted.levels, counted.counts)
        return ColumnView(counted.column, f"category of {len(counted.levels):,}", missing, bars, said)
    few = counted.few_values()
    if few is not None:
        levels = [formats.value(value) for value in few]
        bars, said = _drawn(list(zip(levels, counted.counts[::2], strict=True)), sum(counted.counts))
    else:
        bars, said = _of_numbers(counted.edges or [], counted.counts)
    return ColumnView(counted.column, "number", missing, bars, said)


def _of_levels(levels: Sequence[str], counts: Sequence[int]) -> tuple[tuple[ProfileBar, ...], str]:
    found = sorted(zip([*levels, "any other"], counts, strict=True), key=lambda each: -each[1])
    return _drawn([each for each in found if each[1]], sum(counts))


def _drawn(counted: Sequence[tuple[str, int]], rows: int) -> tuple[tuple[ProfileBar, ...], str]:
    """A bar for each of the first of *counted*, names with their counts of *rows*, and the largest in words."""
    shown, whole = counted[:MOST_LEVELS], rows or 1
    most, width = max((count for _, count in shown), default=1), 100 / (len(shown) or 1)
    bars = tuple(
        ProfileBar(
            round(width * place, 2), round(0.86 * width, 2), round(100 * count / most, 1), _share(name, count, whole)
        )
        for place, (name, count) in enumerate(shown)
    )
    largest = sorted(shown, key=lambda each: -each[1])[:3]
    return bars, "; ".join(_share(name, count, whole) for name, count in largest)


def _share(name: str, count: int, rows: int) -> str:
    return f"{name}: {formats.percent(count / rows)}"


def _of_numbers(edges: Sequence[float], counts: Sequence[int]) -> tuple[tuple[ProfileBar, ...], str]:
    """Bars of equal width between the outermost edges, from bins that hold about equally many rows each: those of a bin that lies in two
    bars are shared out by its width. What lies beyond the outermost edges has no width to be drawn: it is told, and where it is much of
    all (:data:`MOST_BEYOND`), it is a bar apart."""
    if len(edges) < 2:
        return (), f"few values, about {formats.value(edges[0])}" if edges else "one value"
    low, high, rows = edges[0], edges[-1], sum(counts) or 1
    heights = _even(edges, counts[1:-1])
    below = f"{formats.percent(counts[0] / rows)} below {formats.value(low)}"
    above = f"{formats.percent(counts[-1] / rows)} from {formats.value(high)} on"
    left, right = (count / rows > MOST_BEYOND for count in (counts[0], counts[-1]))
    most = max(*heights, counts[0] * left, counts[-1] * right) or 1.0
    width = (100 - GAP * (left + right)) / (BARS + left + right)
    begins = (width + GAP) * left
    bars = [
        ProfileBar(
            round(begins + width * place, 2),
            round(0.92 * width, 2),
            round(100 * height / most, 1),
            f"from {formats.value(low + place * (high - low) / BARS)}: about {height:,.0f} rows",
        )
        for place, height in enumerate(heights)
    ]
    if left:
        bars.insert(0, ProfileBar(0.0, round(0.92 * width, 2), round(100 * counts[0] / most, 1), below))
    if right:
        bars.append(ProfileBar(round(100 - width, 2), round(0.92 * width, 2), round(100 * counts[-1] / most, 1), above))
    return tuple(bars), f"{below}, {above}"


def _even(edges: Sequence[float], counts: Sequence[int]) -> list[float]:
    """*counts* between *edges*, as those of bars of equal width."""
    heights, width = [0.0] * BARS, (edges[-1] - edges[0]) / BARS
    for (begin, end), count in zip(pairwise(edges), counts, strict=True):
        for place in range(int((begin - edges[0]) / width), BARS):
            left, right = edges[0] + place * width, edges[0] + (place + 1) * width
            if left >= end:
                break
            heights[place] += count * max(0.0, min(end, right) - max(begin, left)) / (end - begin)
    return heights
