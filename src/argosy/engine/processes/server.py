"""The fork server: imports a set of libraries once, then forks a process for each step it is asked for, and reaps it.

It never runs a step's code itself and stays single-threaded: threads do not survive a fork, and what they held stays locked for ever. It
ends, and all its children with it, when the other end of its socket is closed. Lines of JSON go both ways; ``launcher`` has the other end.
"""

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from argosy.engine.processes import child
from argosy.engine.processes.child import Job
from argosy.engine.processes.view import Bind

CHUNK = 1 << 16
Message = dict[str, Any]


class _Step(NamedTuple):
    """A process under way. *pid* is its group as well."""

    pid: int
    report: int
    pump: "_Pump | None"


class _Pump:
    """Copies what a step writes to its standard output to its log and to a file of its own."""

    def __init__(self, source: int, targets: tuple[int, ...]) -> None:
        self.source = source
        self.targets = targets
        self.failure: OSError | None = None

    def move(self) -> bool:
        """Copy what is there; whether there can be more. A target that fails is told later; the step is never held up by it."""
        chunk = os.read(self.source, CHUNK)
        try:
            for target in self.targets if self.failure is None else ():
                _write_all(target, chunk)
        except OSError as error:
            self.failure = error
        return bool(chunk)

    def drain(self) -> None:
        """Copy what is left of a step that ended; what a process that outlives it may still write is not waited for."""
        os.set_blocking(self.source, False)
        with contextlib.suppress(BlockingIOError):
            while self.move():
                pass

    def close(self) -> None:
        """Release the files."""
        for number in (self.source, *self.targets):
            os.close(number)


class Server:
    """Serves one launcher over *connection*."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.selector = selectors.DefaultSelector()
        self.steps: dict[int, _Step] = {}
        self.received = bytearray()

    def serve(self) -> None:
        """Answer until the connection ends."""
        wakeup, signalled = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else _nonblocking_pipe()
        signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector.register(self.connection, selectors.EVENT_READ, self._receive)
        self.selector.register(wakeup, selectors.EVENT_READ, lambda: self._reap(wakeup))
        with contextlib.suppress(_Closed):
            while True:
                for key, _ in self.selector.select():
                    handle: Callable[[], None] = key.data
                    handle()
        self._kill(self.steps)

    # What is asked

    def _receive(self) -> None:
        chunk = self.connection.recv(CHUNK)
        if not chunk:
            raise _Closed
        self.received += chunk
        *lines, rest = self.received.split(b"\n")
        self.received = bytearray(rest)
        for line in lines:
            self._answer(json.loads(line))

    def _answer(self, message: Message) -> None:
        if "start" in message:
            self._start(_job_of(message["start"]))
        elif (key := message["signal"]) in self.steps:
            self._signal(self.steps[key].pid, message["number"])

    def _start(self, job: Job) -> None:
        if job.here and (count := threads()) > 1:
            self._tell({"key": job.key, "threads": count})
            return
        files: list[int] = []
        try:
            step = self._fork(job, files)
        except OSError as error:
            for number in files:
                os.close(number)
            self._tell({"key": job.key, "failure": str(error), "errno": error.errno})
            return
        self.steps[job.key] = step
        self._tell({"key": job.key, "pid": step.pid})

    def _fork(self, job: Job, files: list[int]) -> _Step:
        errors = _opened(job.log, files)
        output, pump = errors, None
        if job.stdout is not None:
            source, output = _pipe(files)
            pump = _Pump(source, (errors, _opened(job.stdout, files)))
        report, reporting = _pipe(files)
        pid = child.fork(job, output=output, errors=errors, report=reporting)
        os.close(reporting)
        if pump:
            os.close(output)
            self.selector.register(pump.source, selectors.EVENT_READ, lambda: self._pump(pump))
        else:
            os.close(errors)
        return _Step(pid, report, pump)

    def _pump(self, pump: _Pump) -> None:
        if not pump.move():
            self.selector.unregister(pump.source)

    # What happened

    def _reap(self, wakeup: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(wakeup, CHUNK)
        by_pid = {step.pid: key for key, step in self.steps.items()}
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] in by_pid:
                    self._ended(by_pid[ended[0]], ended[1])

    def _ended(self, key: int, status: int) -> None:
        step = self.steps.pop(key)
        self._signal(step.pid, signal.SIGKILL)  # what it left running in its group
        report = os.read(step.report, child.REPORT_SIZE + 1).decode(errors="replace")
        os.close(step.report)
        failure = self._finish(step.pump) if step.pump else None
        if failure:
            self._tell({"key": key, "failure": str(failure), "errno": failure.errno})
        elif report.startswith("f"):
            self._tell({"key": key, "failure": report[1:], "errno": 0})
        else:
            self._tell({"key": key, "status": int(report[1:]) if report else status})

    def _finish(self, pump: _Pump) -> OSError | None:
        if pump.source in self.selector.get_map():
            self.selector.unregister(pump.source)
        pump.drain()
        pump.close()
        return pump.failure

    def _kill(self, keys: Iterable[int]) -> None:
        for key in keys:
            self._signal(self.steps[key].pid, signal.SIGKILL)

    @staticmethod
    def _signal(pid: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)

    def _tell(self, message: Message) -> None:
        try:
            self.connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            raise _Closed from None


class _Closed(Exception):
    """Nobody is at the other end any more."""


def threads() -> int:
    """How many threads of the operating system this process has."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - counted before each fork
    except FileNotFoundError:
        import threading

        return threading.active_count()


def _job_of(asked: Message) -> Job:
    return Job(
        key=asked["key"],
        argv=tuple(asked["argv"]),
        env=asked["env"],
        cwd=Path(asked["cwd"]),
        log=Path(asked["log"]),
        stdout=Path(asked["stdout"]) if asked["stdout"] else None,
        binds=tuple(Bind(Path(source), target, read_only) for source, target, read_only in asked["binds"]),
        keep=tuple(Path(path) for path in asked["keep"]),
        scratch=Path(asked["scratch"]),
        memory=asked["memory"],
        way=asked["way"],
        here=asked["here"],
    )


def _opened(path: Path, files: list[int]) -> int:
    files.append(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644))
    return files[-1]


def _pipe(files: list[int]) -> tuple[int, int]:
    reader, writer = os.pipe()
    files += [reader, writer]
    return reader, writer


def _nonblocking_pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    return reader, writer


def _write_all(target: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(target, rest) :]


def _imported(names: Sequence[str]) -> dict[str, str]:
    """Import the modules *names*; of each that fails, why."""
    failures = {}
    # Some libraries make a temporary folder as they are imported, to be removed at an exit that a server never comes to.
    with tempfile.TemporaryDirectory(prefix="argosy-imports-") as tempfile.tempdir:
        for name in names:
            try:
                importlib.import_module(name)
            except Exception as error:  # noqa: BLE001 - a step that needs it will say so itself
                failures[name] = f"{type(error).__name__}: {error}"
    tempfile.tempdir = None
    return failures


def main() -> None:
    """``python -m argosy.engine.processes.server FD NAME...``: import the names, serve on the socket FD. For programs other than Python's
    there are none; for Python's there is at least the module that runs them."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    # Ctrl-C in a terminal reaches the whole group; who stops when is the launcher's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    failures = _imported(sys.argv[2:])
    gc.collect()
    gc.freeze()
    server = Server(connection)
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps({"ready": threads(), "failures": failures}).encode() + b"\n")
        server.serve()
    os._exit(0)


if __name__ == "__main__":
    main()
