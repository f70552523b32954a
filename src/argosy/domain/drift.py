"""When counts of what a model sees and says differ enough from training to be called drift.

Decisions only: a window is counts in the bins of the training data, so windows of any hours, pods or batches add up, in any order, to the
same window. The statistics themselves are calculated elsewhere.
"""

import datetime
import math
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from argosy.domain.bundle import Bins, Histogram
from argosy.domain.documents import Document

SCALE = 2**20
"""Scores are summed as whole multiples of 1 / SCALE: floating-point sums depend on their order, these do not."""

FEWEST_ROWS = 2
"""With fewer a sample has no variance."""

Word = Literal["drift", "no drift", "too few", "no data"]


class Moments(Document):
    """Count, sum and sum of squares of scores, the sums in multiples of 1 / SCALE."""

    count: int = 0
    total: int = 0
    squares: int = 0

    def plus(self, other: "Moments") -> "Moments":
        """Both together."""
        return Moments(
            count=self.count + other.count, total=self.total + other.total, squares=self.squares + other.squares
        )

    @property
    def mean(self) -> float:
        """The mean score; NaN of nothing."""
        return self.total / SCALE / self.count if self.count else math.nan

    @property
    def variance(self) -> float:
        """Of the scores, as of a sample; NaN below two."""
        if self.count < 2:
            return math.nan
        mean = self.mean
        return max(0.0, (self.squares / SCALE - self.count * mean * mean) / (self.count - 1))


class Window(Document):
    """What was logged in some time, as counts in the bins of one model."""

    rows: int
    columns: list[Histogram]
    prediction: Histogram
    scores: Moments

    def plus(self, other: "Window") -> "Window":
        """Both together. Raises ValueError where they are of other bins."""
        return Window(
            rows=self.rows + other.rows,
            columns=[sum_of(ours, theirs) for ours, theirs in zip(self.columns, other.columns, strict=True)],
            prediction=sum_of(self.prediction, other.prediction),
            scores=self.scores.plus(other.scores),
        )


def sum_of(left: Histogram, right: Histogram) -> Histogram:
    """The counts of both. Raises ValueError where their bins differ."""
    if (left.column, left.edges, left.levels) != (right.column, right.edges, right.levels):
        raise ValueError(f"the bins of {left.column!r} and {right.column!r} differ; only counts in equal bins add up")
    counts = [ours + theirs for ours, theirs in zip(left.counts, right.counts, strict=True)]
    return left.model_copy(update={"counts": counts, "missing": left.missing + right.missing})


def empty(bins: Bins) -> Window:
    """A window of no rows."""
    columns = [_emptied(histogram) for histogram in bins.columns]
    return Window(rows=0, columns=columns, prediction=_emptied(bins.prediction), scores=Moments())


def _emptied(histogram: Histogram) -> Histogram:
    return histogram.model_copy(update={"counts": [0] * len(histogram.counts), "missing": 0})


class Thresholds(Document):
    """What is called drift."""

    minimum_rows: int = Field(default=200, ge=FEWEST_ROWS)
    """Fewer logged rows say nothing."""
    significance: float = Field(default=0.05, gt=0, lt=1)
    """Upper bound of the chance that a window without any drift is called one, over all columns together (Holm)."""
    distance: float = Field(default=0.1, ge=0)
    """Jensen-Shannon distance (0 to 1) from which a difference matters: with many rows the smallest one is significant."""
    mean_shift: float = Field(default=0.15, ge=0)
    """Relative change of the mean prediction that matters."""
    mean_errors: float = Field(default=3.0, ge=0)
    """Standard errors by which the mean must have moved besides."""


class Difference(Document):
    """One column of the window against the same column of the training data."""

    column: str
    kind: Literal["number", "category"]
    psi: float
    """Population stability index."""
    jensen_shannon: float
    """Distance, base 2: 0 equal, 1 disjoint."""
    wasserstein: float | None = None
    """In the column's unit; none for a category."""
    test: Literal["ks", "chi-squared"]
    statistic: float
    p_value: float
    missing: float
    """Share of missing values in the window."""
    missing_before: float


class Finding(Document):
    """A difference, judged."""

    difference: Difference
    adjusted_p: float
    """As if this were the only column: compare with the significance."""
    drifted: bool


class MeanShift(Document):
    """The mean prediction of the window against that of the training data."""

    mean: float
    before: float
    relative: float | None = None
    """(mean - before) / |before|; none where before is 0."""
    drifted: bool


class About(Document):
    """What a report is about."""

    model: str
    environment: str
    model_digest: str
    version: int | None = None
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None


class DriftReport(Document):
    """What ``argosy drift`` says."""

    about: About
    rows: int
    rows_before: int
    """Of the training data."""
    rows_of_other_models: int = 0
    """Logged in the same time by other versions; not counted."""
    damaged: int = 0
    """Parts of the log that could not be read."""
    verdict: Word
    explanation: str
    prediction: Finding | None = None
    mean: MeanShift | None = None
    features: list[Finding] = []
    not_logged: list[str] = []
    """Features that the log leaves out, as personal data: nothing is known of their drift."""

    @property
    def drifted(self) -> list[str]:
        """Names of the columns that drifted, the prediction first."""
        findings = ([self.prediction] if self.prediction else []) + self.features
        return [finding.difference.column for finding in findings if finding.drifted]


def holm(p_values: Sequence[float]) -> list[float]:
    """*p_values* adjusted by Holm's step-down method: each may be held against one significance, whatever their number."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - rank)))
        adjusted[place] = highest
    return adjusted


def judge(differences: Sequence[Difference], thresholds: Thresholds) -> list[Finding]:
    """*differences*, judged together."""
    adjusted = holm([difference.p_value for difference in differences])
    return [
        Finding(
            difference=difference,
            adjusted_p=p_value,
            drifted=p_value < thresholds.significance and difference.jensen_shannon >= thresholds.distance,
        )
        for difference, p_value in zip(differences, adjusted, strict=True)
    ]


def mean_shift(scores: Moments, bins: Bins, thresholds: Thresholds) -> MeanShift | None:
    """How the mean of *scores* moved; None where there are too few."""
    if scores.count < 2:
        return None
    before, moved = bins.mean_prediction, scores.mean - bins.mean_prediction
    relative = moved / abs(before) if before else None
    error = math.sqrt(scores.variance * (1 / scores.count + 1 / bins.rows))
    matters = relative is None or abs(relative) > thresholds.mean_shift
    return MeanShift(
        mean=scores.mean,
        before=before,
        relative=relative,
        drifted=matters and abs(moved) > thresholds.mean_errors * error,
    )


def report(
    about: About,
    window: Window,
    differences: Sequence[Difference],
    bins: Bins,
    *,
    thresholds: Thresholds,
    rows_of_other_models: int = 0,
    damaged: int = 0,
) -> DriftReport:
    """The report on *window*. *differences*: of the prediction, then of each column; none where the window is empty."""
    small = _too_few(window.rows, thresholds)
    findings = judge(differences, thresholds)
    mean = mean_shift(window.scores, bins, thresholds)
    if small:
        # Where all of it says nothing, no part of it is called drift: a mark would contradict the verdict.
        findings = [finding.model_copy(update={"drifted": False}) for finding in findings]
        mean = mean and mean.model_copy(update={"drifted": False})
    word, explanation = small or _verdict(findings, mean)
    measured = {finding.difference.column for finding in findings[1:]}
    return DriftReport(
        about=about,
        rows=window.rows,
        rows_before=bins.rows,
        rows_of_other_models=rows_of_other_models,
        damaged=damaged,
        verdict=word,
        explanation=explanation,
        prediction=findings[0] if findings else None,
        mean=mean,
        features=findings[1:],
        not_logged=[column.column for column in bins.columns if findings and column.column not in measured],
    )


def _too_few(rows: int, thresholds: Thresholds) -> tuple[Word, str] | None:
    """The verdict on a window that is too small for one; None where it is large enough."""
    if rows == 0:
        return "no data", "nothing was logged; this says nothing about drift"
    if rows < thresholds.minimum_rows:
        return (
            "too few",
            f"{rows} rows were logged, {thresholds.minimum_rows} are needed; this says nothing about drift",
        )
    return None


def _verdict(findings: Sequence[Finding], mean: MeanShift | None) -> tuple[Word, str]:
    """The verdict on a window that is large enough, and why."""
    reasons = [_reason(finding) for finding in findings if finding.drifted]
    if mean is not None and mean.drifted:
        size = "" if mean.relative is None else f" ({mean.relative:+.0%})"
        reasons.insert(0, f"the mean prediction is {mean.mean:.3g}, it was {mean.before:.3g}{size}")
    if reasons:
        return "drift", "; ".join(reasons)
    return "no drift", "no column differs from the training data by more than chance and by as much as matters"


def _reason(finding: Finding) -> str:
    difference = finding.difference
    return f"{difference.column} differs (Jensen-Shannon {difference.jensen_shannon:.2f}, p {finding.adjusted_p:.1g})"
