"""Starts the process that ships a spool once something waits there, watches it, and starts another where it dies.

Of all processes that log there one has it: whoever gets the lock on the spool's folder, which the process that ships holds until it ends.
What it ships and counts is not known here.
"""

import contextlib
import logging
import os
import subprocess
import threading
import time
from collections.abc import Sequence

from argosy.adapters.segment_log import layout
from argosy.adapters.segment_log.shipper import ENDED
from argosy.adapters.segment_log.shipper_child import WAKE
from argosy.adapters.segment_log.shipper_reports import ReportReader
from argosy.adapters.segment_log.shipping import ShippingListener

LOOK_SECONDS = 5.0
"""Between two looks for what others left, while no process of ours ships."""
CLOSING_SECONDS = 0.1
"""The same while somebody waits for it."""
LONGEST_PAUSE = 60.0
"""Before a process is started in the place of one that died; the first pause is one second."""
END_SECONDS = 2.0
_log = logging.getLogger("argosy.predictions")


class ShipperProcess:
    """The process that ships one spool, for as long as this process wants it to."""

    def __init__(self, spool: layout.Spool, command: Sequence[str], listener: ShippingListener) -> None:
        """*command*: starts it, at once where something waits. *listener*: told, in a thread, of what it ships."""
        self._spool = spool
        self._command = list(command)
        self._listener = listener
        self._reports = ReportReader(listener)
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._order = self._shipped = 0
        self.elsewhere = False
        """Whether, at the last look, another process had it."""
        self._deaths = 0
        self._due = 0.0
        self._told = False
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shipper-watch", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """A segment has no writer any more. Returns at once."""
        with self._lock:
            self._tell(WAKE)
        self._wake.set()

    def order(self) -> int:
        """Have what there is shipped at once; the number by which :meth:`carried_out` knows it."""
        with self._lock:
            self._order += 1
            self._tell(b"%d" % self._order)
            number = self._order
        self._wake.set()
        return number

    def carried_out(self, order: int) -> bool:
        """True where what there was when *order* was given was shipped, or tried to be, or there was nothing."""
        return max(self._shipped, self._reports.done) >= order

    @property
    def pid(self) -> int | None:
        """The process; None where there is none of ours."""
        child = self._child
        return None if child is None else child.pid

    def stop(self) -> None:
        """End the process, wherever it is."""
        self._closing.set()
        self._wake.set()
        with self._lock:
            if (child := self._child) is not None and child.stdin is not None:
                with contextlib.suppress(OSError):
                    child.stdin.close()
        self._thread.join(END_SECONDS)
        if self._thread.is_alive() and child is not None:
            child.kill()
            self._thread.join(END_SECONDS)

    def _tell(self, word: bytes) -> None:
        if self._child is not None and self._child.stdin is not None:
            with contextlib.suppress(
                OSError, ValueError
            ):  # it ends just now, or does not read: the next looks by itself
                os.write(self._child.stdin.fileno(), word + b"\n")

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.clear()
            try:
                child = self._started()
            except OSError as error:
                child = None
                self._say(f"nothing is shipped from {self._spool.folder}: {error}")
            if child is not None:
                self._follow(child)
            elif not self._closing.is_set():
                self._wake.wait(self._pause())

    def _pause(self) -> float:
        """Seconds until the next look."""
        if not self.carried_out(self._order):
            return CLOSING_SECONDS
        left = self._due - time.monotonic()
        return left if left > 0 else LOOK_SECONDS

    def _started(self) -> "subprocess.Popen[bytes] | None":
        """The process, where something waits that no other process ships. Raises OSError."""
        order = self._order
        if not self._spool.segments():
            self._shipped = order
            return None
        if time.monotonic() < self._due:
            return None
        with self._spool.shippers_lock() as lock:
            self.elsewhere = lock is None
            if lock is None:
                return None
            if not self._spool.abandoned():
                self._shipped = order
                return None
            with self._lock:
                if self._closing.is_set():
                    return None
                child = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    pass_fds=(lock,),
                    process_group=0,  # a terminal's Ctrl-C comes once, to us
                )
                if child.stdin is not None:
                    os.set_blocking(child.stdin.fileno(), False)
                self._child = child
                self._tell(b"%d" % self._order)
            return child

    def _follow(self, child: "subprocess.Popen[bytes]") -> None:
        """Read what *child* reports until it ends."""
        begun = time.monotonic()
        with child:
            if child.stdout is not None:
                for line in child.stdout:
                    self._reports.read(line)
            code = child.wait()
            with self._lock:
                self._child = None
        self._reports.ended()
        if self._closing.is_set():
            return
        lived = time.monotonic() - begun > LONGEST_PAUSE
        self._deaths = 1 if lived else self._deaths + 1
        self._due = time.monotonic() + min(LONGEST_PAUSE, 2.0 ** (self._deaths - 1))
        self._listener.failed(ENDED)
        _log.error(
            "the process that ships logged predictions (%d) ended with %d; another takes its place, nothing is lost",
            child.pid,
            code,
        )

    def _say(self, text: str) -> None:
        if not self._told:
            self._told = True
            _log.warning("%s", text)
