"""A prediction log that never keeps an answer waiting.

``append`` puts records in a bounded queue; a thread writes them to a segment as soon as it can, flushes to disk once a second, and closes a
segment that is full, old, or of an hour that is over; a shipper is told of it, which in a server is another process. So a killed server
loses at most the queue (its length is a metric), a machine that loses power at most the last second besides, and a disk that is full or
hangs, or a store that is down until the spool is full, costs records, which are counted, but no answer.

The form is our own, by measurement, of 100 rows of 20 features: as lines of JSON they cost 55 µs of CPU to write and 530 to turn into
columns when they are shipped, as a block 80 and 40. SQLite's write-ahead log and a stream of Arrow's IPC cost more than either for a row
alone, and neither has a checksum over what it keeps.
"""

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from argosy import background
from argosy.adapters.segment_log import layout, segments
from argosy.adapters.segment_log.shipper import LogShipper
from argosy.adapters.segment_log.spool_gauge import SpoolGauge
from argosy.ports.objects import demand_key
from argosy.ports.prediction_log import LogCounts, Prediction, ServedRelease

SYNC_SECONDS = 1.0
GATHER_SECONDS, BUSY_GATHER_SECONDS = 0.01, 0.05
"""Time for which records are gathered: of few requests, and of many, unless a tenth of the queue is full before."""
MANY = 10
"""Requests in one turn from which on the next gathers for longer."""
MOST_TOGETHER, MOST_ROWS = 100, 3_000
"""Requests and rows in one write, some tenths of a millisecond of work, unless one has more; between two, those who answer have a turn."""
ROTATE_BYTES = 16 * 2**20
SHIP_SECONDS = 300.0
SPOOL_BYTES = 2 * 2**30
HOUR = 3600
_log = logging.getLogger("argosy.predictions")
CAPACITY, MOST_REQUESTS = 200_000, 50_000
"""Records in the queue, and requests that they may be of: some 50 MiB of either. At full load that is a third of a second of large requests
or ten of small ones: a flush to disk may take as long, and nothing is written meanwhile."""
QUEUE_FULL, SPOOL_FULL, CLOSED = "queue-full", "spool-full", "closed"
"""Why a record is not kept; a disk's own reasons come with its words."""
BUG = "bug: "
"""Before the kind of an error that nobody foresaw."""


class SegmentLog:
    """See :class:`argosy.ports.prediction_log.PredictionLog`."""

    def __init__(
        self,
        spool: Path,
        shipper: LogShipper,
        served: ServedRelease,
        features: Sequence[tuple[str, str]],
        *,
        capacity: int = CAPACITY,
        rotate_bytes: int = ROTATE_BYTES,
        ship_seconds: float = SHIP_SECONDS,
        spool_bytes: int = SPOOL_BYTES,
    ) -> None:
        """Log in *spool*, of which *shipper* ships. *features*: name and type of each that will be logged.

        *ship_seconds*: age at which a segment is shipped. *spool_bytes*: size of the spool from which on nothing more is logged.
        Raises Misconfigured where model and environment are no parts of a key.
        """
        demand_key(f"{served.model}/{served.environment}")
        self._spool = layout.Spool(spool)
        self._header = segments.header(served, features)
        self._capacity = capacity
        self._rotate_bytes = rotate_bytes
        self._ship_seconds = ship_seconds
        self._spool_bytes = spool_bytes
        self._queue: deque[Sequence[Prediction]] = deque()
        self._counts = threading.Lock()
        self._pending = 0
        self._written = 0
        self._dropped: dict[str, int] = {}
        self._wake = threading.Event()
        self._enough = threading.Event()
        self._closing = threading.Event()
        self._segment: segments.Segment | None = None
        self._began = self._synced = time.monotonic()
        self._hour = 0
        self._gauge = SpoolGauge(self._spool)
        self._shipper = shipper
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)
        self._thread.start()

    def append(self, predictions: Sequence[Prediction]) -> None:
        """See :class:`argosy.ports.prediction_log.PredictionLog`."""
        with self._counts:
            if self._closing.is_set():
                self._drop(CLOSED, len(predictions))
                return
            if self._pending + len(predictions) > self._capacity or len(self._queue) >= MOST_REQUESTS:
                self._drop(QUEUE_FULL, len(predictions))
                return
            self._pending += len(predictions)
            self._queue.append(predictions)
            enough = 10 * self._pending >= self._capacity
        # The writer takes the queue after it has cleared these words, so none is left.
        if not self._wake.is_set():
            self._wake.set()
        if enough and not self._enough.is_set():
            self._enough.set()

    def standing(self) -> LogCounts:
        """See :class:`argosy.ports.prediction_log.PredictionLog`."""
        with self._counts:
            dropped: Mapping[str, int] = dict(self._dropped)
            pending, written = self._pending, self._written
        shipping = self._shipper.counts
        return LogCounts(
            pending,
            written,
            dropped,
            shipped=shipping.shipped,
            waiting_bytes=self._gauge.bytes,
            oldest_seconds=self._gauge.seconds(),
            failures=shipping.failures,
            damaged=shipping.damaged,
            strange=len(shipping.strange),
        )

    def close(self, patience: float = 10.0) -> None:
        """See the port; gives up after *patience* seconds for the disk and as many for the store, because either may hang for ever."""
        with self._counts:
            self._closing.set()
        self._wake.set()
        self._enough.set()
        self._thread.join(patience)
        self._shipper.close(patience)
        self._look()

    def _run(self) -> None:
        self._look()
        busy = False
        while True:
            # A switch of threads for each request would cost more than the writing, and under load so do two for each turn.
            if not busy:
                self._wake.wait(SYNC_SECONDS)
            self._enough.wait(BUSY_GATHER_SECONDS if busy else GATHER_SECONDS)
            self._wake.clear()
            self._enough.clear()
            closing = self._closing.is_set()
            busy = self._write_pending() >= MANY
            self._keep_up(closing=closing)
            if closing:
                return

    def _write_pending(self) -> int:
        """Write what is in the queue; the number of requests that it was of."""
        batches = self._taken()
        for frame in _frames(batches):
            self._write_frame(frame)
            background.give_way()
        return len(batches)

    def _write_frame(self, batches: Sequence[Sequence[Prediction]]) -> None:
        records = sum(map(len, batches))
        if not records:
            return
        if self._gauge.bytes >= self._spool_bytes:
            self._settle(records, reason=SPOOL_FULL)
            return
        reason = self._write(batches)
        if reason is None or not reason.startswith(BUG):
            self._settle(records, reason=reason)
            return
        for batch in batches:  # a record that cannot be written costs none of those beside it
            self._settle(len(batch), reason=self._write([batch]))

    def _write(self, batches: Sequence[Sequence[Prediction]]) -> str | None:
        """Write *batches*, whole or not at all; the reason where that failed."""
        try:
            if self._segment is None:
                self._segment = segments.Segment(self._spool, self._header)
                self._began = time.monotonic()
                self._hour = _hour()
            self._segment.append(batches)
        except OSError as error:
            return f"disk: {error.strerror}"
        except Exception as error:  # noqa: BLE001 - a thread that ends would log nothing any more
            return f"{BUG}{type(error).__name__}"
        return None

    def _taken(self) -> list[Sequence[Prediction]]:
        batches = []
        while self._queue:
            batches.append(self._queue.popleft())
        return batches

    def _settle(self, records: int, *, reason: str | None) -> None:
        with self._counts:
            self._pending -= records
            if reason is None:
                self._written += records
            else:
                self._drop(reason, records)

    def _drop(self, reason: str, records: int) -> None:
        if (
            reason not in self._dropped
        ):  # said once: the metric counts, and a full disk must not be filled with complaints
            _log.error(
                "predictions are answered and not logged (%s); argosy_prediction_log_dropped_total counts them", reason
            )
        self._dropped[reason] = self._dropped.get(reason, 0) + records

    def _keep_up(self, *, closing: bool) -> None:
        """Flush once a second; hand a segment over that is full, old, of an hour that is over, or the last."""
        segment, now = self._segment, time.monotonic()
        done = segment is not None and (closing or self._is_done(segment, now))
        if not done and now - self._synced < SYNC_SECONDS:
            return
        self._synced = now
        if segment is not None:
            self._sync(segment, done=done)
        self._look()

    def _is_done(self, segment: segments.Segment, now: float) -> bool:
        return segment.size >= self._rotate_bytes or now - self._began >= self._ship_seconds or _hour() != self._hour

    def _sync(self, segment: segments.Segment, *, done: bool) -> None:
        try:
            segment.sync()
        except OSError:
            # The bytes are with the operating system; whether the disk got them is known again after the next flush.
            return
        if done:
            self._segment = None
            with contextlib.suppress(OSError):  # the disk has it all
                segment.close()
            self._shipper.wake(segment.path)

    def _look(self) -> None:
        try:
            self._gauge.look(self._shipper.counts.strange)
        except OSError as error:
            _log.warning("the size of %s is not known: %s", self._spool.folder, error)


def _frames(batches: Sequence[Sequence[Prediction]]) -> Iterator[Sequence[Sequence[Prediction]]]:
    """*batches* in order, as many together as are written at once."""
    together: list[Sequence[Prediction]] = []
    rows = 0
    for batch in batches:
        if together and (len(together) == MOST_TOGETHER or rows + len(batch) > MOST_ROWS):
            yield together
            together, rows = [], 0
        together.append(batch)
        rows += len(batch)
    if together:
        yield together


def _hour() -> int:
    return int(time.time()) // HOUR
