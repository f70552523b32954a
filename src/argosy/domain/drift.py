"""When counts of what a model sees and says differ enough from its reference to be called drift.

The reference is the model's holdout, rows it never saw, answered by the model that serves, or what its settings name instead. A distance
that matters decides, and a test confirms that it is no chance; the reference is a sample too, so distances are taken free of what chance
adds on both sides. Decisions only: a window is counts in the bins of the reference, so windows of any hours, pods or batches add up, in
any order, to the same window. The statistics themselves are calculated elsewhere.
"""

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from pydantic import Field

from argosy.domain import figures, multiplicity
from argosy.domain.bundle import Bins, Histogram, Moments
from argosy.domain.documents import Document
from argosy.domain.monitor_settings import FEWEST_ROWS, DriftLimits

FEWEST_REFERENCE = 100
"""Rows of the reference. Of fewer, what chance does to it is as large as what matters."""

OF_ONE_REFERENCE = 0.1
"""Share of the significance that the tests are held against. All windows of a model are compared with one reference, so what chance did to
that it does to each of them: a test that keeps its rate over many models would exceed it for an unlucky one."""

MOST = 0.5
"""Share of the rows from which on it is said that values are missing or unknown, and not how far they moved."""

TOLD = 4
"""Columns, and slices, that an explanation names."""

Word = Literal["drift", "no drift", "too few", "no data"]


class Window(Document):
    """A drift window: the predictions logged in some time, as counts in the bins of one model."""

    rows: int
    columns: list[Histogram]
    prediction: Histogram
    scores: Moments
    answers: list[Histogram] = []
    """What follows from an answer, where the reference has it: the class decided for, and how sure that is."""

    def plus(self, other: "Window") -> "Window":
        """Both together. Raises ValueError where they are of other bins."""
        return Window(
            rows=self.rows + other.rows,
            columns=[sum_of(ours, theirs) for ours, theirs in zip(self.columns, other.columns, strict=True)],
            prediction=sum_of(self.prediction, other.prediction),
            scores=self.scores.plus(other.scores),
            answers=[sum_of(ours, theirs) for ours, theirs in zip(self.answers, other.answers, strict=True)],
        )


class Reference(Document):
    """What a window is held against."""

    name: str
    """In a few words, such as ``holdout`` or ``season month 07``."""
    words: str = "the reference"
    """In a sentence."""
    window: Window
    usual: dict[str, float] = {}
    """Column to the distance that windows without drift have been from it, such as a week's weather from its month's; 0 where absent."""
    usual_mean: float = 0.0
    """Relative change of the mean prediction that such windows had."""


def holdout(bins: Bins) -> Reference:
    """The reference that a model's *bins* are."""
    window = Window(rows=bins.rows, columns=bins.columns, prediction=bins.prediction, scores=bins.scores)
    return Reference(name="holdout", words="the model's holdout", window=window)


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


class Thresholds(DriftLimits):
    """The limits above which a difference is called drift, and the fewest rows that say anything."""

    minimum_rows: int = Field(default=200, ge=FEWEST_ROWS)
    """Fewer logged rows say nothing."""

    def confirms(self, adjusted_p: float) -> bool:
        """True where a test with that p-value is significant, after Holm's correction."""
        return adjusted_p < self.significance * OF_ONE_REFERENCE


class Difference(Document):
    """One column of the window against the same column of the reference."""

    column: str
    kind: Literal["number", "category"]
    psi: float
    """Population stability index, less what chance adds."""
    jensen_shannon: float
    """Distance, base 2: 0 equal, 1 disjoint; less what chance adds."""
    wasserstein: float | None = None
    """In the column's unit; none for a category."""
    test: Literal["ks", "chi-squared"]
    statistic: float
    p_value: float
    missing: float
    """Share of missing values in the window."""
    missing_before: float
    unseen: float | None = None
    """Share of levels that the model does not know; none for a number."""
    unseen_before: float | None = None
    of: Literal["asked", "answered"] = "asked"
    """Whether it is a feature, or follows from the answer."""
    own: dict[str, float] = {}
    """By measures that installed packages bring: those that say something of such a column."""


class Finding(Document):
    """A difference, judged."""

    difference: Difference
    adjusted_p: float
    """As if this were the only column."""
    limit: float = 0.0
    """The distance from which it would matter."""
    usual: float = 0.0
    """The distance that windows without drift have been from the reference."""
    own_limits: dict[str, float] = {}
    """Of its distances by measures that packages bring, those that are far enough to matter: the limit of each."""
    drifted: bool

    @property
    def beyond(self) -> float:
        """The distance, free of what is usual: what limits in settings speak of."""
        far = self.difference.jensen_shannon
        return math.sqrt(max(0.0, far**2 - self.usual**2)) if self.usual else far

    @property
    def own_words(self) -> str:
        """What packages' measures found far enough to matter, to go on a sentence with; empty where none did."""
        return "".join(
            f", {name} {figures.number(self.difference.own[name])} where {figures.number(limit)} matters"
            for name, limit in self.own_limits.items()
        )


class MeanShift(Document):
    """The mean prediction of the window against that of the reference."""

    mean: float
    before: float
    relative: float | None = None
    """(mean - before) / |before|; none where before is 0."""
    deviations: float | None = None
    """(mean - before) in standard deviations of the reference's scores; none where these are all equal."""
    p_value: float
    """Chance of a move as large without any drift."""
    adjusted_p: float
    """As if this were compared alone."""
    drifted: bool


class About(Document):
    """The model, environment and window that a report is about."""

    model: str
    environment: str
    model_digest: str
    version: int | None = None
    score: str = "prediction"
    """The name of the model's scores, in words."""
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None


class DriftReport(Document):
    """The result of ``argosy drift``: every difference, judged, and whether there is drift."""

    about: About
    rows: int
    rows_before: int
    """Of the reference."""
    rows_of_other_models: int = 0
    """Logged in the same time by other versions; not counted."""
    damaged: int = 0
    """Parts of the log that could not be read."""
    verdict: Word
    explanation: str
    prediction: Finding | None = None
    mean: MeanShift | None = None
    features: list[Finding] = []
    answers: list[Finding] = []
    """The decision and how sure it is, where the reference has them."""
    reference: str = "holdout"
    not_logged: list[str] = []
    """Features that the log leaves out, as personal data: nothing is known of their drift."""

    @property
    def findings(self) -> list[Finding]:
        """All columns, the prediction first."""
        return ([self.prediction] if self.prediction else []) + self.features + self.answers

    @property
    def drifted(self) -> list[str]:
        """Names of the columns that drifted, the prediction first."""
        return [finding.difference.column for finding in self.findings if finding.drifted]


def judge(
    differences: Sequence[Difference], mean: MeanShift | None, thresholds: Thresholds
) -> tuple[list[Finding], MeanShift | None]:
    """*differences*, the prediction's first, and the *mean* of its scores, judged together."""
    return _hold(differences, mean, multiplicity.holm(_p_values(differences, mean)), thresholds, {}, 0.0)


def _p_values(differences: Sequence[Difference], mean: MeanShift | None) -> list[float]:
    return [*(difference.p_value for difference in differences), *([mean.p_value] if mean else [])]


def _hold(
    differences: Sequence[Difference],
    mean: MeanShift | None,
    adjusted: Sequence[float],
    thresholds: Thresholds,
    usual: Mapping[str, float],
    usual_mean: float,
) -> tuple[list[Finding], MeanShift | None]:
    """*differences* and *mean* held against the limits, by their *adjusted* p-values."""
    findings = [
        _finding(difference, p_value, usual.get(difference.column, 0.0), thresholds)
        for difference, p_value in zip(differences, adjusted, strict=False)
    ]
    if mean is None:
        return findings, None
    return findings, _judged(mean.model_copy(update={"adjusted_p": adjusted[-1]}), findings, thresholds, usual_mean)


def _finding(difference: Difference, adjusted_p: float, usual: float, thresholds: Thresholds) -> Finding:
    # What is usual and what matters add up as squares do: divergences add, and a distance is the root of one.
    limit = math.hypot(thresholds.distance, usual)
    own = {name: least for name, least in thresholds.own.items() if difference.own.get(name, 0.0) >= least}
    drifted = thresholds.confirms(adjusted_p) and (difference.jensen_shannon >= limit or bool(own))
    return Finding(
        difference=difference, adjusted_p=adjusted_p, limit=limit, usual=usual, own_limits=own, drifted=drifted
    )


def _judged(mean: MeanShift, findings: Sequence[Finding], thresholds: Thresholds, usual: float = 0.0) -> MeanShift:
    """*mean*, called drift where it moved far enough, *usual* changes apart, and by more than chance."""
    far = mean.relative is None or abs(mean.relative) > math.hypot(thresholds.mean_shift, usual)
    far = far and (mean.deviations is None or abs(mean.deviations) >= thresholds.mean_deviations)
    # The mean of skewed scores is not normal, and its p-value too small; equal distributions have equal means, whatever their shape.
    seen = [finding.adjusted_p for finding in findings[:1] if finding.difference.kind == "number"]
    confirmed = all(thresholds.confirms(p_value) for p_value in (mean.adjusted_p, *seen))
    return mean.model_copy(update={"drifted": far and confirmed})


def mean_shift(scores: Moments, before: Moments) -> MeanShift | None:
    """The shift of the mean of *scores*, with a z-test; None where there are too few on a side."""
    if min(scores.count, before.count) < FEWEST_ROWS:
        return None
    moved, deviation = scores.mean - before.mean, math.sqrt(before.variance)
    error = math.sqrt(scores.variance / scores.count + before.variance / before.count)
    p_value = math.erfc(abs(moved) / error / math.sqrt(2)) if error else float(moved == 0)
    return MeanShift(
        mean=scores.mean,
        before=before.mean,
        relative=moved / abs(before.mean) if before.mean else None,
        deviations=moved / deviation if deviation else None,
        p_value=p_value,
        adjusted_p=p_value,
        drifted=False,
    )


@dataclass(frozen=True)
class Part:
    """Rows to be judged: all of a window, or a slice of it."""

    about: About
    window: Window
    reference: Reference
    differences: Sequence[Difference]
    """Of the prediction, then of each column; none where the window is empty."""
    expected: frozenset[str] = frozenset()
    """Columns that the log has in each row, unless something is wrong with it."""

    @property
    def gone(self) -> list[str]:
        """Columns that should be in each row and are not."""
        columns = (each for each in self.window.columns if each.column in self.expected)
        return [each.column for each in columns if each.missing + sum(each.counts) < self.window.rows]


def report(
    about: About,
    window: Window,
    differences: Sequence[Difference],
    reference: Reference,
    *,
    thresholds: Thresholds,
    rows_of_other_models: int = 0,
    damaged: int = 0,
) -> DriftReport:
    """The report on *window* by itself."""
    (found,) = reports([Part(about, window, reference, differences)], thresholds=thresholds)
    return found.model_copy(update={"rows_of_other_models": rows_of_other_models, "damaged": damaged})


def reports(parts: Sequence[Part], *, thresholds: Thresholds) -> list[DriftReport]:
    """The reports on *parts*, judged together: however many columns and slices there are, an unchanged window is called drift as rarely."""
    small = [_too_few(part, thresholds) for part in parts]
    means = [mean_shift(part.window.scores, part.reference.window.scores) for part in parts]
    tests = [_p_values(part.differences, mean) for part, mean in zip(parts, means, strict=True)]
    # What is too small for a verdict costs the others nothing.
    counted = iter(
        multiplicity.holm([p for of_part, few in zip(tests, small, strict=True) if not few for p in of_part])
    )
    adjusted = [
        multiplicity.holm(of_part) if few else list(islice(counted, len(of_part)))
        for of_part, few in zip(tests, small, strict=True)
    ]
    return [
        _report(
            part, few, _hold(part.differences, mean, p, thresholds, part.reference.usual, part.reference.usual_mean)
        )
        for part, few, mean, p in zip(parts, small, means, adjusted, strict=True)
    ]


def _report(part: Part, small: tuple[Word, str] | None, judged: tuple[list[Finding], MeanShift | None]) -> DriftReport:
    findings, mean = judged
    if small:
        # Where all of it says nothing, no part of it is called drift: a mark would contradict the verdict.
        findings = [finding.model_copy(update={"drifted": False}) for finding in findings]
        mean = mean and mean.model_copy(update={"drifted": False})
    word, explanation = small or _verdict(findings, mean, part)
    if gone := part.gone:
        explanation += f"; {', '.join(told(gone))}: not in all that was logged, and of rows without nothing is said"
    measured = {finding.difference.column for finding in findings[1:] if finding.difference.of == "asked"}
    return DriftReport(
        about=part.about,
        rows=part.window.rows,
        rows_before=part.reference.window.rows,
        reference=part.reference.name,
        verdict=word,
        explanation=explanation,
        prediction=findings[0] if findings else None,
        mean=mean,
        features=[finding for finding in findings[1:] if finding.difference.of == "asked"],
        answers=[finding for finding in findings[1:] if finding.difference.of == "answered"],
        not_logged=[
            each.column
            for each in part.window.columns
            if findings and each.column not in measured and not _has_rows(each)
        ],
    )


def _has_rows(histogram: Histogram) -> bool:
    return histogram.missing > 0 or any(histogram.counts)


def _too_few(part: Part, thresholds: Thresholds) -> tuple[Word, str] | None:
    """The verdict on a window that is too small for one, or whose reference is; None where both are large enough."""
    rows, before = part.window.rows, part.reference.window.rows
    if rows == 0:
        return "no data", "nothing was logged; this says nothing about drift"
    if rows < thresholds.minimum_rows:
        return (
            "too few",
            f"{rows} rows were logged, {thresholds.minimum_rows} are needed; this says nothing about drift",
        )
    if before < FEWEST_REFERENCE:
        return (
            "too few",
            f"{part.reference.words} has {before} rows, {FEWEST_REFERENCE} are needed to compare with; "
            "this says nothing about drift",
        )
    return None


def _verdict(findings: Sequence[Finding], mean: MeanShift | None, part: Part) -> tuple[Word, str]:
    """The verdict on a window that is large enough, and why."""
    reasons = told([_reason(finding) for finding in farthest(findings) if finding.drifted])
    if mean is not None and mean.drifted:
        size = "" if mean.relative is None else f" ({mean.relative:+.0%})"
        score = part.about.score
        reasons.insert(
            0, f"the mean {score} is {figures.number(mean.mean)}, it was {figures.number(mean.before)}{size}"
        )
    if reasons:
        return "drift", "; ".join(reasons)
    return "no drift", f"no column differs from {part.reference.words} by as much as matters and by more than chance"


def farthest(findings: Sequence[Finding]) -> list[Finding]:
    """*findings*, the one that moved farthest first."""
    return sorted(findings, key=lambda finding: -finding.beyond)


def told(reasons: Sequence[str]) -> list[str]:
    """The first of *reasons*, and how many more there are: a line that people read."""
    more = len(reasons) - TOLD
    return [*reasons[:TOLD], *([f"and {more} more"] if more > 0 else [])]


def _reason(finding: Finding) -> str:
    difference = finding.difference
    if difference.missing - difference.missing_before >= MOST:
        return f"{difference.column} is missing in {difference.missing:.0%} of the rows, it was in {difference.missing_before:.0%}"
    if (difference.unseen or 0.0) - (difference.unseen_before or 0.0) >= MOST:
        return f"{difference.column} has values that the model does not know in {difference.unseen:.0%} of the rows"
    usual = f", usually up to {finding.usual:.2f}" if finding.usual else ""
    far = f"Jensen-Shannon {difference.jensen_shannon:.2f}{usual}{finding.own_words}"
    return f"{difference.column} differs ({far}, p {finding.adjusted_p:.1g})"
