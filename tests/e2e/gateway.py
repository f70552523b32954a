"""A TCP gateway in front of a server, which a test can close for a while."""

import contextlib
import select
import socket
import socketserver
import struct
import threading
import time
from typing import Self


class Gateway:
    """Listens at *host*, a port of its own, and hands every connection on to *server*."""

    def __init__(self, host: str, server: tuple[str, int]) -> None:
        self._server = server
        self._closed = threading.Event()
        gateway = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                gateway._hand_on(self.request)

        self._listener = socketserver.ThreadingTCPServer((host, 0), Handler)
        self._listener.daemon_threads = True
        self.address = f"{host}:{self._listener.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    def close_for(self, seconds: float) -> None:
        """Reset every connection, old and new, and return once *seconds* are over."""
        self._closed.set()
        time.sleep(seconds)
        self._closed.clear()

    def _hand_on(self, caller: socket.socket) -> None:
        with contextlib.suppress(OSError):  # either side may go at any time; the other one hears of it by the end
            if not self._closed.is_set():
                with socket.create_connection(self._server) as server:
                    self._exchange(caller, server)
            if self._closed.is_set():
                # Nothing lingers: who is still speaking hears a reset, as from a machine whose server is gone.
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _exchange(self, caller: socket.socket, server: socket.socket) -> None:
        while not self._closed.is_set():
            readable, _, _ = select.select([caller, server], [], [], 0.1)
            for one in readable:
                received = one.recv(65536)
                if not received:
                    return
                (server if one is caller else caller).sendall(received)
