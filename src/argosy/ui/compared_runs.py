"""Two runs of a model side by side, as a page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from argosy.domain.run_differences import RunDifference


@dataclass(frozen=True)
class ComparedRuns:
    """What was otherwise between two runs."""

    model: str
    before: str
    after: str
    said_before: str
    """What each came to, in words."""
    said_after: str
    sections: Sequence[tuple[str, Sequence[RunDifference]]]
    """By title; only those with a difference."""
    others: Sequence[str]
    """Other runs of the model that the later one can be held against."""
