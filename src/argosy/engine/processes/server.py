"""The fork server: a process that has imported what steps need, and forks one for each step.

It imports, waits, forks and reaps; it never runs a step's code itself. A forked process leaves :func:`serve` with its job and runs the
program at the top of the stack, so that it ends as an interpreter ends. Libraries that started threads while they were imported cannot be
forked safely: then every job is started as a new program instead.

Spoken over a socket, a JSON object a line. In: a job (see :mod:`launcher`), or ``{"key", "signal"}``. Out: ``{"key", "pid", "birth"}``,
then ``{"key", "status"}``; or ``{"key", "failure"}``. When the socket closes, the engine is gone: so is everything it started.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from argosy.engine.processes import child, linux
from argosy.engine.processes.births import birth
from argosy.engine.processes.view import Bind

CHUNK = 1 << 16


@dataclass
class _Started:
    """A process that has not ended yet. *tee*: where its standard output is read, and the files it is written to."""

    key: int
    pid: int
    tee: tuple[int, list[BinaryIO]] | None = None


@dataclass
class Server:
    """The server's side of *control*. *modules*: what it has imported."""

    control: socket.socket
    started: dict[int, _Started] = field(default_factory=dict)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _received: bytes = b""

    def serve(self) -> child.Job | None:
        """Serve until the engine is gone (None), or, in a forked process, until its program is to be run."""
        reaped, wake = os.pipe()
        for descriptor in (reaped, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(self.control, selectors.EVENT_READ, "control")
        self._selector.register(reaped, selectors.EVENT_READ, "reaped")
        while True:
            for key, _ in self._selector.select():
                if key.data == "reaped":
                    with contextlib.suppress(BlockingIOError):
                        os.read(reaped, CHUNK)
                    self._reap()
                elif key.data == "control":
                    messages = self._messages()
                    if messages is None:
                        self._end()
                        return None
                    for message in messages:
                        if (job := self._obey(message)) is not None:
                            return job
                else:
                    self._copy(key.data)

    def _messages(self) -> list[dict[str, Any]] | None:
        received = self.control.recv(CHUNK)
        if not received:
            return None
        *lines, self._received = (self._received + received).split(b"\n")
        return [json.loads(line) for line in lines]

    def _obey(self, message: dict[str, Any]) -> child.Job | None:
        if "signal" in message:
            for started in self.started.values():
                if started.key == message["key"]:
                    _signal(started.pid, message["signal"])
            return None
        job = _job(message)
        try:
            return self._fork(job)
        except OSError as error:
            self._say(key=job.key, failure=f"{error.strerror or error}: {error.filename or job.argv[0]}")
            return None

    def _fork(self, job: child.Job) -> child.Job | None:
        """Fork the process of *job*; in it, returns the job if its program is to be run in this very process."""
        warm = _single_threaded() and child.is_warm(job.argv, job.env)
        log = job.log.open("ab", buffering=0)
        files: list[BinaryIO] = [log]
        reader, writer = os.pipe() if job.stdout else (-1, log.fileno())
        if job.stdout:
            files.append(job.stdout.open("ab", buffering=0))
        pid = child.fork(job, output=writer, errors=log.fileno())
        if pid == 0:
            if not warm:
                child.execute(job)
            return job
        started = _Started(job.key, pid)
        if job.stdout:
            os.close(writer)
            os.set_blocking(reader, False)
            started.tee = (reader, files)
            self._selector.register(reader, selectors.EVENT_READ, started)
        else:
            log.close()
        self.started[pid] = started
        self._say(key=job.key, pid=pid, birth=birth(pid))
        return None

    def _copy(self, started: _Started) -> bool:
        """Pass on what the process wrote; whether there may be more."""
        if started.tee is None:
            return False
        reader, files = started.tee
        try:
            content = os.read(reader, CHUNK)
        except BlockingIOError:
            return False
        for file in files if content else ():
            file.write(content)
        if not content:
            self._close(started)
        return bool(content)

    def _close(self, started: _Started) -> None:
        if started.tee is not None:
            reader, files = started.tee
            self._selector.unregister(reader)
            os.close(reader)
            for file in files:
                file.close()
            started.tee = None

    def _reap(self) -> None:
        while self.started:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            started = self.started.pop(pid, None)
            if started is not None:
                # What outlives it in its session has lost the step it belonged to; in a namespace nothing has outlived it.
                _signal(pid, signal.SIGKILL)
                while self._copy(started):
                    pass
                self._close(started)
                self._say(key=started.key, status=status)

    def _end(self) -> None:
        for pid in self.started:
            _signal(pid, signal.SIGKILL)

    def _say(self, **message: object) -> None:
        self.control.sendall(json.dumps(message).encode() + b"\n")


def _job(message: dict[str, Any]) -> child.Job:
    return child.Job(
        key=message["key"],
        argv=tuple(message["argv"]),
        env=message["env"],
        cwd=Path(message["cwd"]),
        log=Path(message["log"]),
        stdout=Path(message["stdout"]) if message["stdout"] else None,
        binds=tuple(Bind(Path(source), target, read_only) for source, target, read_only in message["binds"]),
        scratch=Path(message["scratch"]),
        memory=message["memory"],
        way=message["way"],
        visible=tuple(Path(path) for path in message["visible"]),
    )


def _signal(pid: int, number: int) -> None:
    """Signal the process; where it is to be killed, its whole group. Others are told by it, as in a container."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        (os.killpg if number == signal.SIGKILL else os.kill)(pid, number)


def _single_threaded() -> bool:
    try:
        return len(list(Path("/proc/self/task").iterdir())) == 1
    except FileNotFoundError:
        import threading

        return threading.active_count() == 1


def main(control: socket.socket, modules: list[str]) -> None:
    """Import *modules* and serve; a module that is not installed is the business of the step that needs it."""
    if linux.available():
        linux.die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches the whole group; the engine decides
    for module in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    gc.collect()
    gc.freeze()  # forked processes share these pages as long as nobody's collector touches them
    job = Server(control).serve()
    if job is not None:
        child.run_python(job)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), [name for name in sys.argv[2].split(",") if name])
