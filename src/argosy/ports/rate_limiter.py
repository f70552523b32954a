"""Port: counts requests against a rate."""

from typing import Protocol


class RateLimiter(Protocol):
    """Counts requests by key."""

    async def hit(self, key: str, rate: str) -> float:
        """Count one request of *key*, which may ask at *rate* (see :class:`argosy.domain.access_rules.Rate`).

        Returns 0 where it is within the rate, else the seconds after which another try is worth it. Raises TryAgain where the counter that
        replicas share cannot be reached.
        """

    async def close(self) -> None:
        """Let go of connections."""
