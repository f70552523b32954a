"""Runs apps on ports: uvicorn as it is set up here, callers' server on the main thread, and one for health and metrics beside it."""

import asyncio
import contextlib
import gc
import math
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import uvicorn
from starlette.datastructures import State
from starlette.types import Receive, Scope, Send

from argosy.serving.connections import Connection, ConnectionLimits, ConnectionPool
from argosy.serving.tls import HANDSHAKE_SECONDS

PATIENCE_SECONDS = 20
"""Graceful shutdown: seconds that requests in progress may still take once the port is closed; see :func:`patience`."""
WRITTEN_SECONDS = 2
"""Between the end of a request's own budget and its answer being out."""
OPERATIONS = ConnectionLimits(
    connections=16, header_seconds=5.0, body_seconds=5.0, idle_seconds=60.0, write_seconds=5.0
)
"""Of the port for health and metrics: few ask, and they ask little."""
HOT_QUEUE = "hot_queue"
"""Where in its state an app keeps the queue of its model's hot path, if it has one."""


LEFT_SECONDS = 0.002
"""For which a new connection is left to whoever has fewer of them."""


class SharesConnections(Protocol):
    """What processes that take connections from one socket tell each other."""

    def tell(self, count: int) -> None:
        """This process has *count* of them."""

    def fewest(self) -> int:
        """What the one of them has that has the fewest, this one among them."""

    @property
    def ending(self) -> bool:
        """True once all of them are to take no more."""


class StatefulApp(Protocol):
    """An ASGI app that has a state, as Starlette's have."""

    @property
    def state(self) -> State:
        """Whatever it keeps for those who run it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""


class UvicornServer(uvicorn.Server):
    """Uvicorn's, whose connections have limits."""

    def __init__(
        self,
        app: StatefulApp,
        limits: ConnectionLimits,
        count: Callable[[str], None],
        tls: ssl.SSLContext | None = None,
        *,
        share: SharesConnections | None = None,
    ) -> None:
        """*count*: see :class:`argosy.serving.connections.ConnectionPool`. *tls*: None speaks HTTP in the open. *share*: other processes
        take connections from the same socket; None: no other does."""
        self._share = share
        self._shared: list[SharedListener] = []
        self._tls = tls
        self._crowd = ConnectionPool(limits, count, getattr(app.state, HOT_QUEUE, None))
        config = uvicorn.Config(
            app,
            # One stack, the one that the tests try: an image without it does not start.
            http=self._crowd.protocol,  # type: ignore[arg-type]
            loop="uvloop",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nobody asks where a request came from
            timeout_keep_alive=round(limits.idle_seconds),
            timeout_graceful_shutdown=PATIENCE_SECONDS,
            # Those who wait to be taken in have descriptors as soon as they are.
            backlog=max(limits.connections // 4, 16),
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn, which gives callers a minute to begin with TLS, and counts none of them meanwhile."""
        if self._share is not None:
            self._shared = [
                SharedListener(listener, self._connection, self._tls, self._share, lambda: len(self._crowd))
                for listener in sockets or []
            ]
            self.servers = self._shared  # type: ignore[assignment]
            self.started = True
            return
        if self._tls is None:
            await super().startup(sockets=sockets)
            return
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                self._connection,
                sock=listener,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                backlog=self.config.backlog,
            )
            for listener in sockets or []
        ]
        self.started = True

    def leave(self) -> None:
        """Ask callers to go elsewhere, each with its next answer: a connection that ends while a request is on its way loses that."""
        self._crowd.leaving = True

    def _connection(self) -> Connection:
        return self._crowd.protocol(self.config, self.server_state, {})

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, which is often enough for a part of a sweep; see uvicorn."""
        self._crowd.sweep()
        for listener in self._shared:
            listener.tell()
        return await super().on_tick(counter)


def patience(request_seconds: float) -> int:
    """Seconds that a server which ends gives what is being answered, where a request may take *request_seconds*."""
    return max(PATIENCE_SECONDS, math.ceil(request_seconds) + WRITTEN_SECONDS)


class SharedListener:
    """A listening socket from which several processes take connections: each takes one in a turn of its event loop, so that whoever is
    busy leaves the others to those who are not; an event loop's own server takes all there are. Among those who are idle the kernel wakes
    the same one first again and again, and connections last: so whoever has more than another leaves a new one to that for a moment."""

    def __init__(
        self,
        listener: socket.socket,
        connection: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None,
        share: SharesConnections,
        count: Callable[[], int],
    ) -> None:
        """*count*: of the connections of this process that are open."""
        self._share = share
        self._count = count
        self._resumes: asyncio.TimerHandle | None = None
        self._listener = listener
        self._connection = connection
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._beginning: set[asyncio.Task[None]] = set()
        listener.setblocking(False)
        self._loop.add_reader(listener.fileno(), self._come)

    def tell(self) -> int:
        """Tell the others how many connections this process has, those included that are about to be; returns it."""
        count = self._count() + len(self._beginning)
        self._share.tell(count)
        return count

    def _come(self) -> None:
        if self.tell() <= self._share.fewest():
            self._take()
            return
        self._loop.remove_reader(self._listener.fileno())
        self._resumes = self._loop.call_later(LEFT_SECONDS, self._resume)

    def _resume(self) -> None:
        """Whoever had fewer had the time to take it; where it was busy instead, it is taken here."""
        self._resumes = None
        self._loop.add_reader(self._listener.fileno(), self._come)
        self._take()

    def _take(self) -> None:
        try:
            taken, _ = self._listener.accept()
        except (
            OSError
        ):  # another process was quicker, or whoever knocked is gone; a lack of descriptors is of the next turn too
            return
        taken.setblocking(False)
        task = self._loop.create_task(self._begin(taken))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)
        self.tell()

    async def _begin(self, taken: socket.socket) -> None:
        tls: dict[str, Any] = {}
        if self._tls is not None:
            tls = {"ssl": self._tls, "ssl_handshake_timeout": HANDSHAKE_SECONDS}
        try:
            await self._loop.connect_accepted_socket(self._connection, taken, **tls)
        except OSError:  # of TLS: whoever knocked does not speak it
            taken.close()

    def close(self) -> None:
        """Take no more, and where all processes end, have callers refused: the one that started them keeps the socket open until the last
        has ended, and whoever was let in meanwhile would wait for nobody."""
        if self._resumes is not None:
            self._resumes.cancel()
        self._loop.remove_reader(self._listener.fileno())
        if self._share.ending:
            with contextlib.suppress(
                OSError
            ):  # another process was first; systems but Linux know it of connections alone
                self._listener.shutdown(socket.SHUT_RDWR)

    async def wait_closed(self) -> None:
        """See asyncio's server."""


@contextmanager
def beside(app: StatefulApp, listener: socket.socket, count: Callable[[str], None]) -> Iterator[None]:
    """Serve *app* on *listener* from a thread, to the end of the block."""
    server = UvicornServer(app, OPERATIONS, count)
    thread = threading.Thread(target=server.run, args=([listener],), name="operations", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)


def settle() -> None:
    """Leave what was loaded before the first request out of the collector's rounds: each would hold up all requests."""
    gc.collect()
    gc.freeze()
