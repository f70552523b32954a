"""One process that ships for all logs of this process that write to one spool: each is told what became of its own records.

Of records that earlier processes left, those of a release that is still logged count with it, others with what is likest to it.
"""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from argosy.adapters.segment_log import layout
from argosy.adapters.segment_log.shipper import ENDED, Shipped, ShippingCounts
from argosy.adapters.segment_log.shipper_process import ShipperProcess
from argosy.ports.prediction_log import ServedRelease

WAIT_SECONDS = 0.05
"""Between two looks at whether all is shipped."""


class SharedShipper:
    """The process for one spool, which lives as long as anybody logs there."""

    def __init__(self, spool: Path, command: Sequence[str]) -> None:
        """*command*: starts the process."""
        self._spool = layout.Spool(spool)
        self._command = command
        self._lock = threading.Lock()
        self._seats: tuple[LogSeat, ...] = ()
        self._process: ShipperProcess | None = None
        self._kept = Shipped()
        self._strange = frozenset[Path]()
        self.refusals = 0
        """Attempts that failed by the store or what was to be shipped, so that the next, at once, would fail too."""

    def seat(self, served: ServedRelease) -> "LogSeat":
        """What ships for the log of *served*, until that is closed."""
        with self._lock:
            if self._process is None:
                self._process = ShipperProcess(self._spool, self._command, self)
            seat = LogSeat(self, self._process, served)
            seat.counts.strange = self._strange
            self._seats = (*self._seats, seat)
        return seat

    def leave(self, seat: "LogSeat") -> None:
        """Nobody logs by *seat* any more; the last one ends the process."""
        with self._lock:
            self._seats = tuple(each for each in self._seats if each is not seat)
            process = None if self._seats else self._process
            if process is not None:
                self._process = None
        if process is not None:
            process.stop()

    def kept(self, _: Path, found: Shipped) -> None:
        """See :class:`argosy.adapters.segment_log.shipping.ShippingListener`."""
        self._kept = found

    def gone(self, _: Path) -> None:
        """See the protocol."""
        found, self._kept = self._kept, Shipped()
        if (seats := self._seats) and found.served is not None:
            max(seats, key=lambda seat: _likeness(seat.served, found.served)).counts.add(found)

    def failed(self, kind: str) -> None:
        """See the protocol. Nobody's records are shipped then."""
        self.refusals += kind != ENDED
        for seat in self._seats:
            seat.counts.fail(kind)

    def strange(self, paths: frozenset[Path]) -> None:
        """See the protocol."""
        self._strange = paths
        for seat in self._seats:
            seat.counts.strange = paths


class LogSeat:
    """One log's share in it; see :class:`argosy.adapters.segment_log.shipper.LogShipper`."""

    def __init__(self, shared: SharedShipper, process: ShipperProcess, served: ServedRelease) -> None:
        self._shared = shared
        self._process = process
        self.served = served
        self.counts = ShippingCounts()
        self._sealed: set[Path] = set()
        self._closed = False

    def wake(self, sealed: Path) -> None:
        """See the protocol."""
        self._sealed = {path for path in self._sealed if path.exists()} | {sealed}
        self._process.wake()

    def close(self, patience: float) -> None:
        """See the protocol. Once more does nothing: nobody would carry out another order."""
        if self._closed:
            return
        self._closed = True
        refusals, ends = self._shared.refusals, time.monotonic() + patience
        order = self._process.order()
        while time.monotonic() < ends and self._shared.refusals == refusals and not self._is_shipped(order):
            time.sleep(WAIT_SECONDS)
        self._shared.leave(self)

    def _is_shipped(self, order: int) -> bool:
        """True where nothing of this log waits, whichever process ships it."""
        if self._process.carried_out(order):
            return True
        return self._process.elsewhere and not any(path.exists() for path in self._sealed)


def _likeness(one: ServedRelease, other: ServedRelease | None) -> int:
    """How much of what *one* is *other* is too: model, environment, version and digest, in this order."""
    if other is None or one.model != other.model:
        return 0
    if one.environment != other.environment:
        return 1
    return 2 + (one.version == other.version) + (one.digest == other.digest)
