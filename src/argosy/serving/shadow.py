"""A shadow: a second version that is asked what the served one was asked, whose answers are compared, logged and never returned.

A request is only handed over here, which takes microseconds and happens after its answer is known; a thread of its own, which gives
way to the server's own, asks the second model. What waits is bounded in memory. When it is full, or the second model fails, rows are
counted, and nobody who asks the server notices.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from argosy import background
from argosy.ml.predictor import Predictions, UndefinedPrediction
from argosy.serving import second_series
from argosy.serving.arm import Arm
from argosy.serving.assignment import Assignment
from argosy.serving.request_columns import RequestColumns
from argosy.serving.second_series import SecondSeries

BACKLOG_BYTES = 32 * 2**20
"""What waits may hold about this much memory."""
GATHER_SECONDS = 0.02
"""For company: one call for the requests of a moment costs the server's own thread far fewer turns than one for each."""
MOST_TOGETHER = 1_000
"""Rows of one call: a longer one would hold more memory, and be no faster."""
_CELL_BYTES = 64
_log = logging.getLogger("argosy.serving")


@dataclass(frozen=True, slots=True)
class _Copy:
    """A request that was answered."""

    request_id: str
    asked: RequestColumns
    values: Predictions
    """What the served version answered."""
    decisions: Sequence[str] | None
    size: int


class Shadow:
    """Asks one second version, in a thread of its own."""

    def __init__(self, arm: Arm, share: float, series: SecondSeries, *, backlog_bytes: int = BACKLOG_BYTES) -> None:
        """*share*: of the requests, from 0 to 1; which ones, their ids say, so that every replica takes the same."""
        self.arm = arm
        self._sampled = None if share >= 1 else Assignment(share, f"shadow {arm.served.digest}")
        self._series = series
        self._room = backlog_bytes
        self._queue: deque[_Copy] = deque()
        self._held = 0
        self._rows = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._told = False
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._thread.start()

    def offer(
        self, asked: RequestColumns, request_id: str, values: Predictions, decisions: Sequence[str] | None
    ) -> None:
        """Take a copy of a request, which the served version answered with *values* and *decisions*. Returns at once and never raises."""
        if self._sampled is not None and not self._sampled.takes(request_id):
            return
        copy = _Copy(request_id, asked, values, decisions, _size(asked))
        with self._lock:
            if self._closing.is_set():
                self._series.dropped(second_series.STOPPED, asked.count)
                return
            if self._held + copy.size > self._room:
                self._series.dropped(second_series.BACKLOG_FULL, asked.count)
                return
            self._held += copy.size
            self._rows += asked.count
            self._series.waiting(self._rows)
            self._queue.append(copy)
        if not self._wake.is_set():
            self._wake.set()

    def close(self, patience: float = 5.0) -> None:
        """Answer what waits, for *patience* seconds at most, and stop; what is left counts as dropped."""
        with self._lock:
            self._closing.set()
        self._wake.set()
        self._thread.join(patience)
        with self._lock:
            while self._queue:
                self._series.dropped(second_series.STOPPED, self._queue.popleft().asked.count)
        self.arm.close()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            closing = self._closing.wait(GATHER_SECONDS)
            self._wake.clear()
            while batch := self._batch():
                self._answer(batch)
            if closing:
                return

    def _batch(self) -> list[_Copy]:
        """Requests that are asked together; none where none wait."""
        taken: list[_Copy] = []
        with self._lock:
            rows = 0
            while self._queue and (not taken or rows + self._queue[0].asked.count <= MOST_TOGETHER):
                taken.append(self._queue.popleft())
                rows += taken[-1].asked.count
            self._held -= sum(copy.size for copy in taken)
            self._rows -= rows
            self._series.waiting(self._rows)
        return taken

    def _answer(self, batch: Sequence[_Copy]) -> None:
        try:
            own, values = self._asked(batch)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the second version is no business of who asks the first
            if len(batch) == 1:
                self._failed(batch[0], error)
                return
            for copy in batch:  # one request must not cost the others their answers
                self._answer([copy])
            return
        begin = 0
        for copy, each in zip(batch, own, strict=True):
            self._settle(copy, each, values[begin : begin + each.count])
            begin += each.count

    def _asked(self, batch: Sequence[_Copy]) -> tuple[list[RequestColumns], Predictions]:
        own = [self._own(copy) for copy in batch]
        matrix = np.concatenate([self.arm.matrix(each) for each in own])
        began = time.perf_counter()
        values = self.arm.predictor.predict_matrix(matrix)
        self._series.answered(values, time.perf_counter() - began)
        return own, values

    def _settle(self, copy: _Copy, own: RequestColumns, values: Predictions) -> None:
        background.give_way()
        try:
            self._compare(copy, values)
            self.arm.record(copy.request_id, own, values)
        except Exception as error:  # noqa: BLE001 - as above: a thread that ends would answer nothing any more
            self._failed(copy, error)

    def _failed(self, copy: _Copy, error: Exception) -> None:
        undefined = isinstance(error, UndefinedPrediction)
        self._series.failed(second_series.UNDEFINED if undefined else second_series.FAILED, copy.asked.count)
        if not self._told:
            self._told = True
            version = self.arm.version
            _log.error("the shadow, version %s, fails; argosy_second_errors_total counts it", version, exc_info=error)

    def _own(self, copy: _Copy) -> RequestColumns:
        background.give_way()
        return self.arm.own(copy.asked)

    def _compare(self, copy: _Copy, values: Predictions) -> None:
        apart = np.abs(values - copy.values)
        differences: list[float] = (apart.max(axis=1) if apart.ndim == 2 else apart).tolist()
        flips = 0
        if copy.decisions is not None:
            decided = self.arm.decided(values) or ()
            flips = sum(ours != theirs for ours, theirs in zip(decided, copy.decisions, strict=True))
        self._series.compared(differences, flips)


def _size(asked: RequestColumns) -> int:
    """About how many bytes *asked* holds. Texts of any length are there only where a value is no level."""
    cells = asked.count * len(asked.features) * _CELL_BYTES
    if asked.matrix is not None:
        return cells
    return cells + sum(len(value) for values in asked.features.values() for value in values if isinstance(value, str))
