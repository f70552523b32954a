"""A prediction log that never keeps an answer waiting.

``append`` puts records in a bounded queue; a thread writes them to a segment as soon as it can, flushes to disk once a second, and seals a
segment that is full or old. So a killed server loses at most the queue (its length is a metric), a machine that loses power at most the
last second besides, and a disk that is full or hangs costs records, which are counted, but no answer.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence

from argosy.adapters.segment_log import layout, sealing, segments
from argosy.ports.prediction_log import LogCounts, Prediction, ServedRelease

SYNC_SECONDS = 1.0
ROTATE_BYTES = 64 * 2**20
ROTATE_SECONDS = 3600.0
_log = logging.getLogger("argosy.predictions")
CAPACITY = 50_000
"""Records in the queue: about ten seconds of a server at full load."""


class SegmentLog:
    """See :class:`argosy.ports.prediction_log.PredictionLog`."""

    def __init__(
        self,
        uri: str,
        served: ServedRelease,
        features: Sequence[tuple[str, str]],
        *,
        capacity: int = CAPACITY,
        rotate_bytes: int = ROTATE_BYTES,
        rotate_seconds: float = ROTATE_SECONDS,
    ) -> None:
        """Log below ``file://`` *uri*. *features*: name and type of each that will be logged.

        Raises Misconfigured where *uri* is no place to write.
        """
        self._place = layout.place(uri, served.model, served.environment)
        self._header = segments.header(served, features)
        self._capacity = capacity
        self._rotate_bytes = rotate_bytes
        self._rotate_seconds = rotate_seconds
        self._queue: deque[Sequence[Prediction]] = deque()
        self._counts = threading.Lock()
        self._pending = 0
        self._written = 0
        self._dropped: dict[str, int] = {}
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._segment: segments.Segment | None = None
        self._began = self._synced = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)
        self._thread.start()

    def append(self, predictions: Sequence[Prediction]) -> None:
        """See :class:`argosy.ports.prediction_log.PredictionLog`."""
        with self._counts:
            if self._closing.is_set():
                self._drop("closed", len(predictions))
                return
            if self._pending + len(predictions) > self._capacity:
                self._drop("queue-full", len(predictions))
                return
            self._pending += len(predictions)
            self._queue.append(predictions)
        self._wake.set()

    def standing(self) -> LogCounts:
        """See :class:`argosy.ports.prediction_log.PredictionLog`."""
        with self._counts:
            dropped: Mapping[str, int] = dict(self._dropped)
            return LogCounts(self._pending, self._written, dropped)

    def close(self, patience: float = 10.0) -> None:
        """Write what is pending, seal the segment and stop; gives up after *patience* seconds, because a disk may hang for ever."""
        with self._counts:
            self._closing.set()
        self._wake.set()
        self._thread.join(patience)

    def _run(self) -> None:
        sealing.seal_abandoned(self._place)
        while True:
            self._wake.wait(SYNC_SECONDS)
            closing = self._closing.is_set()
            self._wake.clear()
            self._write_pending()
            self._keep_up(closing=closing)
            if closing:
                return

    def _write_pending(self) -> None:
        batch = self._taken()
        if not batch:
            return
        try:
            if self._segment is None:
                self._segment = segments.Segment(self._place, self._header)
                self._began = time.monotonic()
            self._segment.append(batch)
        except OSError as error:
            self._settle(len(batch), reason=f"disk: {error.strerror}")
        else:
            self._settle(len(batch), reason=None)

    def _taken(self) -> list[Prediction]:
        batch: list[Prediction] = []
        while self._queue:
            batch.extend(self._queue.popleft())
        return batch

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
        """Flush once a second; seal a segment that is full, old, or the last."""
        segment, now = self._segment, time.monotonic()
        if segment is None:
            return
        done = closing or segment.size >= self._rotate_bytes or now - self._began >= self._rotate_seconds
        if not done and now - self._synced < SYNC_SECONDS:
            return
        self._synced = now
        try:
            segment.sync()
        except OSError:
            # The bytes are with the operating system; whether the disk got them is known again after the next flush.
            return
        if done:
            self._segment = None
            segment.close()
            sealing.seal_abandoned(self._place)
