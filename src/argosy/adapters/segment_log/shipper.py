"""What a log asks of whoever ships its segments, and what it is told in return: in its own process by a thread, or in one beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from argosy import errors
from argosy.ports.prediction_log import ServedRelease

ENDED = "ShipperEnded"
"""The kind of failure that a process that ships and dies is counted as."""
EXPECTED = (errors.TryAgain.__name__, errors.Misconfigured.__name__, ENDED)
"""The kinds that may come. They stand at 0: to Prometheus what first appears with a number has not grown by it, and a rule asks whether it
did."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """What came of one segment."""

    served: ServedRelease | None = None
    """The release whose records they are; None where there were none."""
    records: int = 0
    damaged: int = 0
    """Places of it that could not be read."""


@dataclass(slots=True)
class ShippingCounts:
    """What was shipped, and what was not, so far. Whoever changes it replaces what is in it: others read it meanwhile."""

    shipped: int = 0
    damaged: int = 0
    failures: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(EXPECTED, 0))
    """Attempts that failed, by the kind of the error."""
    strange: frozenset[Path] = frozenset()
    """Files of the spool that are not shipped, because nobody can read them."""

    def add(self, found: Shipped) -> None:
        """The store has *found*."""
        self.shipped += found.records
        self.damaged += found.damaged

    def fail(self, kind: str) -> None:
        """An attempt failed by an error of that *kind*."""
        self.failures = {**self.failures, kind: self.failures.get(kind, 0) + 1}


class LogShipper(Protocol):
    """Ships what one log, and whoever wrote there before, left in its spool."""

    @property
    def counts(self) -> ShippingCounts:
        """What came of it."""

    def wake(self, sealed: Path) -> None:
        """The segment *sealed* has no writer any more. Returns at once."""

    def close(self, patience: float) -> None:
        """Ship what there is and let go; gives up after *patience* seconds, or where the store fails."""
