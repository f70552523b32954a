"""What a process that ships says to the one that started it: a line of JSON each, of which a kill may tear the last."""

import logging
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from argosy.adapters.segment_log.shipper import Shipped
from argosy.adapters.segment_log.shipping import ShippingListener
from argosy.ports.prediction_log import ServedRelease

_log = logging.getLogger("argosy.predictions")


class ReportWriter:
    """The listener of a process that ships, which tells the one that started it."""

    def __init__(self, descriptor: int) -> None:
        """*descriptor*: where lines are written."""
        self._descriptor = descriptor
        self._done = 0

    def kept(self, path: Path, found: Shipped) -> None:
        """See :class:`argosy.adapters.segment_log.shipping.ShippingListener`."""
        self._write("kept", str(path), asdict(found))

    def gone(self, path: Path) -> None:
        """See the protocol."""
        self._write("gone", str(path))

    def failed(self, kind: str) -> None:
        """See the protocol."""
        self._write("failed", kind)

    def strange(self, paths: frozenset[Path]) -> None:
        """See the protocol."""
        self._write("strange", sorted(map(str, paths)))

    def says(self, level: int, text: str) -> None:
        """A line for the log."""
        self._write("says", level, text)

    def done(self, order: int) -> None:
        """What there was when *order* came was shipped, or tried to be."""
        if order != self._done:
            self._done = order
            self._write("done", order)

    def _write(self, *words: object) -> None:
        line = orjson.dumps(words) + b"\n"
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except BrokenPipeError:  # who would read it is gone, and nobody ships for the dead
            os._exit(0)


class ReportHandler(logging.Handler):
    """Hands what is logged in a process that ships to the one that started it, whose log it belongs to."""

    def __init__(self, reports: ReportWriter) -> None:
        super().__init__(logging.WARNING)
        self._reports = reports

    def emit(self, record: logging.LogRecord) -> None:
        """See the base."""
        self._reports.says(record.levelno, self.format(record))


class ReportReader:
    """Reads reports, and tells a listener.

    What the store has and nobody said is gone from this machine is settled by a look when the process ended: a kill between both is neither
    counted twice, where the next one ships it again, nor forgotten.
    """

    def __init__(self, listener: ShippingListener) -> None:
        self._listener = listener
        self._kept: Path | None = None
        self.done = 0
        """The last order that was carried out."""

    def read(self, line: bytes) -> None:
        """Take one line; a torn one says nothing."""
        if not line.endswith(b"\n"):
            return
        kind, *words = orjson.loads(line)
        self._take(kind, words)

    def ended(self) -> None:
        """Nothing more is said."""
        if self._kept is not None and not self._kept.exists():
            self._listener.gone(self._kept)
        self._kept = None

    def _take(self, kind: str, words: Sequence[object]) -> None:
        match kind, words:
            case "kept", [str(path), dict(found)]:
                served = None if found["served"] is None else ServedRelease(**found["served"])
                self._kept = Path(path)
                self._listener.kept(self._kept, Shipped(**{**found, "served": served}))
            case "gone", [str(path)]:
                self._kept = None
                self._listener.gone(Path(path))
            case "failed", [str(error)]:
                self._listener.failed(error)
            case "strange", [list(paths)]:
                self._listener.strange(frozenset(map(Path, paths)))
            case "says", [int(level), str(text)]:
                _log.log(level, "%s", text)
            case "done", [int(order)]:
                self.done = max(self.done, order)
