"""Measures what waits in a spool: how many bytes, and for how long. Clocks are set; ages are told by one that is not."""

import datetime
import time
from collections.abc import Collection
from pathlib import Path

from argosy.adapters.segment_log import layout


class SpoolGauge:
    """What waits in one spool, as of the last look. One thread looks, others may ask."""

    def __init__(self, spool: layout.Spool) -> None:
        """Nothing was looked at yet."""
        self._spool = spool
        self._begun: dict[Path, float] = {}
        self.bytes = 0
        self._oldest: float | None = None

    def look(self, strange: Collection[Path] = ()) -> None:
        """Look anew; *strange* files take space and are shipped by nobody, so they do not wait. Raises OSError."""
        sizes = {path: size for path in self._spool.segments() if (size := _size(path)) is not None}
        self._begun = {path: self._begun.get(path) or _begun(path) for path in sizes}
        self.bytes = sum(sizes.values())
        self._oldest = min((begun for path, begun in self._begun.items() if path not in strange), default=None)

    def seconds(self) -> float:
        """Age of the oldest segment; 0 where there is none."""
        return 0.0 if self._oldest is None else max(0.0, time.monotonic() - self._oldest)


def _begun(path: Path) -> float:
    """When *path* was begun, by the clock that is never set. What its name says is asked once, and is no time to come."""
    stamp = layout.begun(path)
    ago = 0.0 if stamp is None else (datetime.datetime.now(datetime.UTC) - stamp).total_seconds()
    return time.monotonic() - max(0.0, ago)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
