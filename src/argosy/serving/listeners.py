"""Runs apps on ports: uvicorn as it is set up here, callers' server on the main thread, and one for health and metrics beside it."""

import asyncio
import gc
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from argosy.serving.connections import SWEEP_SECONDS, ConnectionLimits, ConnectionPool
from argosy.serving.tls import HANDSHAKE_SECONDS

PATIENCE_SECONDS = 20
"""Graceful shutdown: seconds that requests in progress may still take once the port is closed."""
OPERATIONS = ConnectionLimits(
    connections=16, header_seconds=5.0, body_seconds=5.0, idle_seconds=60.0, write_seconds=5.0
)
"""Of the port for health and metrics: few ask, and they ask little."""
HOT_QUEUE = "hot_queue"
"""Where in its state an app keeps the queue of its model's hot path, if it has one."""
_TICKS = round(SWEEP_SECONDS / 0.1)


class UvicornServer(uvicorn.Server):
    """Uvicorn's, whose connections have limits."""

    def __init__(
        self, app: Starlette, limits: ConnectionLimits, count: Callable[[str], None], tls: ssl.SSLContext | None = None
    ) -> None:
        """*count*: see :class:`argosy.serving.connections.ConnectionPool`. *tls*: None speaks HTTP in the open."""
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
        if self._tls is None:
            await super().startup(sockets=sockets)
            return
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                lambda: self._crowd.protocol(self.config, self.server_state, {}),
                sock=listener,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                backlog=self.config.backlog,
            )
            for listener in sockets or []
        ]
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second; see uvicorn."""
        if counter % _TICKS == 0:
            self._crowd.sweep()
        return await super().on_tick(counter)


@contextmanager
def beside(app: Starlette, listener: socket.socket, count: Callable[[str], None]) -> Iterator[None]:
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
