"""One process of a server: alone, or a worker among several, which shares readiness, rates, budgets and metrics with the others."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace

from argosy.serving import graceful_server, supervisor
from argosy.serving.access.host_rate_limiter import HostRateLimiter
from argosy.serving.access.local_rate_limiter import RateCounter
from argosy.serving.exchange import RequestLimits
from argosy.serving.exposition import Snapshots
from argosy.serving.lifecycle import Lifecycle
from argosy.serving.listeners import SharesConnections
from argosy.serving.served_models import ServedModels
from argosy.serving.server_metrics import Scraped
from argosy.serving.supervisor import WorkerPlace
from argosy.serving.worker_board import BoardMetrics, ConnectionShare, WorkerBoard, WorkerLifecycle

FEWEST_REQUESTS, FEWEST_BODIES = 32, 2
"""That one worker may have at once, however many there are; bodies of the largest size."""
READY_SECONDS = 0.05
"""Between two looks at whether all workers answer."""


class Member:
    """A process that is alone."""

    def __init__(self) -> None:
        self.lifecycle = Lifecycle()

    def rates(self) -> RateCounter | None:
        """What counts rates; None: whatever one process uses."""
        return None

    def share(self, limits: RequestLimits) -> RequestLimits:
        """The part of *limits* that this process may use up."""
        return limits

    def scraped(self, models: ServedModels) -> Scraped:
        """What Prometheus is told, by whichever process it asks."""
        return models

    def publish(self) -> None:
        """Tell the others what this process counted."""

    def answers(self, say: Callable[[], None]) -> None:
        """This process answers from now on; *say* is for the moment at which the server does."""
        say()

    def connection_share(self) -> SharesConnections | None:
        """What tells which process takes the next connection; None: there is one."""
        return None

    def companions(self) -> Sequence[graceful_server.Companion]:
        """What runs beside callers' own server."""
        return []


class Worker(Member):
    """A process among several."""

    def __init__(self, place: WorkerPlace) -> None:
        super().__init__()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until somebody follows: it is for all workers, and ends none
        self._place = place
        self._board = WorkerBoard(place.folder, place.workers)
        self._metrics: BoardMetrics | None = None
        self.lifecycle = WorkerLifecycle(self._board, place.number)

    def rates(self) -> RateCounter | None:
        """See the base."""
        return HostRateLimiter(self._place.folder / supervisor.RATES)

    def share(self, limits: RequestLimits) -> RequestLimits:
        """See the base."""
        bodies = max(limits.all_bodies_bytes // self._place.workers, FEWEST_BODIES * limits.body_bytes)
        return replace(
            limits,
            in_flight=max(limits.in_flight // self._place.workers, FEWEST_REQUESTS),
            all_bodies_bytes=min(bodies, limits.all_bodies_bytes),
        )

    def scraped(self, models: Snapshots) -> Scraped:
        """See the base."""
        self._metrics = BoardMetrics(self._board, models)
        return self._metrics

    def publish(self) -> None:
        """See the base."""
        if self._metrics is not None:
            self._metrics.publish()

    def answers(self, say: Callable[[], None]) -> None:
        """See the base. The first worker says it, once, for all."""
        begins = self._place.number == 0 and not self._board.once_ready
        self._board.answers(self._place.number)
        self.publish()
        if begins:
            self._when_all_do(say)

    def _when_all_do(self, say: Callable[[], None]) -> None:
        if self._board.ready:
            say()
        else:
            asyncio.get_running_loop().call_later(READY_SECONDS, self._when_all_do, say)

    def connection_share(self) -> SharesConnections | None:
        """See the base."""
        return ConnectionShare(self._board, self._place.number)

    def companions(self) -> Sequence[graceful_server.Companion]:
        """See the base."""
        return [Lifeline(self._place.lifeline)]


class Lifeline:
    """Has the process stop where its supervisor is gone; see :class:`argosy.serving.graceful_server.Companion`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    async def start(self) -> None:
        """See the protocol."""
        asyncio.get_running_loop().add_reader(self._descriptor, self._ended)

    def _ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.kill(os.getpid(), signal.SIGTERM)

    async def stop(self, _: float) -> None:
        """See the protocol."""
        asyncio.get_running_loop().remove_reader(self._descriptor)


def member(place: WorkerPlace | None) -> Member:
    """This process."""
    return Member() if place is None else Worker(place)


def speaker(place: WorkerPlace | None, say: Callable[[str], None]) -> Callable[[str], None]:
    """*say*, or silence where another worker says the same."""
    return say if place is None or place.number == 0 else lambda _: None
