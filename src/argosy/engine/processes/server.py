"""The fork server: imports a set of libraries once, then forks a process for each step it is asked for, and reaps it.

It never runs a step's code itself and stays single-threaded: threads do not survive a fork, and what they held stays locked for ever. It
ends, and all its children with it, when the other end of its socket is closed, which ``fork_server`` has. Lines of JSON go both ways.
"""

import contextlib
import gc
import importlib
import itertools
import json
import os
import selectors
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, cast

from argosy import scratch
from argosy.engine.processes import child, linux
from argosy.engine.processes.cell import Cell
from argosy.engine.processes.isolation import Way

CHUNK = 1 << 16
Message = dict[str, Any]


class _Step(NamedTuple):
    """A process under way. *pid* is its group as well; *report*: where it says why it could not start, outside a cell."""

    key: int
    pid: int
    pump: "_Pump | None"
    report: int | None = None
    cell: Cell | None = None
    alone: bool = False
    """True where the step's end is told only when its cell has gone too."""


class _Pump:
    """Copies what a step writes to its standard output to its log and to a file of its own."""

    def __init__(self, source: int, targets: Sequence[int]) -> None:
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
    """Serves one launcher over *connection*. *way*: how its steps' namespaces are entered. *nobody*: as whose root sees certain files."""

    def __init__(self, connection: socket.socket, way: Way, nobody: int | None) -> None:
        self.connection = connection
        self.way = way
        self.nobody = nobody
        self.selector = selectors.DefaultSelector()
        self.steps: dict[int, _Step] = {}
        self.cells: dict[int, Cell] = {}
        """All cells, by process."""
        self.ready: list[Cell] = []
        self.received = bytearray()

    def serve(self) -> None:
        """Answer until the connection ends."""
        wakeup, signalled = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else _nonblocking_pipe()
        signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector.register(self.connection, selectors.EVENT_READ, self._receive)
        self.selector.register(wakeup, selectors.EVENT_READ, lambda: self._reap(wakeup))
        if self.way != "none" and linux.threads() == 1:
            self.ready.append(self._open_cell())  # while the first step is on its way
        with contextlib.suppress(_Closed):
            while True:
                for key, _ in self.selector.select():
                    handle: Callable[[], None] = key.data
                    handle()
        for step in self.steps.values():
            self._signal(step, signal.SIGKILL)

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
            self._start(message["start"])
        elif step := self.steps.get(message["signal"]):
            self._signal(step, message["number"])

    def _start(self, asked: Message) -> None:
        if asked["here"] and (count := linux.threads()) > 1:
            self._tell({"key": asked["key"], "threads": count})
            return
        files: list[int] = []
        try:
            step = self._begin(asked, files)
        except OSError as error:
            self._tell({"key": asked["key"], "failure": str(error), "errno": error.errno})
        else:
            self.steps[step.key] = step
            self._tell({"key": step.key, "pid": step.pid})
        finally:
            for number in files:
                os.close(number)

    def _begin(self, asked: Message, files: list[int]) -> _Step:
        """Start the process; *files* gets what is open for it alone."""
        key, stdout = asked["key"], asked["stdout"]
        words = _words(asked["words"], files)
        errors = _opened(asked["log"], files)
        output, pump = errors, None
        if stdout is not None:
            kept = _opened(stdout, files)
            source, output = os.pipe()
            files.append(output)
            pump = _Pump(source, (os.dup(errors), os.dup(kept)))
            self.selector.register(source, selectors.EVENT_READ, lambda: self._pump(pump))
        if asked["way"] != "none":
            cell = self._cell_with(asked, output, errors, words)
            return _Step(key, cell.pid, pump, cell=cell, alone=asked["alone"])
        report, reporting = os.pipe()
        files.append(reporting)
        job = child.job_of(asked)
        pid = child.fork(job, output=output, errors=errors, report=reporting, words=words)
        return _Step(key, pid, pump, report)

    def _cell_with(self, asked: Message, *files: int) -> Cell:
        """A cell in which the process starts: one that is there, or a new one."""
        while self.ready:
            cell = self.ready.pop()
            with contextlib.suppress(BrokenPipeError):  # somebody has killed it
                cell.run(asked, *files)
                return cell
        cell = self._open_cell()
        try:
            cell.run(asked, *files)
        except BrokenPipeError:
            raise OSError(0, "; ".join(cell.heard()) or "the namespaces of a step ended before it began") from None
        return cell

    def _open_cell(self) -> Cell:
        cell = Cell(self.way, self.nobody)
        self.cells[cell.pid] = cell
        self.selector.register(cell.channel, selectors.EVENT_READ, lambda: self._listen(cell))
        return cell

    def _pump(self, pump: _Pump) -> None:
        if not pump.move():
            self.selector.unregister(pump.source)

    # What happened

    def _listen(self, cell: Cell) -> None:
        for said in cell.heard():
            if said == "r":
                self.ready.append(cell)
            elif step := self._step_in(cell):
                if step.alone:
                    cell.last_said = said
                else:
                    self._ended(step, said)
        if cell.silent:
            self._forget(cell)

    def _forget(self, cell: Cell) -> None:
        """Give it no more to do: it has ended, or is about to."""
        self.ready = [other for other in self.ready if other is not cell]
        if cell.channel in self.selector.get_map():
            self.selector.unregister(cell.channel)

    def _reap(self, wakeup: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(wakeup, CHUNK)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._buried(*ended)

    def _buried(self, pid: int, status: int) -> None:
        if cell := self.cells.pop(pid, None):
            self._listen(cell)
            self._forget(cell)
            cell.channel.close()
            if step := self._step_in(cell):
                self._ended(step, cell.last_said or f"s{status}")
        elif step := next((step for step in self.steps.values() if step.pid == pid), None):
            self._signal(step, signal.SIGKILL)  # what it left running in its group
            report = os.read(step.report or 0, child.REPORT_SIZE + 1).decode(errors="replace")
            os.close(step.report or 0)
            self._ended(step, report or f"s{status}")

    def _step_in(self, cell: Cell) -> _Step | None:
        return next((step for step in self.steps.values() if step.cell is cell), None)

    def _ended(self, step: _Step, report: str) -> None:
        del self.steps[step.key]
        failure = self._finish(step.pump) if step.pump else None
        if failure:
            self._tell({"key": step.key, "failure": str(failure), "errno": failure.errno})
        elif report.startswith("f"):
            self._tell({"key": step.key, "failure": report[1:], "errno": 0})
        else:
            self._tell({"key": step.key, "status": int(report[1:])})

    def _finish(self, pump: _Pump) -> OSError | None:
        if pump.source in self.selector.get_map():
            self.selector.unregister(pump.source)
        pump.drain()
        pump.close()
        return pump.failure

    @staticmethod
    def _signal(step: _Step, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if step.cell:
                step.cell.signal(step.key, number)
            else:
                os.killpg(step.pid, number)

    def _tell(self, message: Message) -> None:
        try:
            self.connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            raise _Closed from None


class _Closed(Exception):
    """Nobody is at the other end any more."""


def _opened(path: str, files: list[int]) -> int:
    files.append(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644))
    return files[-1]


def _words(place: str, files: list[int]) -> int:
    """The arguments and environment of the step, as an open file. It is never read here: what a server knows, every fork of it knows."""
    files.append(os.open(place, os.O_RDONLY | os.O_CLOEXEC))
    return files[-1]


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
    # Nearly nothing of what an import makes goes again, and looking for it in between is a fifth of the time that imports take.
    gc.disable()
    # Some libraries make a temporary folder as they are imported, to be removed at an exit that a server never comes to.
    with scratch.folder("imports") as folder:
        tempfile.tempdir = str(folder)
        for name in names:
            try:
                importlib.import_module(name)
            except Exception as error:  # noqa: BLE001 - a step that needs it will say so itself
                failures[name] = f"{type(error).__name__}: {error}"
    tempfile.tempdir = None
    gc.enable()
    return failures


def fork(connection: socket.socket, way: Way, nobody: int | None) -> int:
    """Fork a server for programs other than Python's, with nothing to import; its process' number. The caller has a single thread."""
    pid = os.fork()
    if pid == 0:
        try:
            gc.freeze()  # of what the caller has, no page should have to be copied
            gc.disable()
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            _keep_only(connection.fileno(), *([] if nobody is None else [nobody]))
            linux.forget_start("argosy: starts steps")
            _serve(connection, way, nobody)
        finally:
            os._exit(1)
    return pid


def _keep_only(*files: int) -> None:
    """Of the caller's files keep these: what it has locked must be free once it has ended."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard, inheritable=True)
    last = max(nothing, *files) + child.SPARE_FILES
    for before, after in itertools.pairwise([2, *sorted(files), last]):
        os.closerange(before + 1, after)


def _serve(
    connection: socket.socket, way: Way, nobody: int | None, failures: Mapping[str, str] | None = None
) -> NoReturn:
    # Ctrl-C in a terminal reaches the whole group; who stops when is the launcher's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = Server(connection, way, nobody)
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps({"ready": linux.threads(), "failures": failures or {}}).encode() + b"\n")
        server.serve()
    os._exit(0)


def main() -> None:
    """``python -m argosy.engine.processes.server FD WAY NOBODY NAME...``: import the names, serve on the socket FD."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    way, nobody = cast("Way", sys.argv[2]), int(sys.argv[3]) if sys.argv[3] else None
    if nobody is not None:
        os.set_inheritable(nobody, False)
    failures = _imported(sys.argv[4:])
    gc.collect()
    gc.freeze()
    _serve(connection, way, nobody, failures)


if __name__ == "__main__":
    main()
