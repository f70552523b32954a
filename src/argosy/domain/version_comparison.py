"""How a second version stands against the one that is served, by answers to real requests: documents and the verdict, no calculation.

The words are those of :mod:`argosy.domain.comparison`; what people do next is one of three: promote, hold, or wait for more.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import AwareDatetime

from argosy.domain import figures
from argosy.domain.comparison import UNBOUNDED, Paired
from argosy.domain.documents import Document
from argosy.domain.evidence import ComparisonResult
from argosy.domain.policy import ComparisonPolicy

Way = Literal["shadow", "split"]
NextWord = Literal["promote", "hold", "inconclusive"]
WORDS: dict[str, NextWord] = {
    "better": "promote",
    "not-inferior": "promote",
    "inferior": "hold",
    "inconclusive": "inconclusive",
}


class ComparedArm(Document):
    """One of two versions in the window."""

    version: int | None = None
    model_digest: str
    predictions: int
    entities: int
    """Different ones, where callers name them; requests where they do not."""
    labelled: int


class Agreement(Document):
    """The answers of two versions to the same rows."""

    rows: int
    flips: int
    """Rows that they decided otherwise."""
    mean_distance: float
    largest_distance: float


class ArmDifference(Document):
    """One figure of both versions; the difference is second less first, turned so that more is better."""

    name: str
    first: float
    second: float
    difference: float
    low: float | None = None
    """None: the interval has no end."""
    high: float | None = None
    p_value: float
    rows: int


class SliceDifference(Document):
    """The policy's metric of both versions where the feature *column* has one *value*."""

    column: str
    value: str
    rows: int
    """Of the second version."""
    flips: int | None = None
    """Of these, decided otherwise by the first; None where that did not answer them."""
    score: ArmDifference | None = None
    """None where there are too few labels."""


class VersionComparison(Document):
    """Two versions compared."""

    model: str
    environment: str
    way: Way
    """How the second version was asked: as a shadow, the same rows; in a split, rows of its own."""
    since: AwareDatetime
    until: AwareDatetime
    as_of: AwareDatetime
    confidence: float
    first: ComparedArm
    second: ComparedArm
    agreement: Agreement | None = None
    scores: list[ArmDifference] = []
    values: list[ArmDifference] = []
    """What outcomes were worth."""
    slices: list[SliceDifference] = []
    """By the slices that the settings name; they decide nothing."""
    result: ComparisonResult | None = None
    """By the policy's metric; None where nothing could be compared."""
    verdict: NextWord
    explanation: str
    would_take: str = ""
    """What it would take to promote the second version, or to know; empty where nothing is missing."""
    problems: Sequence[str] = ()


def difference(name: str, found: Paired) -> ArmDifference:
    """*found* as a line of the document."""
    return ArmDifference(
        name=name,
        first=found.champion,
        second=found.candidate,
        difference=found.difference,
        low=_end(found.low),
        high=_end(found.high),
        p_value=found.p_value,
        rows=found.rows,
    )


def would_take(policy: ComparisonPolicy, result: ComparisonResult) -> str:
    """What it would take for *result* to say promote, or, where it says nothing yet, to say anything; empty where it says promote."""
    if WORDS[result.outcome] == "promote":
        return ""
    if not result.compared:
        return "labels of rows that the second version answered"
    if result.rows < policy.minimum_rows:
        return f"{policy.minimum_rows - result.rows:,} more rows with a label: the policy wants {policy.minimum_rows:,}"
    if result.outcome == "inferior":
        needed = result.difference - result.low - result.margin
        return f"{result.metric} different from the served version's by {figures.signed(needed)} or more, on rows like these"
    return _rows_to_know(policy, result)


def _rows_to_know(policy: ComparisonPolicy, result: ComparisonResult) -> str:
    """How many rows would tell, if the difference stays what it is: an interval narrows with the square root of its rows."""
    over = result.difference + policy.margin
    half = result.difference - result.low if over > 0 else result.high - result.difference
    if not over or half >= UNBOUNDED:
        return "many more rows with a label: so far they say next to nothing"
    rows = max(round(result.rows * (half / abs(over)) ** 2), result.rows + 1)
    return f"about {rows:,} rows with a label in all, if the difference stays what it is"


def _end(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
