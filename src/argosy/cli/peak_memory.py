"""Peak memory of this process and everything it started, sampled while something runs.

Pages that forked processes share are counted once (proportional set size), so that the sum is what the machine really gave. Where the
kernel does not tell (macOS), the largest finished child is all that can be said.
"""

import os
import resource
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

PROC = Path("/proc")
LOOKING = 0.02
"""Of a core, what looking may take: the kernel counts the pages of each process anew, milliseconds where a process is large."""


class Sampler:
    """Samples from entering to leaving, each *interval* of seconds, or less often where a look takes long; ``peak_bytes`` holds the
    greatest sum seen, None where nothing could be read."""

    def __init__(self, interval: float = 0.5) -> None:
        self._interval = interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._peak = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def peak_bytes(self) -> int | None:
        """The peak so far, in bytes."""
        return max(self._peak, _largest_child()) or None

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.thread_time()
            self._peak = max(self._peak, sum(_proportional_bytes(pid) for pid in family(os.getpid())))
            self._stop.wait(pause(self._interval, time.thread_time() - began))


def pause(interval: float, spent: float) -> float:
    """Seconds from a look that took *spent* seconds of a core to the next: *interval*, or as many as keep looking at its share."""
    return max(interval, spent / LOOKING - spent)


def family(pid: int) -> list[int]:
    """*pid* and all its living descendants; only *pid* where the kernel does not tell."""
    children: dict[int, list[int]] = {}
    for entry in PROC.glob("[0-9]*/stat"):
        try:
            # The name in parentheses may hold blanks and parentheses itself; the parent is the second field after it.
            parent = int(entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue  # It ended while we looked.
        children.setdefault(parent, []).append(int(entry.parent.name))
    found = [pid]
    for member in found:
        found.extend(children.get(member, []))
    return found


def _proportional_bytes(pid: int) -> int:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0  # It ended while we looked, or belongs to somebody else.
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _largest_child() -> int:
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return largest if sys.platform == "darwin" else 1024 * largest
