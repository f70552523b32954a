"""Ships in a thread of the process that logs: for whoever has the store in its own hands, as tests and short programs have."""

import threading
from pathlib import Path

from argosy.adapters.segment_log import layout
from argosy.adapters.segment_log.shipper import Shipped, ShippingCounts
from argosy.adapters.segment_log.shipping import SpoolShipping
from argosy.ports.objects import Objects

LOOK_SECONDS = 5.0
"""Seconds after which a look is taken for what other processes left."""


class ThreadShipper:
    """See :class:`argosy.adapters.segment_log.shipper.LogShipper`."""

    def __init__(self, spool: Path, objects: Objects) -> None:
        """Ship from *spool* to *objects*, at once."""
        self.counts = ShippingCounts()
        self.shipping = SpoolShipping(layout.Spool(spool), objects, _Counting(self.counts))
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prediction-shipper", daemon=True)
        self._thread.start()

    def wake(self, _: Path) -> None:
        """See the protocol."""
        self._wake.set()

    def close(self, patience: float) -> None:
        """See the protocol."""
        self._closing.set()
        self._wake.set()
        self._thread.join(patience)

    def _run(self) -> None:
        while True:
            closing = self._closing.is_set()
            self._wake.clear()
            self.shipping.round()
            if closing:
                return
            if (pause := self.shipping.pause()) is None:
                self._wake.wait(LOOK_SECONDS)
            else:
                self._closing.wait(pause)


class _Counting:
    """Counts at once; see :class:`argosy.adapters.segment_log.shipping.ShippingListener`."""

    def __init__(self, counts: ShippingCounts) -> None:
        self._counts = counts
        self._kept = Shipped()

    def kept(self, _: Path, found: Shipped) -> None:
        self._kept = found

    def gone(self, _: Path) -> None:
        self._counts.add(self._kept)
        self._kept = Shipped()

    def failed(self, kind: str) -> None:
        self._counts.fail(kind)

    def strange(self, paths: frozenset[Path]) -> None:
        self._counts.strange = paths
