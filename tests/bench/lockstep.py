"""Callers who cost next to nothing and keep step: bytes that were made before are sent on all connections, then all answers are read.

Whatever asks in earnest, grpcio or Python's own client, shares the machine with the server that is measured, and brings it more or less
company by its own speed: so servers of two protocols are never asked alike. Here one thread asks both in the same way. What grpcio sends is
noted once, behind a proxy, and sent again with the number of each call's stream.
"""

import re
import select
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import grpc
import serving

from argosy.serving.grpc_frames import END_STREAM, FRAME_HEAD, HEAD, Frame

CALLS = 12
"""By which a client has entered in its table all that it enters."""
FRESH_SECONDS = 10.0
"""After which a connection is made anew, before the server asks for it."""
LENGTH = re.compile(rb"(?i)content-length: (\d+)")


class LockstepAsker(Protocol):
    """One connection."""

    def ready(self) -> None:
        """Have a connection that lasts for a burst: to make one is no part of what is measured."""

    def ask(self) -> None:
        """Send a request."""

    def take(self) -> bool:
        """Read its answer; True where it is a success."""


class HttpAsker:
    """Asks over HTTP/1.1."""

    def __init__(self, port: int, work: serving.Work, headers: Mapping[str, str]) -> None:
        path, body = work
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in {"Content-Type": "application/json", **headers}.items()]
        self._request = "\r\n".join([*lines, "", ""]).encode() + body
        self._socket = connected(port)

    def ready(self) -> None:
        """See above; this one lasts."""

    def ask(self) -> None:
        """See above."""
        self._socket.sendall(self._request)

    def take(self) -> bool:
        """See above."""
        came = b""
        while True:
            came += received(self._socket)
            head, end, body = came.partition(b"\r\n\r\n")
            length = LENGTH.search(head) if end else None
            if length is not None and len(body) >= int(length[1]):
                return came.startswith(b"HTTP/1.1 200")


class GrpcRecording:
    """What grpcio sends: before a call like all later ones, and for it."""

    def __init__(self, port: int, method: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Call the server at *port*, and note it."""
        noted: list[bytes] = []
        brought = tuple((name.lower(), value) for name, value in headers.items())
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=_forward, args=(listener, port, noted), daemon=True).start()
            with grpc.insecure_channel(f"127.0.0.1:{listener.getsockname()[1]}") as channel:
                call = channel.unary_unary(method)
                for _ in range(CALLS - 1):
                    call(body, metadata=brought)
                begin = len(noted)
                call(body, metadata=brought)
        self.opening = b"".join(noted[:begin])
        self.calls = CALLS - 1
        """Calls in it."""
        frames = _frames(b"".join(noted[begin:]))
        self.call = [frame for frame in frames if frame[3] != Frame.PING]


class GrpcAsker:
    """Asks over gRPC as a recording has it."""

    def __init__(self, port: int, recording: GrpcRecording) -> None:
        self._port = port
        self._recording = recording
        self._connect()

    def _connect(self) -> None:
        self._since = time.monotonic()
        self._socket, self._came = connected(self._port), b""
        self._socket.sendall(self._recording.opening)
        self._stream = 2 * self._recording.calls - 1
        self.take()  # the last call of the opening

    def ready(self) -> None:
        """See above."""
        if time.monotonic() - self._since > FRESH_SECONDS:
            self._socket.close()
            self._connect()

    def ask(self) -> None:
        """See above."""
        number = self._stream.to_bytes(4, "big")
        frames = (frame[:5] + (number if any(frame[5:9]) else frame[5:9]) + frame[9:] for frame in self._recording.call)
        self._socket.sendall(b"".join(frames))

    def take(self) -> bool:
        """See above."""
        while True:
            frames = _frames(self._came)
            self._came = self._came[sum(map(len, frames)) :]
            for frame in frames:
                _, flags, stream = HEAD.unpack_from(frame)
                if frame[3] == Frame.HEADERS and flags & END_STREAM and stream == self._stream:
                    self._stream += 2
                    return b"grpc-status\x010" in frame
            self._came += received(self._socket)


def asked(connections: Sequence[LockstepAsker], times: int) -> int:
    """Ask on all *connections* at once, *times* times; how many requests were answered by a success."""
    answered = 0
    for _ in range(times):
        for connection in connections:
            connection.ask()
        answered += sum(connection.take() for connection in connections)
    return answered


def cpu_microseconds(pid: int) -> float:
    """What all threads of process *pid* have used, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks) / 1000


def connected(port: int) -> socket.socket:
    """A connection to *port* that sends at once."""
    made = socket.create_connection(("127.0.0.1", port))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def received(connection: socket.socket) -> bytes:
    """What comes next; there has to be something."""
    came = connection.recv(1 << 20)
    assert came, "the server has closed the connection"
    return came


def _frames(data: bytes) -> list[bytes]:
    """The whole frames at the beginning of *data*."""
    found = []
    while len(data) >= FRAME_HEAD and len(data) >= (size := FRAME_HEAD + int.from_bytes(data[:3], "big")):
        found.append(data[:size])
        data = data[size:]
    return found


def _forward(listener: socket.socket, port: int, noted: list[bytes]) -> None:
    """Stand between the first caller of *listener* and the server at *port*; what the caller sends is *noted*."""
    caller, _ = listener.accept()
    server = connected(port)
    caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        for one in select.select([caller, server], [], [])[0]:
            came = one.recv(1 << 20)
            if not came:
                return
            if one is caller:
                noted.append(came)
            (server if one is caller else caller).sendall(came)
