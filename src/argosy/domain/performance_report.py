"""The real performance of a model where it is served: its answers held against labels that came later.

A document of values only. Labels arrive late, incomplete and sometimes wrong, so each figure comes with its interval, and beside them
stands how many predictions have a label and what was wrong with those that do not count. How it is measured is ``ml``'s business, and
which label is of which prediction ``monitoring``'.
"""

import datetime
from collections.abc import Iterator
from typing import Literal

from pydantic import ValidationError

from argosy.domain.documents import Document
from argosy.domain.drift import Finding
from argosy.domain.model_settings import Task

Standing = Literal["holds", "below", "unclear"]
"""Of a metric against its gate. Below: its whole interval breaks the gate. Unclear: its interval holds values on both sides."""

PerformanceWord = Literal["holds", "below", "unclear", "no gate", "too few", "no labels", "no data"]


class LabelCounts(Document):
    """The labels and predictions of a window, counted by what became of them. A count other than the first five names bad input."""

    predictions: int = 0
    """Logged in the window."""
    due: int = 0
    """Old enough to have a label (the setting ``due``)."""
    labelled: int = 0
    """Predictions with a label that counts."""
    due_labelled: int = 0
    """Those among the due."""
    rows: int = 0
    """Of the label source, after its ``reject`` rules."""
    unmatched: int = 0
    """Labels of predictions that are not in the window: never made, or made outside of it."""
    repeated: int = 0
    """The same label said again; counts once."""
    corrected: int = 0
    """Earlier labels of a prediction that a later one replaced."""
    contradicting: int = 0
    """Predictions with different labels known at one moment: none counts."""
    future: int = 0
    """Labels known, or of outcomes, after the moment of the look: not counted yet."""
    early: int = 0
    """Predictions whose label was known before they were made; they count, and show a clock or a join that is wrong."""
    undefined: int = 0
    """Labels without a value, or of a class that the model does not have."""
    nameless: int = 0
    """Predictions asked for without the ids by which labels join: none can be of them."""
    ambiguous: int = 0
    """Labels of a request with several rows that do not say which: none counts."""

    @property
    def completeness(self) -> float | None:
        """Share of the due predictions that have a label; None where none is due."""
        return self.due_labelled / self.due if self.due else None


class MeasuredScore(Document):
    """One metric of a set of labelled predictions, with its interval, and its standing against the policy's limit."""

    metric: str
    """Without its dimension, such as ``auc``."""
    value: float | None = None
    """None where it is undefined."""
    low: float | None = None
    high: float | None = None
    at_least: float | None = None
    """The limit of the policy on ``performance.<metric>``."""
    at_most: float | None = None
    standing: Standing | None = None
    """None where the policy has no limit on it, or it is undefined."""
    approved: float | None = None
    """What it was on the holdout when the model was approved; None where nobody measured it, and for a part of the predictions."""


class BusinessValue(Document):
    """A business value measured on outcomes: ``value_per_row`` of the decisions (``evaluation.business``), or a named outcome."""

    name: str
    rows: int
    total: float
    per_prediction: float
    low: float
    high: float
    """Interval of the value per prediction."""


class EstimatedScore(Document):
    """A metric as it is expected before labels are there, from calibrated scores alone."""

    metric: str
    value: float
    low: float
    high: float
    """The range of chance of one more window like this, at the estimate's confidence."""


class PerformanceEstimate(Document):
    """The estimate of the newest predictions, whose labels are not there yet."""

    since: datetime.datetime
    until: datetime.datetime
    rows: int
    assumes: str
    """What has to be true for it to hold, in a sentence."""
    scores: list[EstimatedScore]


class VersionPerformance(Document):
    """One version's labelled predictions in the window."""

    model_digest: str
    version: int | None = None
    predictions: int
    labelled: int
    scores: list[MeasuredScore]
    business: list[BusinessValue] = []


class SlicePerformance(Document):
    """The labelled predictions with one value of a feature."""

    column: str
    value: str
    labelled: int
    scores: list[MeasuredScore]
    """Empty where there are too few rows."""


class PerformancePeriod(Document):
    """One day of the window, for its course over time."""

    since: datetime.datetime
    until: datetime.datetime
    predictions: int
    labelled: int
    scores: list[MeasuredScore]


class LabelDrift(Document):
    """The labels that came for the version that serves, held against those of its holdout."""

    rows: int
    """Labels that are due."""
    rows_before: int
    """Of the holdout."""
    finding: Finding
    explanation: str


class Performance(Document):
    """The result of ``argosy performance``: what the version that serves was worth, as far as labels tell."""

    model: str
    environment: str
    model_digest: str
    version: int | None = None
    task: Task
    since: datetime.datetime
    """The first moment of the window of predictions."""
    until: datetime.datetime
    as_of: datetime.datetime
    """Labels known until then count."""
    confidence: float = 0.95
    """Of every interval."""
    labels: LabelCounts
    scores: list[MeasuredScore] = []
    """Of the version that serves. Empty where there are too few labels."""
    estimate: PerformanceEstimate | None = None
    versions: list[VersionPerformance] = []
    """Each version that answered in the window, the one that serves included."""
    shadows: list[VersionPerformance] | None = None
    """Each version that was asked beside it as a shadow; None where none was. No part of the verdict."""
    slices: list[SlicePerformance] = []
    """Of the version that serves."""
    periods: list[PerformancePeriod] = []
    """Of the version that serves, oldest first."""
    business: list[BusinessValue] = []
    """Of the version that serves."""
    label_drift: LabelDrift | None = None
    """None where there are too few labels, where nobody knows the holdout's, or the model is watched by another baseline than that."""
    verdict: PerformanceWord
    """Below: a metric is below its gate, and not by chance."""
    explanation: str
    problems: list[str] = []
    """One line for each kind of bad input that was met."""

    @property
    def below(self) -> list[MeasuredScore]:
        """The metrics below their gate."""
        return [score for score in self.scores if score.standing == "below"]

    def gated(self) -> Iterator[MeasuredScore]:
        """The metrics that the policy has a limit on."""
        return (score for score in self.scores if score.at_least is not None or score.at_most is not None)


def parse(content: bytes) -> Performance | None:
    """The report that *content* is; None where it is something else, such as one of another version of Argosy: it is measured again."""
    try:
        return Performance.model_validate_json(content)
    except ValidationError:
        return None


def latest_key(model: str, environment: str) -> str:
    """The key, in the monitoring store, of the newest report on *model* in *environment*."""
    return f"performance/{model}/{environment}/latest.json"


def day_in(key: str) -> datetime.datetime | None:
    """The day that what is kept under *key* is about; None of the newest report, which has none in its key."""
    try:
        return datetime.datetime.strptime(key.rpartition("/")[2], "%Y-%m-%d.json").replace(tzinfo=datetime.UTC)
    except ValueError:
        return None


def day_key(model: str, environment: str, model_digest: str, day: datetime.datetime) -> str:
    """The key of what is known of one *day* of the answers of the model of that digest; replaced as labels come."""
    return f"{days_prefix(model, environment, model_digest)}{day.astimezone(datetime.UTC):%Y-%m-%d}.json"


def days_prefix(model: str, environment: str, model_digest: str) -> str:
    """The beginning of the key of every day of the model of that digest."""
    return f"performance/{model}/{environment}/{model_digest.removeprefix('sha256:')}/"
