"""A clock that a test turns."""


class Clock:
    """Seconds, as ``time.time`` and ``time.monotonic`` give them."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time."""
        return self.now
