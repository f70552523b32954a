"""Keeps the ledgers of retrainings in memory, for tests."""

import threading
from collections.abc import Sequence

from argosy.domain.retraining_admission import RetrainingLedger
from argosy.ports.admission_state import Answer, Turn


class MemoryAdmissionState:
    """Ledgers of this process."""

    def __init__(self) -> None:
        self._ledgers: dict[str, RetrainingLedger] = {}
        self._one_at_a_time = threading.Lock()

    def take_turn(self, model: str, turn: Turn[Answer]) -> Answer:
        """See the port."""
        with self._one_at_a_time:
            answer, self._ledgers[model] = turn(self.ledger(model))
            return answer

    def ledger(self, model: str) -> RetrainingLedger:
        """See the port."""
        return self._ledgers.get(model, RetrainingLedger(model=model))

    def models(self) -> Sequence[str]:
        """See the port."""
        return sorted(self._ledgers)
