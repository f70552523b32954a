"""Keeps trials in memory, for tests."""

from collections import defaultdict
from collections.abc import Mapping

from argosy.domain.search import Trial


class MemorySearchStorage:
    """Trials of this process."""

    def __init__(self) -> None:
        self._studies: defaultdict[str, dict[int, Trial]] = defaultdict(dict)

    def recorded(self, study: str) -> Mapping[int, Trial]:
        """The trials of *study*, by number."""
        return dict(self._studies[study])

    def record(self, study: str, trial: Trial) -> None:
        """Add *trial* to *study*."""
        self._studies[study].setdefault(trial.number, trial)
