"""An event loop that a test runs step by step, in a time of its own."""

from collections import deque
from collections.abc import Callable
from typing import Any

from kit.clock import Clock


class SteppedLoop:
    """Runs what it is told, turn by turn; of asyncio's loop what a server's connections ask of one."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self._soon: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()

    def time(self) -> float:
        """See asyncio."""
        return self.clock()

    def call_soon(self, work: Callable[..., Any], *arguments: Any) -> None:
        """See asyncio."""
        self._soon.append((work, arguments))

    def call_later(self, _: float, __: Callable[..., Any], *___: Any) -> "SteppedLoop":
        """See asyncio: what is later than a test is never done."""
        return self

    def cancel(self) -> None:
        """See asyncio's handles."""

    def run(self) -> None:
        """Do all there is to do."""
        while self._soon:
            self.step()

    @property
    def busy(self) -> bool:
        """True where there is something to do."""
        return bool(self._soon)

    def step(self) -> None:
        """Do the next thing."""
        work, arguments = self._soon.popleft()
        work(*arguments)
