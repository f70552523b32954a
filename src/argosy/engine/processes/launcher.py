"""The engine's side of starting processes: which server, what it is asked, what came of it.

A server is started when the first step that needs its imports runs, and not before. What happens inside one is ``server``'s business.
"""

import asyncio
import itertools
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from argosy.engine.processes.births import alive
from argosy.engine.processes.isolation import Isolation, isolation
from argosy.engine.processes.view import Bind

__all__ = ["Bind", "Exit", "Isolation", "Launch", "LaunchFailure", "Launcher", "Running", "alive", "isolation"]

# Libraries that start threads when they are imported cannot be forked; most ask these first.
SINGLE_THREADED = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
LONGEST_MESSAGE = 1 << 26


class LaunchFailure(Exception):
    """The process could not be started, or the server that was to watch it is gone."""


@dataclass(frozen=True)
class Launch:
    """A process to start. *env* is all of its environment; *stdout*, where given, gets standard output alone, *log* all output."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    scratch: Path
    stdout: Path | None = None
    binds: tuple[Bind, ...] = ()
    preload: frozenset[str] = frozenset()
    memory: int | None = None
    """Bytes of address space; None: no limit."""


@dataclass(frozen=True)
class Exit:
    """How a process ended: by itself with *code*, or by *signal*. Times are seconds since the epoch."""

    code: int | None
    signal: int | None
    started: float
    finished: float


class Running:
    """A process that was started."""

    def __init__(self, server: "_Server", key: int, pid: int, start_time: int) -> None:
        self.pid = pid
        self.start_time = start_time
        self.started = time.time()
        self._server = server
        self._key = key

    async def wait(self) -> Exit:
        """How it ended. Raises LaunchFailure where its server ended first."""
        status = await asyncio.shield(self._server.ended[self._key])
        if os.WIFSIGNALED(status):
            return Exit(None, os.WTERMSIG(status), self.started, time.time())
        return Exit(os.WEXITSTATUS(status), None, self.started, time.time())

    async def stop(self, grace: float) -> Exit:
        """Ask it to end, and after *grace* seconds make it."""
        self._server.send(key=self._key, signal=int(signal.SIGTERM))
        try:
            return await asyncio.wait_for(self.wait(), grace)
        except TimeoutError:
            self._server.send(key=self._key, signal=int(signal.SIGKILL))
            return await self.wait()


class Launcher:
    """Starts processes; closing it ends what still runs.

    *visible*: folders that steps see even where they lie under the machine's temporary folder, which is otherwise hidden from them.
    """

    def __init__(self, visible: Sequence[Path] = ()) -> None:
        self._visible = tuple(path.resolve() for path in (*visible, Path.cwd()))
        self._servers: dict[frozenset[str], asyncio.Task[_Server]] = {}
        self._keys = itertools.count(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self, launch: Launch) -> Running:
        """Start *launch*. Raises LaunchFailure where that is not possible here."""
        if launch.binds and not isolation().private_files:
            raise LaunchFailure(f"{launch.binds[0].target} cannot be shown to the step: {isolation().reason}")
        server = await self._server(launch.preload)
        return await server.start(next(self._keys), launch, self._visible)

    async def close(self) -> None:
        """End every process and server."""
        servers = await asyncio.gather(*self._servers.values(), return_exceptions=True)
        self._servers.clear()
        await asyncio.gather(*(server.close() for server in servers if isinstance(server, _Server)))

    async def _server(self, preload: frozenset[str]) -> "_Server":
        known = self._servers.get(preload)
        if known is None or (known.done() and (known.exception() is not None or known.result().gone)):
            known = self._servers[preload] = asyncio.create_task(_Server.begin(preload))
        return await asyncio.shield(known)


@dataclass
class _Server:
    """One fork server, and what is known of the processes it was asked for."""

    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    begun: dict[int, asyncio.Future[tuple[int, int]]] = field(default_factory=dict)
    ended: dict[int, asyncio.Future[int]] = field(default_factory=dict)
    gone: bool = False
    listening: asyncio.Task[None] | None = None

    @classmethod
    async def begin(cls, preload: frozenset[str]) -> "_Server":
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "argosy.engine.processes.server",
                str(theirs.fileno()),
                ",".join(sorted(preload)),
                pass_fds=[theirs.fileno()],
                env={**os.environ, **SINGLE_THREADED},
                stdin=asyncio.subprocess.DEVNULL,
            )
        reader, writer = await asyncio.open_connection(sock=ours, limit=LONGEST_MESSAGE)
        server = cls(process, reader, writer)
        server.listening = asyncio.create_task(server.listen())
        return server

    async def start(self, key: int, launch: Launch, visible: Sequence[Path]) -> Running:
        loop = asyncio.get_running_loop()
        self.begun[key], self.ended[key] = loop.create_future(), loop.create_future()
        self.send(**_message(key, launch), visible=[str(path) for path in visible])
        try:
            pid, birth = await self.begun[key]
        finally:
            del self.begun[key]
        return Running(self, key, pid, birth)

    def send(self, **message: Any) -> None:
        if not self.gone:
            self.writer.write(json.dumps(message).encode() + b"\n")

    async def listen(self) -> None:
        """Take in what the server says, until it says nothing more."""
        try:
            while line := await self.reader.readline():
                self._hear(json.loads(line))
        except ConnectionError:
            pass  # the same as its end, which the next lines see to
        self.gone = True
        unanswered: list[asyncio.Future[Any]] = [*self.begun.values(), *self.ended.values()]
        for waiting in unanswered:
            if not waiting.done():
                waiting.set_exception(LaunchFailure("the process that starts steps has ended unexpectedly"))
                waiting.exception()  # it may be that nobody asks

    def _hear(self, message: dict[str, Any]) -> None:
        key = message["key"]
        if "failure" in message:
            self.begun[key].set_exception(LaunchFailure(message["failure"]))
        elif "pid" in message:
            self.begun[key].set_result((message["pid"], message["birth"]))
        else:
            self.ended[key].set_result(message["status"])

    async def close(self) -> None:
        """Close the connection, on which the server ends everything and itself."""
        self.writer.close()
        await self.process.wait()
        if self.listening:
            self.listening.cancel()


def _message(key: int, launch: Launch) -> dict[str, Any]:
    way = isolation().way
    return {
        "key": key,
        "argv": launch.argv,
        "env": dict(launch.env),
        "cwd": str(launch.cwd),
        "log": str(launch.log),
        "stdout": str(launch.stdout) if launch.stdout else None,
        "binds": [(str(bind.source), bind.target, bind.read_only) for bind in launch.binds],
        "scratch": str(launch.scratch),
        "memory": launch.memory,
        "way": way,
    }
