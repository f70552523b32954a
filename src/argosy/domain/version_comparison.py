"""How a second version stands against the one that is served, by answers to real requests: documents and the verdict, no calculation.

The words are those of :mod:`argosy.domain.comparison`; what people do next is one of three: promote, hold, or wait for more.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import AwareDatetime

from argosy.domain.comparison import Paired
from argosy.domain.documents import Document
from argosy.domain.evidence import ComparisonResult

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
    result: ComparisonResult | None = None
    """By the policy's metric; None where nothing could be compared."""
    verdict: NextWord
    explanation: str
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


def _end(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
