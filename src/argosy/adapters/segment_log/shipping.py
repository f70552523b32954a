"""Ships segments that nobody writes any more: a server's own, and those that a killed one left.

A segment leaves this machine only once the store has all of it. Its name there comes from its records, so whoever ships it again, after a
crash in between or an answer that was lost, adds nothing.
"""

import logging
import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from argosy import errors
from argosy.adapters.segment_log import framing, layout
from argosy.adapters.segment_log.shipper import Shipped
from argosy.ports.objects import Objects

if TYPE_CHECKING:
    from argosy.adapters.segment_log.columns import HourOfSegment

LONGEST_PAUSE = 60.0
"""Seconds between two attempts while the store fails; the first pause is one."""
_log = logging.getLogger("argosy.predictions")


class ShippingListener(Protocol):
    """Is told what came of a spool's segments."""

    def kept(self, path: Path, found: Shipped) -> None:
        """The store has all of *path*, which goes from this machine next."""

    def gone(self, path: Path) -> None:
        """*path*, which the store has, is gone."""

    def failed(self, kind: str) -> None:
        """An attempt failed by an error of that *kind*."""

    def strange(self, paths: frozenset[Path]) -> None:
        """The files that nobody can read are *paths* by now."""


class SpoolShipping:
    """Ships what is in a spool, oldest first. When to look, and how long to wait, is said by whoever calls it."""

    def __init__(self, spool: layout.Spool, objects: Objects, listener: ShippingListener) -> None:
        """Ship from *spool* to *objects*."""
        self._spool = spool
        self._objects = objects
        self._listener = listener
        self._failures = 0
        self._strange = frozenset[Path]()
        self._told: set[str] = set()

    def pause(self) -> float | None:
        """Seconds to wait before the next attempt, since the last failed: longer and longer; None where it did not."""
        if not self._failures:
            return None
        longest = min(LONGEST_PAUSE, 2.0 ** (self._failures - 1))
        return longest * random.uniform(0.75, 1.0)  # noqa: S311 - pods should not come back all at once

    def round(self) -> None:
        """Ship what there is."""
        failed = False
        try:
            waiting = self._spool.segments()
            self._leave_out(self._strange & set(waiting))  # somebody has removed the others
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
            found = ship(path, self._objects, lambda found: self._listener.kept(path, found))
        except StrangeFile as error:
            self._leave_out(self._strange | {path})
            _log.warning("%s is not shipped: %s; look at it, and remove it", path, error)
        except (errors.ArgosyError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - a thread that ends would ship nothing any more, and nobody would know
            self._fail(error, f"{path} is tried again later, others are shipped meanwhile", bug=True)
            return False
        else:
            self._listener.gone(path)
            if found.damaged:
                _log.warning("%s was damaged: what could be read of it is shipped (%d records)", path, found.records)
        return True

    def _leave_out(self, strange: frozenset[Path]) -> None:
        if strange != self._strange:
            self._strange = strange
            self._listener.strange(strange)

    def _fail(self, error: Exception, text: str, *, bug: bool = False) -> None:
        kind = type(error).__name__
        self._listener.failed(kind)
        if kind not in self._told:  # said once: the metrics count, and logs must not be filled with complaints
            self._told.add(kind)
            _log.warning("%s: %s", text, error or kind, exc_info=bug)


class StrangeFile(ValueError):
    """A file that is no segment, or whose head is lost."""


def ship(path: Path, objects: Objects, kept: Callable[[Shipped], None] = lambda _: None) -> Shipped:
    """Ship the segment *path*, unless it has a writer. *kept* is told of what the store has before *path* goes.

    Raises StrangeFile where it is none of ours.
    """
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
        found = Shipped(
            parts[0].coded.served if parts else None,
            sum(part.coded.table.num_rows for part in parts),
            content.damaged if content.payloads else 0,
        )
        kept(found)
        path.unlink(missing_ok=True)
        return found


def _read(data: bytes) -> tuple[framing.SegmentContent, list["HourOfSegment"]]:
    from argosy.adapters.segment_log import columns

    if not framing.is_one(data):
        raise StrangeFile("it is no segment")
    content = framing.read(data)
    try:
        return content, columns.hours(content)
    except ValueError as error:
        raise StrangeFile(str(error)) from error
