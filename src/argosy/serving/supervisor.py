"""Several worker processes behind one port: started, watched, started anew where one dies, and stopped together.

Each worker is a fresh interpreter that loads the models itself: nothing is forked from a process that has threads. They take connections
from one listening socket, which the supervisor keeps open, so none waits for a worker that is gone. The first one starts alone: what is
wrong with the models is said once.
"""

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from argosy import errors
from argosy.serving.access import host_rate_limiter
from argosy.serving.worker_board import WorkerBoard

SURROUNDINGS = "ARGOSY_SERVING_WORKER"
"""The variable by which a process learns that it is a worker, and which one."""
ROUND_SECONDS = 0.1
PAUSE_SECONDS = 1.0
"""Before a worker that died is started anew."""
MOST_FAILURES = 5
"""Workers that die one after another before they are ready: then the server gives up, and whoever started it is told."""
RATES = "rates"
_log = logging.getLogger("argosy.serving")


@dataclass(frozen=True)
class WorkerPlace:
    """What a worker is told of its place in the server."""

    number: int
    workers: int
    folder: Path
    """Of the board."""
    listener: int
    """The descriptor of the listening socket."""
    lifeline: int
    """A descriptor that ends when the supervisor does."""

    def written(self) -> str:
        """As :func:`of_environment` reads it."""
        return json.dumps({**self.__dict__, "folder": str(self.folder)})


def of_environment(surroundings: "os._Environ[str] | dict[str, str]") -> WorkerPlace | None:
    """This process's place; None where it is no worker."""
    said = surroundings.get(SURROUNDINGS)
    if said is None:
        return None
    found = json.loads(said)
    return WorkerPlace(**{**found, "folder": Path(found["folder"])})


class Supervisor:
    """The workers of one server."""

    def __init__(
        self,
        command: Sequence[str],
        workers: int,
        folder: Path,
        listener: socket.socket,
        *,
        restarted: Callable[[], None] = lambda: None,
    ) -> None:
        """*command*: starts a worker. *folder*: for what they share. *restarted* is told of each that took the place of a dead one."""
        self._command = list(command)
        self._listener = listener
        self.board = WorkerBoard(folder, workers, new=True)
        (folder / RATES).write_bytes(bytes(host_rate_limiter.SIZE))
        self._restarted = restarted
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._due: dict[int, float] = {}
        self._failures = 0
        self._signals: list[int] = []
        self._wake = threading.Event()
        self._lifeline, self._held = os.pipe()
        self._renew: Callable[[], None] = lambda: None
        self._every: float | None = None
        self._renewal: threading.Thread | None = None
        self._renewed = time.monotonic()
        self._asked = False

    def watch(self, renew: Callable[[], None], every: float | None) -> None:
        """Call *renew*, in a thread, on SIGHUP and, where that is given, *every* so many seconds. Workers hear of SIGHUP after it."""
        self._renew, self._every = renew, every

    def run(self) -> int:
        """Until SIGTERM or SIGINT, or workers do not live; the exit code."""
        before = {
            number: signal.signal(number, self._heard) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        }
        try:
            return self._watched()
        finally:
            for process in self._processes.values():
                process.kill()
                process.wait()
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(self._held)
            os.close(self._lifeline)

    def _heard(self, number: int, _: FrameType | None) -> None:
        self._signals.append(number)
        self._wake.set()

    def _watched(self) -> int:
        self._start(0)
        while True:
            self._wake.wait(ROUND_SECONDS)
            self._wake.clear()
            while self._signals:
                self._pass_on(self._signals.pop(0))
            code = self._reaped()
            if code is not None:
                return code
            if self.board.draining:
                if not self._processes:
                    return errors.DONE
                continue
            self._look_for_others()
            self._kill_stalled()
            self._start_due()

    def _pass_on(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._asked = True
            return
        self.board.drain()
        for process in self._processes.values():
            process.send_signal(number)

    def _look_for_others(self) -> None:
        """Have what is to be served looked for, one look at a time."""
        due = self._every is not None and time.monotonic() - self._renewed >= self._every
        if self._renewal is not None or not (self._asked or due):
            if self._renewal is None or self._renewal.is_alive():
                return
            self._renewal = None
            self._renewed = time.monotonic()
            for number, process in self._processes.items():
                if self.board.is_ready(number):  # others read it as they start, and would die of it
                    process.send_signal(signal.SIGHUP)
            return
        self._asked = False
        self._renewal = threading.Thread(target=self._renew, name="renewal", daemon=True)
        self._renewal.start()

    def _start(self, number: int) -> None:
        self._due.pop(number, None)
        place = WorkerPlace(number, self.board.workers, self.board.folder, self._listener.fileno(), self._lifeline)
        self.board.begins(number, 0)
        process = subprocess.Popen(
            self._command,
            env=os.environ | {SURROUNDINGS: place.written()},
            pass_fds=(place.listener, place.lifeline),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # a terminal's Ctrl-C comes once, from here
        )
        self.board.begins(number, process.pid)
        self._processes[number] = process

    def _start_due(self) -> None:
        if not self.board.once_ready and self.board.is_ready(0):
            for number in range(1, self.board.workers):
                if number not in self._processes and number not in self._due:
                    self._start(number)
        if self.board.ready and len(self._processes) == self.board.workers:
            self._failures = 0
        now = time.monotonic()
        for number in [number for number, when in self._due.items() if when <= now]:
            self._start(number)
            self._restarted()

    def _kill_stalled(self) -> None:
        for number, process in self._processes.items():
            if self.board.stalled(number):
                _log.error("worker %d (process %d) hangs; another takes its place", number, process.pid)
                process.kill()

    def _reaped(self) -> int | None:
        """Take leave of workers that ended; the exit code where the server ends with them."""
        for number, process in list(self._processes.items()):
            code = process.poll()
            if code is None:
                continue
            del self._processes[number]
            was_ready = self.board.is_ready(number)
            self.board.begins(number, 0)
            if self.board.draining:
                continue
            if not self.board.once_ready and not was_ready:
                return self._given_up(code)
            self._failures = 0 if was_ready else self._failures + 1
            _log.error("worker %d (process %d) ended with %d; another takes its place", number, process.pid, code)
            if self._failures >= MOST_FAILURES:
                _log.error("%d workers died one after another before they answered; the server ends", self._failures)
                return self._given_up(code)
            self._due[number] = time.monotonic() + PAUSE_SECONDS
        return None

    def _given_up(self, code: int) -> int:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
        return code if code > 0 else 1


def command(words: Sequence[str]) -> list[str]:
    """What starts a worker with the options *words*."""
    # -P: nothing is imported from the folder that the server was started in, where a random.py may lie.
    return [sys.executable, "-P", "-m", "argosy.serving", *words]
