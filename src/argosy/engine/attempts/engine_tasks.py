"""Work that the engine does itself in place of a container: under way, for so long and no longer, and given up when somebody says so."""

import asyncio
from abc import ABC, abstractmethod

from argosy.engine.effects import PodResult


class EngineTask(ABC):
    """One piece of such work."""

    _work: "asyncio.Task[PodResult] | None" = None

    async def run(self, patience: float | None) -> PodResult | None:
        """The result; None where that took more than *patience* seconds, or somebody stopped it."""
        self._work = asyncio.ensure_future(self._result())
        done, _ = await asyncio.wait([self._work], timeout=patience)
        if not done:
            self._work.cancel()
            await asyncio.wait([self._work])
        return None if self._work.cancelled() else self._work.result()

    async def stop(self, grace: float) -> None:
        """Give up. There is no process that *grace* would be for, and what was done elsewhere stays."""
        del grace
        if self._work:
            self._work.cancel()

    @abstractmethod
    async def _result(self) -> PodResult:
        """Do it."""
