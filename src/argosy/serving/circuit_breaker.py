"""Leaves something alone that others run and that does not answer, for a while."""

import time
from collections.abc import Callable

TOLERATED = 5
"""Failures in a row after which it is left alone for a while."""
PAUSE_SECONDS = 1.0


class CircuitBreaker:
    """Leaves a database alone that failed several times in a row, then lets one caller find out how it is."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    def refuses(self) -> bool:
        """True while the circuit breaker is open: it failed several times in a row and is not asked."""
        if self._failures < TOLERATED:
            return False
        now = self._clock()
        if now < self._until:
            return True
        self._until = now + PAUSE_SECONDS  # whoever is let in asks for all
        return False

    def succeeded(self) -> None:
        """It answered."""
        self._failures = 0

    def failed(self) -> None:
        """It did not."""
        self._failures += 1
        self._until = self._clock() + PAUSE_SECONDS
