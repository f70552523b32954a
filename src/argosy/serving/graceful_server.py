"""Graceful shutdown: runs an app on a port until it is told to stop, and stops in the order that loses no request.

On SIGTERM readiness fails first; for the drain time new requests are still answered, because load balancers notice late; then the port is
closed, what is being answered is answered, and only then does the process end.
"""

import asyncio
import contextlib
import errno
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from argosy import errors
from argosy.serving import listeners
from argosy.serving.connections import ConnectionLimits, affordable
from argosy.serving.lifecycle import Lifecycle
from argosy.serving.listeners import StatefulApp

SWEEP_TICKS = 20
"""Ticks of uvicorn, ten a second, between two sweeps."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one. Raises Misconfigured where the port is taken or not ours to use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise errors.Misconfigured(_bind_failure(host, port, error)) from error
    return listener


def reserved(host: str, port: int) -> str:
    """``host:port`` for a server that binds it itself, later; port 0 picks a free one. Raises as :func:`bind`."""
    with bind(host, port) as found:
        return address(found).removeprefix("http://")


@dataclass(frozen=True)
class LifecycleHooks:
    """Lifecycle hooks: what to call once the server is ready and once it is done, and the drain time between."""

    on_ready: Callable[[], None]
    """Once requests are answered."""
    on_done: Callable[[], Awaitable[None]]
    """Once all are."""
    drain_seconds: float
    """Drain: seconds for which requests are still answered after SIGTERM."""
    request_seconds: Callable[[], float] = lambda: 0.0
    """How long a request may take by its own budget, asked as the server ends."""
    on_sweep: Callable[[], None] = lambda: None
    """Every few seconds, on the event loop: what has to be looked at again."""


class Companion(Protocol):
    """A server beside callers' own, on the same event loop: it starts before and ends with it."""

    async def start(self) -> None:
        """Listen. Raises Misconfigured where that cannot be."""

    async def stop(self, seconds: float) -> None:
        """Take nothing more, and end once all is answered that came, at most *seconds* from now."""


def run(
    app: StatefulApp,
    listener: socket.socket,
    lifecycle: Lifecycle,
    stages: LifecycleHooks,
    count: Callable[[str], None],
    companions: Sequence[Companion] = (),
    tls: ssl.SSLContext | None = None,
    *,
    share: listeners.SharesConnections | None = None,
) -> None:
    """Serve *app* on *listener*, and *companions* beside it, until SIGTERM or SIGINT. *tls*: None speaks HTTP in the open. *share*: other
    processes take connections from *listener* too; None: no other does.

    *count*: see :class:`argosy.serving.connections.ConnectionPool`. Raises Misconfigured where the process may open too few files.
    """
    limits = ConnectionLimits()
    limits = replace(limits, connections=affordable(limits))
    listeners.settle()
    _Server(app, limits, count, lifecycle, stages, companions, tls, share=share).run(sockets=[listener])


class _Server(listeners.UvicornServer):
    """Callers' server: says that it turns, and stops in order."""

    def __init__(
        self,
        app: StatefulApp,
        limits: ConnectionLimits,
        count: Callable[[str], None],
        lifecycle: Lifecycle,
        stages: LifecycleHooks,
        companions: Sequence[Companion],
        tls: ssl.SSLContext | None,
        *,
        share: listeners.SharesConnections | None,
    ) -> None:
        super().__init__(app, limits, count, tls, share=share)
        self._companions = companions
        self._lifecycle = lifecycle
        self._stages = stages

    async def on_tick(self, counter: int) -> bool:
        self._lifecycle.turn()
        if counter % SWEEP_TICKS == 0:
            self._stages.on_sweep()
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        for companion in self._companions:
            await companion.start()
        await super().startup(sockets=sockets)
        self._stages.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        patience = listeners.patience(self._stages.request_seconds())
        self.config.timeout_graceful_shutdown = patience
        stopped = [companion.stop(patience) for companion in self._companions]
        await asyncio.gather(super().shutdown(sockets=sockets), *stopped)
        await self._stages.on_done()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # Uvicorn raises the signal again when it is done, and the process would end as if it had been killed.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _stop(self, number: int) -> None:
        if self._lifecycle.draining:
            self.should_exit = True  # asked twice: at once
            return
        self._lifecycle.draining = True
        self.leave()
        # Someone at a terminal waits for it; a load balancer does not send SIGINT.
        delay = self._stages.drain_seconds if number == signal.SIGTERM else 0.0
        asyncio.get_running_loop().call_later(delay, self._leave)

    def _leave(self) -> None:
        self.should_exit = True


def address(listener: socket.socket, *, tls: bool = False) -> str:
    """The URL of *listener*, which speaks *tls* or not."""
    name: Any = listener.getsockname()
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"{'https' if tls else 'http'}://{host}:{name[1]}"


def _bind_failure(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} of {host} is in use; stop what listens there (`ss -ltnp sport = :{port}` names it), "
            "pass another --port, or --port 0 for a free one"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs privileges; pass a --port from 1024 on"
    return f"cannot listen on {host} port {port}: {error.strerror}; pass another --host or --port"
