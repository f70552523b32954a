"""The documents about a snapshot beside others: what ``compare-data`` found, and what of it is about the champion's data."""

from pydantic import AwareDatetime

from argosy.domain import as_of
from argosy.domain.data import ExpectationResult
from argosy.domain.data_diff import DataChange
from argosy.domain.documents import Document


class SinceChampion(Document):
    """``since-champion.json``: follows from the two snapshots alone, so that equal data gives an equal document."""

    champion_snapshot: str | None = None
    """None where nothing is in production."""
    change: DataChange | None = None
    """None where it is the same data, or the champion's was not kept."""


class DataComparison(Document):
    """``comparison.json``: a snapshot held against the one accepted before it, and the champion's."""

    snapshot_digest: str
    as_of: AwareDatetime | None = None
    """The moment as of which the snapshot is; such a one is held against none, and kept nowhere."""
    previous_digest: str | None = None
    changes: list[DataChange] = []
    results: list[ExpectationResult] = []

    @property
    def critical_failures(self) -> list[ExpectationResult]:
        """The changes that stop the run."""
        return [result for result in self.results if result.critical and not result.passed]

    @property
    def why_nothing(self) -> str:
        """Why there is no change to show."""
        if self.as_of is not None:
            return f"These are the data as of {as_of.text(self.as_of)}: they are held against none that came later, and not kept."
        if self.previous_digest is None:
            return "This is the first snapshot that is accepted: there is none before it to hold it against."
        return "The snapshot that was accepted last is this one."
