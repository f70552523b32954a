"""Rates of one process, on a clock that nobody sets.

A wall clock that steps back an hour would keep everybody out for that hour, and one that steps forward let everybody in twice; with the
libraries that count in memory it does.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from argosy.domain.access_rules import Rate

MOST_KEYS = 10_000
"""Keys remembered at once. The one that asked longest ago is forgotten first, and begins anew."""

rate = lru_cache(maxsize=1024)(Rate)


class RateCounter(Protocol):
    """Counts at once, on this machine."""

    def hit_now(self, key: str, rate_text: str) -> float:
        """Count a request of *key*; returns the seconds to wait, in which case it does not count."""

    def spent(self, key: str, rate_text: str) -> float:
        """Seconds until *key* may ask again, without counting; 0 where it may now."""


class LocalRateLimiter:
    """The generic cell rate algorithm (ITU-T I.371): per key one number, the time at which its bucket would be empty again.

    In any time t never more than ``requests + t * requests / seconds`` are let in.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._empty_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        """Number of keys remembered."""
        return len(self._empty_at)

    async def hit(self, key: str, rate_text: str) -> float:
        """See the port."""
        return self.hit_now(key, rate_text)

    def hit_now(self, key: str, rate_text: str) -> float:
        """As :meth:`hit`, at once."""
        allowed, now = rate(rate_text), self._clock()
        step = allowed.seconds / allowed.requests
        empty_at = max(self._empty_at.get(key, now), now) + step
        over = empty_at - now - allowed.seconds
        if over > 1e-9 * allowed.seconds:  # sums of steps are not exact
            return over
        self._remember(key, empty_at)
        return 0.0

    def spent(self, key: str, rate_text: str) -> float:
        """Seconds until *key* may ask again, without counting; 0 where it may now."""
        allowed, now = rate(rate_text), self._clock()
        over = self._empty_at.get(key, now) + allowed.seconds / allowed.requests - now - allowed.seconds
        return max(over, 0.0) if over > 1e-9 * allowed.seconds else 0.0

    async def close(self) -> None:
        """See the port."""

    def _remember(self, key: str, empty_at: float) -> None:
        self._empty_at[key] = empty_at
        self._empty_at.move_to_end(key)
        if len(self._empty_at) > MOST_KEYS:
            self._empty_at.popitem(last=False)


def retry_after(seconds: float) -> int:
    """*seconds* as a Retry-After header has them: whole, and one at least."""
    return max(1, math.ceil(seconds))
