"""Ships segments that nobody writes any more: a server's own, and those that a killed one left.

A segment leaves this machine only once the store has all of it. Its name there comes from its records, so whoever ships it again, after a
crash in between or an answer that was lost, adds nothing.
"""

import contextlib
import logging
import os
import random
import sys
import threading
from pathlib import Path

from argosy import errors
from argosy.adapters.segment_log import framing, layout
from argosy.ports.objects import Objects

LONGEST_PAUSE = 60.0
"""Seconds between two attempts while the store fails; the first pause is one."""
LOOK_SECONDS = 5.0
"""Seconds after which a look is taken for what other processes left."""
NICE = 10
"""Niceness of the thread, at least."""
_log = logging.getLogger("argosy.predictions")


class Shipper:
    """A thread that ships what is in a spool, oldest first, and waits longer and longer while the store fails."""

    def __init__(self, spool: layout.Spool, objects: Objects) -> None:
        """Ship from *spool* to *objects*, at once."""
        self._spool = spool
        self._objects = objects
        self._failures = 0
        self._strange: set[Path] = set()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self.shipped = 0
        self._thread = threading.Thread(target=self._run, name="prediction-shipper", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """A segment is complete."""
        self._wake.set()

    def close(self, patience: float) -> None:
        """Ship what there is and stop; gives up after *patience* seconds, or where the store fails."""
        self._closing.set()
        self._wake.set()
        self._thread.join(patience)

    def _run(self) -> None:
        _step_back()
        while True:
            closing = self._closing.is_set()
            self._wake.clear()
            self._round()
            if closing:
                return
            self._pause()

    def _pause(self) -> None:
        if self._failures:
            longest = min(LONGEST_PAUSE, 2.0 ** (self._failures - 1))
            self._closing.wait(longest * random.uniform(0.75, 1.0))  # noqa: S311 - pods should not come back all at once
        else:
            self._wake.wait(LOOK_SECONDS)

    def _round(self) -> None:
        try:
            for path in self._spool.segments():
                if path not in self._strange:
                    self._ship(path)
        except (errors.ArgosyError, OSError) as error:
            if not self._failures:  # said once: the metrics count, and logs must not be filled with complaints
                _log.warning("logged predictions wait on this machine and are shipped later: %s", error)
            self._failures += 1
        else:
            if self._failures:
                _log.warning("logged predictions are shipped again")
            self._failures = 0

    def _ship(self, path: Path) -> None:
        try:
            self.shipped += ship(path, self._objects)
        except ValueError as error:
            self._strange.add(path)
            _log.warning("%s is not shipped: %s; look at it, and remove it", path, error)


def ship(path: Path, objects: Objects) -> int:
    """Ship the segment *path*, unless it has a writer; returns the number of records. Raises ValueError where it is none of ours."""
    from argosy.adapters.segment_log import columns

    with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
        if not layout.lock(stream) or not path.exists():
            return 0  # its writer lives, or another process shipped it between listing and lock
        data = stream.read()
        if not framing.MAGIC.startswith(data[: len(framing.MAGIC)]):
            raise ValueError("it is no segment")
        parts = columns.hours(framing.read(data))
        for part in parts:
            objects.put_new(layout.key(part.ref), columns.packed(part.found))
        path.unlink()
        return sum(part.found.table.num_rows for part in parts)
    return 0


def _step_back() -> None:
    """Answers come first: this thread takes what time they leave."""
    if sys.platform != "linux":  # elsewhere the number names a process
        return
    thread = threading.get_native_id()
    if os.getpriority(os.PRIO_PROCESS, thread) < NICE:  # who was started with more may not take less
        os.setpriority(os.PRIO_PROCESS, thread, NICE)
