"""Asks a server over HTTP/1.1, each request when it is due, from a part of one core at 20,000 a second: ``open_loop.c``, built by ``cc``.

vegeta, the second opinion, used its core up at some 12,000 a second, and a bare server's answers waited for it. wrk2 says of itself that it
sends to about a millisecond, and tells no waits by status; others were not tried.
"""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

SOURCE = Path(__file__).with_suffix(".c")
CONNECTIONS = 512
TIMEOUT_SECONDS = 20.0
RECORD = np.dtype(
    [("due", "f8"), ("sent", "f8"), ("ended", "f8"), ("status", "i4"), ("retry_after", "i2"), ("tries", "i2")],
)
"""``struct record`` of the program."""


class Records:
    """What came of requests, in the order in which they were due; times in seconds since the first was due."""

    def __init__(self, content: bytes, cpu_seconds: float = 0.0) -> None:
        """*content*: what the program wrote. *cpu_seconds*: that it used itself."""
        self._table = np.frombuffer(content, RECORD)
        self.cpu_seconds = cpu_seconds

    @property
    def statuses(self) -> npt.NDArray[np.int32]:
        """The status of each answer; 0 where there was none in time."""
        return self._table["status"]

    @property
    def waits(self) -> npt.NDArray[np.float64]:
        """Seconds from when each was due to its answer."""
        waits: npt.NDArray[np.float64] = self._table["ended"] - self._table["due"]
        return waits

    @property
    def lateness(self) -> npt.NDArray[np.float64]:
        """Seconds by which each was sent too late, for want of a free connection or of time to ask; NaN where it was not sent at all."""
        late: npt.NDArray[np.float64] = self._table["sent"] - self._table["due"]
        return late

    @property
    def tries(self) -> npt.NDArray[np.int16]:
        """Times that each was sent: 2 where its connection ended first."""
        return self._table["tries"]

    @property
    def announced(self) -> npt.NDArray[np.bool_]:
        """True where an answer said when to come back (Retry-After)."""
        announced: npt.NDArray[np.bool_] = self._table["retry_after"] == 1
        return announced

    @property
    def seconds(self) -> float:
        """To the last answer."""
        return float(self._table["ended"].max(initial=0.0))


@dataclass(frozen=True)
class Question:
    """What is asked: JSON by POST, of 127.0.0.1."""

    port: int
    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """Beside Content-Type and those that say where the request ends."""

    @property
    def request(self) -> bytes:
        """The request as it is sent."""
        length = {"Content-Type": "application/json", "Content-Length": str(len(self.body))}
        lines = [f"POST {self.path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in (length | dict(self.headers)).items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True)
class Asker:
    """The program, and how it is started."""

    program: Path
    before: Sequence[str] = ()
    """What its command line begins with: a program that starts it, on a certain core perhaps."""

    def ask(
        self,
        question: Question,
        *,
        rate: float,
        seconds: float,
        connections: int = CONNECTIONS,
        timeout: float = TIMEOUT_SECONDS,
    ) -> Records:
        """Ask for *seconds*: *rate* requests a second; 0: each of *connections* as soon as it was answered.

        A request without an answer *timeout* seconds after it was due is given up. Ends, with what the program said, where it could not
        ask: nobody listens, or an answer cannot be read.
        """
        words = ["127.0.0.1", str(question.port), str(rate), str(seconds), str(connections), str(timeout)]
        before = children_cpu_seconds()
        command = [*self.before, str(self.program), *words]
        done = subprocess.run(command, input=question.request, capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise SystemExit(f"asking port {question.port} failed: {said}")
        return Records(done.stdout, children_cpu_seconds() - before)


def built(folder: Path) -> Path:
    """The program, compiled into *folder*. Ends where this machine has no C compiler, or is not Linux."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if sys.platform != "linux":
        raise SystemExit(
            "the open loop waits by epoll, which is Linux's; elsewhere pass --asker vegeta: nothing was measured"
        )
    if compiler is None:
        raise SystemExit(
            "no C compiler (cc) on the path; install one (Debian: gcc and libc6-dev) or pass --asker vegeta: nothing was measured"
        )
    program = folder / "open_loop"
    command = [compiler, "-O2", "-std=c11", "-Wall", "-Wextra", "-o", str(program), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{compiler} did not compile {SOURCE}:\n{done.stderr}")
    return program


def children_cpu_seconds() -> float:
    """CPU time of the processes that this one started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
