"""What a process does that ships one spool: look, ship, wait, until whoever started it is gone.

It holds nobody's interpreter back, so it may wait for the processor behind all who answer. It is killed at any time without harm: what the
store has and this machine has too is shipped again, and adds nothing.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from argosy import errors
from argosy.adapters.segment_log import layout
from argosy.adapters.segment_log.shipper_reports import ReportHandler, ReportWriter
from argosy.adapters.segment_log.shipping import SpoolShipping
from argosy.ports.objects import Objects

NICENESS = 10
LOOK_SECONDS = 1.0
"""Seconds after which a look is taken for what processes left that have no way to say so."""
CONNECT_SECONDS = 30.0
"""Before another attempt where the surroundings make no store."""
WAKE = b"wake"
"""The order to ship what there is, unless the store fails; a number: at once, and to say when that was done."""
_OOM_SCORE = Path("/proc/self/oom_score_adj")
_log = logging.getLogger("argosy.predictions")


class Orders:
    """What the process is told by its standard input, of which the end is its own."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._event = threading.Event()
        self._hurry = threading.Event()
        self._last = 0
        threading.Thread(target=self._read, name="orders", daemon=True).start()

    def begun(self) -> int:
        """The last order by a number; a round begins that carries it out."""
        self._event.clear()
        self._hurry.clear()
        return self._last

    def wait(self, pause: float | None) -> None:
        """Until an order comes, or it is time for a look; after a failure for a *pause*, unless there is a hurry."""
        if pause is None:
            self._event.wait(LOOK_SECONDS)
        else:
            self._hurry.wait(pause)

    def _read(self) -> None:
        for line in self._stream:
            if line.strip() != WAKE:
                self._last = int(line)
                self._hurry.set()
            self._event.set()
        os._exit(0)  # even where the store hangs


def run(spool: Path, connect: Callable[[], Objects]) -> None:
    """Ship from *spool* to what *connect* gives, until standard input ends; never returns."""
    reports = ReportWriter(os.dup(sys.stdout.fileno()))
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # for whatever a library prints
    _stand_back()
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
    ):  # they are for whoever started it, and may come to all
        signal.signal(number, signal.SIG_IGN)
    logging.getLogger().addHandler(ReportHandler(reports))
    orders = Orders(sys.stdin.buffer)
    shipping = SpoolShipping(layout.Spool(spool), _connected(connect, reports, orders), reports)
    while True:
        order = orders.begun()
        shipping.round()
        reports.done(order)
        orders.wait(shipping.pause())


def _stand_back() -> None:
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # where the system has no such thing
        _OOM_SCORE.write_text("500", encoding="ascii")  # memory that is short costs this process, and no answer


def _connected(connect: Callable[[], Objects], reports: ReportWriter, orders: Orders) -> Objects:
    told = False
    while True:
        order = orders.begun()
        try:
            return connect()
        except errors.ArgosyError as error:
            reports.failed(type(error).__name__)
            if not told:
                told = True
                _log.warning("logged predictions wait on this machine and are shipped later: %s", error)
        reports.done(order)
        orders.wait(CONNECT_SECONDS)
