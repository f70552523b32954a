"""Ships segments that nobody writes any more: a server's own, and those that a killed one left.

A segment leaves this machine only once the store has all of it. Its name there comes from its records, so whoever ships it again, after a
crash in between or an answer that was lost, adds nothing.
"""

import logging
import random
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors
from argosy.adapters.segment_log import framing, layout
from argosy.ports.objects import Objects

if TYPE_CHECKING:
    from argosy.adapters.segment_log.columns import HourOfSegment

LONGEST_PAUSE = 60.0
"""Seconds between two attempts while the store fails; the first pause is one."""
LOOK_SECONDS = 5.0
"""Seconds after which a look is taken for what other processes left."""
STORE_FAILED = "TryAgain"
"""The kind of failure that is to be expected."""
_log = logging.getLogger("argosy.predictions")


@dataclass(frozen=True, slots=True)
class Shipped:
    """What came of one segment."""

    records: int = 0
    damaged: int = 0
    """Places of it that could not be read."""


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
        self.damaged = 0
        self.failures = dict.fromkeys((STORE_FAILED, errors.Misconfigured.__name__), 0)
        """Attempts that failed, by the kind of the error. Those that may come stand at 0: to Prometheus what first appears with a number
        has not grown by it, and a rule asks whether it did."""
        self._told: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="prediction-shipper", daemon=True)
        self._thread.start()

    @property
    def strange(self) -> frozenset[Path]:
        """Files of the spool that are not shipped, because nobody can read them."""
        return frozenset(self._strange)

    def wake(self) -> None:
        """A segment is complete."""
        self._wake.set()

    def close(self, patience: float) -> None:
        """Ship what there is and stop; gives up after *patience* seconds, or where the store fails."""
        self._closing.set()
        self._wake.set()
        self._thread.join(patience)

    def _run(self) -> None:
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
        failed = False
        try:
            waiting = self._spool.segments()
            self._strange &= set(waiting)  # somebody has removed the others
            for path in waiting:
                if path not in self._strange:
                    failed |= not self._ship(path)
        except (errors.ArgosyError, OSError) as error:  # of the store, or of the disk: the next would fail too
            failed = True
            self._fail(error, "logged predictions wait on this machine and are shipped later")
        if self._failures and not failed:
            _log.warning("logged predictions are shipped again")
            self._told.clear()
        self._failures = self._failures + 1 if failed else 0

    def _ship(self, path: Path) -> bool:
        """Ship *path*; False where that failed for a reason of its own. Raises ArgosyError and OSError."""
        try:
            found = ship(path, self._objects)
        except StrangeFile as error:
            self._strange.add(path)
            _log.warning("%s is not shipped: %s; look at it, and remove it", path, error)
        except (errors.ArgosyError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - a thread that ends would ship nothing any more, and nobody would know
            self._fail(error, f"{path} is tried again later, others are shipped meanwhile", bug=True)
            return False
        else:
            self.shipped += found.records
            if found.damaged:
                self.damaged += found.damaged
                _log.warning("%s was damaged: what could be read of it is shipped (%d records)", path, found.records)
        return True

    def _fail(self, error: Exception, text: str, *, bug: bool = False) -> None:
        kind = type(error).__name__
        self.failures = {**self.failures, kind: self.failures.get(kind, 0) + 1}  # a new one: others read it meanwhile
        if kind not in self._told:  # said once: the metrics count, and logs must not be filled with complaints
            self._told.add(kind)
            _log.warning("%s: %s", text, error or kind, exc_info=bug)


class StrangeFile(ValueError):
    """A file that is no segment, or whose head is lost."""


def ship(path: Path, objects: Objects) -> Shipped:
    """Ship the segment *path*, unless it has a writer. Raises StrangeFile where it is none of ours."""
    from argosy.adapters.segment_log import columns

    try:
        stream = path.open("rb")
    except FileNotFoundError:  # another process shipped it
        return Shipped()
    with stream:
        if not layout.lock(stream) or not path.exists():
            return Shipped()  # its writer lives, or another process shipped it between listing and lock
        content, parts = _read(stream.read())
        for part in parts:
            objects.put_new(layout.key(part.ref), columns.packed(part.coded))
        path.unlink(missing_ok=True)
        return Shipped(sum(part.coded.table.num_rows for part in parts), content.damaged if content.payloads else 0)


def _read(data: bytes) -> tuple[framing.SegmentContent, list["HourOfSegment"]]:
    from argosy.adapters.segment_log import columns

    if not framing.is_one(data):
        raise StrangeFile("it is no segment")
    content = framing.read(data)
    try:
        return content, columns.hours(content)
    except ValueError as error:
        raise StrangeFile(str(error)) from error
