"""The engine's end of a fork server: what it is asked, what it tells, and the processes it has started.

``server`` is the other end.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from argosy import errors
from argosy.engine.processes import identity, isolation, linux, server
from argosy.engine.processes.launches import COLD, Exit, LaunchFailure, Warmth


class Running:
    """A process under way."""

    def __init__(self, server: "ForkServer", key: int, pid: int) -> None:
        self.pid = pid
        self.start_time = _start_time(pid)
        self._server = server
        self._key = key
        self._end: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()

    async def wait(self) -> Exit:
        """Wait for the end. Raises LaunchFailure where how it ended cannot be known, LocalDisk where its output could not be kept."""
        return await asyncio.shield(self._end)

    async def stop(self, grace: float) -> Exit:
        """Ask the process to end, and end it with everything it started when *grace* seconds have passed."""
        self.signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.wait(), grace)
        except TimeoutError:
            self.signal(signal.SIGKILL)
            return await self.wait()

    def signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if not self._end.done():
            self._server.send({"signal": self._key, "number": int(number)})

    def ended(self, status: int) -> None:
        """For the server: it ended with the wait status *status*."""
        if self._end.done():
            return
        code = os.waitstatus_to_exitcode(status)
        self._end.set_result(Exit(code if code >= 0 else None, -code if code < 0 else None))

    def lost(self, failure: Exception) -> None:
        """For the server: how it ended is not known."""
        if not self._end.done():
            self._end.set_exception(failure)
            self._end.exception()  # a run that is being torn down may never ask


class _Forked:
    """A child of this process that was forked, not executed. Linux only."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)

    async def wait(self) -> int:
        """Bury it when it has ended; its wait status."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._handle, ended.set)
        await ended.wait()
        loop.remove_reader(self._handle)
        os.close(self._handle)
        return os.waitpid(self.pid, 0)[1]


async def _interpreter(
    warmth: Warmth, imports_with: Mapping[str, str], connection: socket.socket
) -> asyncio.subprocess.Process:
    """A fresh interpreter that is a server. Raises OSError."""
    way, _, nobody = isolation.here()
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        server.__name__,
        str(connection.fileno()),
        way,
        "" if nobody is None else str(nobody),
        *sorted(warmth.preload),
        env=warmth.environment(imports_with),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        pass_fds=[connection.fileno(), *([] if nobody is None else [nobody])],
        start_new_session=True,
    )


@dataclass
class ForkServer:
    """The launcher's end of one fork server."""

    process: "asyncio.subprocess.Process | _Forked"
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    starting: dict[int, asyncio.Future[Running | None]] = field(default_factory=dict)
    running: dict[int, Running] = field(default_factory=dict)
    closed: bool = False
    listening: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """True where no process of this server's still runs."""
        return not (self.running or self.starting)

    @classmethod
    async def open(cls, warmth: Warmth, imports_with: Mapping[str, str]) -> "ForkServer":
        """Start a server and wait until it has imported. Raises LaunchFailure."""
        ours, theirs = socket.socketpair()
        try:
            way, _, nobody = isolation.here()
            if warmth == COLD and way != "none" and linux.threads() == 1:
                process: asyncio.subprocess.Process | _Forked = _Forked(server.fork(theirs, way, nobody))
            else:
                process = await _interpreter(warmth, imports_with, theirs)
        except OSError as error:
            ours.close()
            raise LaunchFailure(f"cannot start {sys.executable}: {error.strerror}") from None
        finally:
            theirs.close()
        opened = cls(process, *await asyncio.open_connection(sock=ours))
        try:
            ready = await opened.reader.readline()
        except asyncio.CancelledError:
            process.kill()
            await opened.close()
            raise
        if not ready:
            await opened.close()
            raise LaunchFailure("the server that starts steps ended before it was ready")
        opened.listening = asyncio.create_task(opened.listen())
        return opened

    async def start(self, asked: server.Message) -> Running | None:
        """Start a process; None where the server has threads and must not fork an interpreter."""
        key = asked["key"]
        started: asyncio.Future[Running | None] = asyncio.get_running_loop().create_future()
        self.starting[key] = started
        self.send({"start": asked})
        try:
            # Not looked up by its number: it may have ended before this coroutine goes on.
            return await started
        finally:
            self.starting.pop(key, None)

    def send(self, message: server.Message) -> None:
        """Ask for something; what a server that has ended is asked is answered as it ends."""
        if self.closed:
            self._lose()
        else:
            self.writer.write(json.dumps(message).encode() + b"\n")

    async def listen(self) -> None:
        """Take what the server tells until it ends."""
        with contextlib.suppress(ConnectionError):
            while line := await self.reader.readline():
                self._take(json.loads(line))
        self.closed = True
        self._lose()

    async def close(self) -> None:
        """End the server, which kills its children as it ends."""
        self.closed = True
        self.writer.close()
        await self.process.wait()
        if self.listening:
            await self.listening

    def _take(self, message: server.Message) -> None:
        key = message["key"]
        if "pid" in message:
            self.running[key] = Running(self, key, message["pid"])
            self._started(key, self.running[key])
        elif "threads" in message:
            self._started(key, None)
        elif "status" in message:
            self.running.pop(key).ended(message["status"])
        elif key in self.running:
            self.running.pop(key).lost(_failure(message))
        else:
            self.starting[key].set_exception(_failure(message))

    def _started(self, key: int, running: Running | None) -> None:
        if (waiting := self.starting.get(key)) and not waiting.done():
            waiting.set_result(running)

    def _lose(self) -> None:
        """The server has gone: its processes are dead, or are killed now."""
        failure = LaunchFailure("the server that started this step ended unexpectedly")
        for running in self.running.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(running.pid, signal.SIGKILL)
            running.lost(failure)
        self.running.clear()
        for waiting in self.starting.values():
            if not waiting.done():
                waiting.set_exception(failure)


def _failure(message: server.Message) -> Exception:
    if errors.is_disk_full(OSError(message["errno"], "")):
        return errors.LocalDisk(
            f"this machine's disk does not take the log of a step ({message['failure']}); make room, then resume the run"
        )
    return LaunchFailure(message["failure"])


def _start_time(pid: int) -> int:
    try:
        return identity.start_time(pid)
    except ProcessLookupError:  # it has ended already
        return 0
