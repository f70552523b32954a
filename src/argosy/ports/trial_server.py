"""A model server started only to see what it does: whether it answers as training did, and how fast."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ReplayResult:
    """The result of replaying the golden rows. *difference*: what it answered otherwise than training, or None. Times are of whole
    requests, one row each, one after the other."""

    difference: str | None
    p50_ms: float
    p95_ms: float
    p99_ms: float


class TrialServer(Protocol):
    """Serves bundles as production does."""

    def replay(self, folder: Path, digest: str) -> ReplayResult:
        """Serve the bundle *digest* in *folder*, ask it its golden rows, and stop. Raises TryAgain where it does not start."""
        ...
