"""Counts of rows in one model's bins, flat: what an hour of a log is kept as, and what adds up.

A tally is one list of numbers, so that a day is an addition of 24 of them whatever a model has of columns; its layout says which number
counts what. How rows are counted is ``ml.counting``'s business.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from pydantic import AwareDatetime, ValidationError

from argosy.domain.bundle import Bins, Histogram, Moments
from argosy.domain.documents import Document, canonical_json, sha256
from argosy.domain.drift import Window

WHOLE = ""
"""The name of all rows together, among slices."""


class Tally(Document):
    """Rows, counted."""

    rows: int
    cells: list[int]
    """Of each column of the layout: missing values, then a number a bin."""
    scores: Moments

    def plus(self, other: "Tally") -> "Tally":
        """Both together. Raises ValueError where they are of other layouts."""
        return total([self, other])


def total(tallies: Sequence[Tally]) -> Tally:
    """All of *tallies*, one at least, together. Raises ValueError where they are of other layouts."""
    if len({len(tally.cells) for tally in tallies}) != 1:
        raise ValueError("only counts in equal bins add up")
    scores = [tally.scores for tally in tallies]
    return Tally.model_construct(  # numbers that were checked when they were read
        rows=sum(tally.rows for tally in tallies),
        cells=[sum(numbers) for numbers in zip(*(tally.cells for tally in tallies), strict=True)],
        scores=Moments(
            count=sum(each.count for each in scores),
            total=sum(each.total for each in scores),
            squares=sum(each.squares for each in scores),
        ),
    )


def without(whole: Tally, part: Tally) -> Tally:
    """*whole* less the rows of *part*, which are among its own."""
    return Tally(
        rows=whole.rows - part.rows,
        cells=[ours - theirs for ours, theirs in zip(whole.cells, part.cells, strict=True)],
        scores=Moments(
            count=whole.scores.count - part.scores.count,
            total=whole.scores.total - part.scores.total,
            squares=whole.scores.squares - part.scores.squares,
        ),
    )


@dataclass(frozen=True)
class Layout:
    """Which number of a tally counts what: bins of the prediction, of the features, and of what follows from an answer."""

    prediction: Histogram
    columns: tuple[Histogram, ...]
    answers: tuple[Histogram, ...] = ()
    """Decision and confidence, where the model's reference has them."""

    @classmethod
    def of(cls, bins: Bins, answers: Iterable[Histogram] = ()) -> "Layout":
        """The layout of a model's *bins*."""
        return cls(bins.prediction, tuple(bins.columns), tuple(answers))

    @property
    def histograms(self) -> tuple[Histogram, ...]:
        """All columns, in the order of a tally."""
        return (self.prediction, *self.columns, *self.answers)

    @cached_property
    def digest(self) -> str:
        """The digest of the bins: tallies of one digest add up."""
        return sha256(canonical_json([[each.column, each.edges, each.levels] for each in self.histograms]).encode())

    @cached_property
    def bounds(self) -> list[tuple[int, int]]:
        """The first and the last place, exclusive, of each column's numbers."""
        widths = [len(each.counts) + 1 for each in self.histograms]
        return list(zip(accumulate([0, *widths[:-1]]), accumulate(widths), strict=True))

    @property
    def width(self) -> int:
        """How many numbers a tally has."""
        return self.bounds[-1][1]

    def empty(self) -> Tally:
        """No rows."""
        return Tally(rows=0, cells=[0] * self.width, scores=Moments())

    def window(self, tally: Tally) -> Window:
        """*tally* by column. Raises ValueError where it is of another layout."""
        if len(tally.cells) != self.width:
            raise ValueError(f"{len(tally.cells)} numbers are no tally of this layout, which has {self.width}")
        prediction, *rest = [
            each.model_copy(update={"missing": tally.cells[first], "counts": tally.cells[first + 1 : end]})
            for each, (first, end) in zip(self.histograms, self.bounds, strict=True)
        ]
        count = len(self.columns)
        return Window.model_construct(
            rows=tally.rows, prediction=prediction, columns=rest[:count], answers=rest[count:], scores=tally.scores
        )

    def tally(self, window: Window) -> Tally:
        """*window*, flat."""
        parts = [window.prediction, *window.columns, *window.answers]
        cells = [number for each in parts for number in (each.missing, *each.counts)]
        return Tally(rows=window.rows, cells=cells, scores=window.scores)


class HourCounts(Document):
    """One hour of what one model answered in an environment: small, and mergeable."""

    model_digest: str
    hour: AwareDatetime
    layout: str
    """Digest of the layout; empty where nobody knew the model's bins, and only rows were counted."""
    segments: list[str]
    """Names of the parts of the log that are counted: what comes late is added, and nothing twice."""
    slices: list[str] = []
    """The columns by which it is counted too."""
    tallies: dict[str, Tally]
    """The whole by an empty name, and each slice by ``column=value``."""

    @property
    def whole(self) -> Tally:
        """All rows."""
        return self.tallies[WHOLE]

    def plus(self, segments: Sequence[str], tallies: Mapping[str, Tally]) -> "HourCounts":
        """With the *tallies* of further *segments*."""
        merged = {
            name: total([each for each in (self.tallies.get(name), tallies.get(name)) if each is not None])
            for name in sorted({*self.tallies, *tallies})
        }
        return self.model_copy(update={"segments": sorted({*self.segments, *segments}), "tallies": merged})


def fresh(model_digest: str, hour: datetime.datetime, layout: Layout, slices: Sequence[str]) -> HourCounts:
    """An hour of which nothing is counted yet."""
    return HourCounts(
        model_digest=model_digest,
        hour=hour,
        layout=layout.digest,
        segments=[],
        slices=list(slices),
        tallies={WHOLE: layout.empty()},
    )


def rows_only(model_digest: str, hour: datetime.datetime) -> HourCounts:
    """An hour of a model whose bins nobody knows, of which nothing is counted yet."""
    nothing = Tally(rows=0, cells=[], scores=Moments())
    return HourCounts(model_digest=model_digest, hour=hour, layout="", segments=[], tallies={WHOLE: nothing})


def parse(content: bytes) -> HourCounts | None:
    """The counts that *content* is; None where it is something else: what can be counted again is not worth a failure."""
    try:
        return HourCounts.model_validate_json(content)
    except ValidationError:
        return None
