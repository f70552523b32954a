"""Starts steps' processes for the engine and tells how they ended.

A Python program runs in a fork of a warm server that has imported what the step will need; any other program, and a Python program whose
libraries started threads, is executed from a server that has imported nothing, which is itself a fork of the engine where that has but one
thread. A server is started when a step first needs it.

What a process writes to its standard output and error goes straight to its log: nothing is lost when it is killed, and nothing is held
in memory. Where standard output is wanted by itself too, it goes through a pipe, so that lines of the two may change places in the log.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from argosy import errors
from argosy.engine.processes import identity, linux, python_program, server
from argosy.engine.processes.isolation import Isolation, isolation
from argosy.engine.processes.view import Bind

__all__ = ["Bind", "Exit", "Isolation", "Launch", "LaunchFailure", "Launcher", "Running", "alive", "isolation"]

alive = identity.alive

SERVERS = 4
"""Warm servers at once; each holds the memory of its libraries. The one idle for longest makes room for one more."""

READ_AT_START = ("PYTHON", "LD_", "DYLD_", "OMP_", "OPENBLAS_", "MKL_", "NUMEXPR_", "LANG", "LC_", "TZ")
"""Variables that an interpreter or a library reads once, as it starts: steps that differ in them do not share a server."""

ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""So that importing NumPy or PyArrow, with the allocator it brings, starts no threads, which would not survive the fork."""


class LaunchFailure(Exception):
    """A process could not be started, or was lost with its server."""


@dataclass(frozen=True)
class Launch:
    """What to start. *env* is the whole environment. *log* gets standard output and error, *stdout* the former by itself too.

    *binds* and *scratch* (its ``/tmp``) are shown to the process only; *given* is what it sees of this machine beside the system.
    *apart*: whether it is a step's, and sees no more than that; a program of the engine's own is started as any other.
    *preload*: the libraries to have imported already. *alone*: no other process is started in its namespaces, or in its place after it:
    whoever puts it into a control group puts nothing else there. *shares_scratch*: whether others have the same ``/tmp`` meanwhile.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    stdout: Path | None
    scratch: Path
    binds: tuple[Bind, ...] = ()
    given: tuple[Bind, ...] = ()
    apart: bool = True
    preload: frozenset[str] = frozenset()
    alone: bool = False
    shares_scratch: bool = False


@dataclass(frozen=True)
class Warmth:
    """What a server has taken in: libraries, and the variables they read as they were imported."""

    preload: frozenset[str] = frozenset()
    variables: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, preload: frozenset[str], env: Mapping[str, str]) -> Self:
        """What a Python program wants that imports *preload* and is started with the environment *env*."""
        return cls(
            preload | {python_program.__name__},
            frozenset((name, value) for name, value in env.items() if name.startswith(READ_AT_START)),
        )

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The environment of the server itself, with what it is *given* for its imports."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**kept, **given, **ONE_THREAD, **dict(self.variables)}


COLD = Warmth()


@dataclass(frozen=True)
class Exit:
    """How a process ended: with a *code*, or by a *signal*. Times are seconds, of the wall clock and of the monotonic one."""

    code: int | None
    signal: int | None
    started: float
    finished: float
    seconds: float


class Running:
    """A process under way. *started* is wall-clock seconds."""

    def __init__(self, server: "_Server", key: int, pid: int) -> None:
        self.pid = pid
        self.started = time.time()
        self._began = time.monotonic()
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
        finished, seconds = time.time(), time.monotonic() - self._began
        self._end.set_result(
            Exit(code if code >= 0 else None, -code if code < 0 else None, self.started, finished, seconds)
        )

    def lost(self, failure: Exception) -> None:
        """For the server: how it ended is not known."""
        if not self._end.done():
            self._end.set_exception(failure)
            self._end.exception()  # a run that is being torn down may never ask


class Launcher:
    """Starts processes. Use it as an asynchronous context manager: what still runs at its end is killed.

    *imports_with*: variables that are set where libraries are imported before a step that needs them starts.
    """

    def __init__(self, imports_with: Mapping[str, str] | None = None) -> None:
        self._imports_with = dict(imports_with or {})
        self._servers: dict[Warmth, _Opening] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._keys = iter(range(1, sys.maxsize))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self, launch: Launch) -> Running:
        """Start *launch*. Raises LaunchFailure, or LocalDisk where there is no room for its log."""
        with _words(launch) as words:
            if python_program.is_runnable(launch.argv):
                warm = await self._server(Warmth.of(launch.preload, launch.env))
                if warm is not None and (running := await warm.start(self._asked(launch, words, here=True))):
                    return running
            cold = await self._server(COLD)
            running = await cold.start(self._asked(launch, words, here=False)) if cold else None
        if running is None:
            raise LaunchFailure(f"cannot start {launch.argv[0]}")
        return running

    def warm(self, warmth: Warmth) -> None:
        """Begin to import what a step will need soon. Nothing is lost where there is no room for it."""
        if self._known(warmth) is None and self._make_room():
            opening = self._open(warmth)
            opening.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # the step will meet it too

    async def close(self) -> None:
        """Kill what is left, and end the servers."""
        servers, self._servers = list(self._servers.values()), {}
        for opening in servers:
            if not opening.done():
                opening.cancel()
        await asyncio.gather(*map(_end, servers), *self._ending)

    async def _server(self, warmth: Warmth) -> "_Server | None":
        """The server for *warmth*, started if need be; None where there are enough already and all are busy."""
        opening = self._known(warmth)
        if opening is None:
            if warmth != COLD and not self._make_room():
                return None
            opening = self._open(warmth)
        self._servers[warmth] = self._servers.pop(warmth)  # last in order: the one that was used last
        return await asyncio.shield(opening)

    def _known(self, warmth: Warmth) -> "_Opening | None":
        """The server for *warmth*, ready or on its way, where there is one."""
        opening = self._servers.get(warmth)
        if opening and opening.done() and (opening.cancelled() or opening.exception() or opening.result().closed):
            return None
        return opening

    def _open(self, warmth: Warmth) -> "_Opening":
        opening = self._servers[warmth] = asyncio.create_task(_Server.open(warmth, self._imports_with))
        return opening

    def _make_room(self) -> bool:
        """End the warm server that was idle for longest, where there are enough of them; whether there is room for one more."""
        warm = {warmth: opening for warmth, opening in self._servers.items() if warmth != COLD}
        if len(warm) < SERVERS:
            return True
        idle = next((warmth for warmth, opening in warm.items() if opening.done() and _is_idle(opening)), None)
        if idle is None:
            return False
        ending = asyncio.create_task(_end(self._servers.pop(idle)))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        return True

    def _asked(self, launch: Launch, words: str, *, here: bool) -> dict[str, Any]:
        way = isolation().way if launch.apart else "none"
        if launch.binds and way == "none":
            raise LaunchFailure(
                f"{launch.binds[0].target} cannot be shown to a process of this machine: {isolation().reason}"
            )
        return {
            "key": next(self._keys),
            "words": words,
            "cwd": str(launch.cwd),
            "log": str(launch.log),
            "stdout": str(launch.stdout) if launch.stdout else None,
            "binds": _asked_binds(launch.binds),
            "given": _asked_binds(launch.given),
            "scratch": str(launch.scratch),
            "alone": launch.alone,
            "shares_scratch": launch.shares_scratch,
            "way": way,
            "here": here,
        }


def _asked_binds(binds: Sequence[Bind]) -> list[tuple[str, str, bool]]:
    return [(str(bind.source), bind.target, bind.read_only) for bind in binds]


@contextlib.contextmanager
def _words(launch: Launch) -> Iterator[str]:
    """Where a server finds what *launch* is started with, while the block runs: a file without a name where the system has them."""
    text = json.dumps({"argv": launch.argv, "env": dict(launch.env)}).encode()
    with contextlib.ExitStack() as stack:
        if hasattr(os, "memfd_create"):
            number = os.memfd_create("words", os.MFD_CLOEXEC)
            stack.callback(os.close, number)
            place = f"/proc/{os.getpid()}/fd/{number}"
        else:
            number, place = tempfile.mkstemp(prefix="argosy-words-")
            stack.callback(os.unlink, place)
            stack.callback(os.close, number)
        os.write(number, text)
        yield place


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
    way, _, nobody = isolation()
    return await asyncio.create_subprocess_exec(
        sys.executable,
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
class _Server:
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
        """Whether nothing it started still runs."""
        return not (self.running or self.starting)

    @classmethod
    async def open(cls, warmth: Warmth, imports_with: Mapping[str, str]) -> "_Server":
        """Start a server and wait until it has imported. Raises LaunchFailure."""
        ours, theirs = socket.socketpair()
        try:
            way, _, nobody = isolation()
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

    async def start(self, asked: dict[str, Any]) -> Running | None:
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

    def send(self, message: dict[str, Any]) -> None:
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

    def _take(self, message: dict[str, Any]) -> None:
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


_Opening = asyncio.Task[_Server]


async def _end(opening: _Opening) -> None:
    """End a server; one that never came to be has ended already."""
    with contextlib.suppress(LaunchFailure, asyncio.CancelledError):
        await (await opening).close()


def _is_idle(opening: _Opening) -> bool:
    return opening.cancelled() or opening.exception() is not None or opening.result().idle


def _failure(message: dict[str, Any]) -> Exception:
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
