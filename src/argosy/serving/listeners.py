"""Runs apps on ports: uvicorn as it is set up here, callers' server on the main thread, and one for health and metrics beside it."""

import gc
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from argosy.serving.connections import SWEEP_SECONDS, ConnectionLimits, ConnectionPool

PATIENCE_SECONDS = 20
"""Graceful shutdown: seconds that requests in progress may still take once the port is closed."""
OPERATIONS = ConnectionLimits(
    connections=16, header_seconds=5.0, body_seconds=5.0, idle_seconds=60.0, write_seconds=5.0
)
"""Of the port for health and metrics: few ask, and they ask little."""
_TICKS = round(SWEEP_SECONDS / 0.1)


class UvicornServer(uvicorn.Server):
    """Uvicorn's, whose connections have limits."""

    def __init__(self, app: Starlette, limits: ConnectionLimits, count: Callable[[str], None]) -> None:
        """*count*: see :class:`argosy.serving.connections.ConnectionPool`."""
        self._crowd = ConnectionPool(limits, count)
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
