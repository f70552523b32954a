"""A model server started only to see what it does: whether it answers as training did, and how fast."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ReplayResult:
    """The result of replaying the golden rows. *difference*: what it answered otherwise than training, or why it would not serve the
    bundle at all; None where it answers the same. Times are of whole requests, one row each, one after the other; None where it served
    nothing."""

    difference: str | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class TrialServer(Protocol):
    """Serves bundles as production does."""

    def replay(self, folder: Path, digest: str) -> ReplayResult:
        """Serve the bundle *digest* in *folder*, ask it its golden rows, and stop.

        Raises TryAgain where it does not start, unless it refuses the bundle: that is an answer.
        """
        ...
