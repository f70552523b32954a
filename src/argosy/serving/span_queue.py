"""Requests whose spans wait to be sent: a bounded number, sent by a thread of its own. Where it is full, they are dropped and counted.

Spans are made here and not where requests are answered; a collector that is slow or gone costs nobody an answer.
"""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from argosy import errors
from argosy.domain.trace_context import TraceContext
from argosy.ports.span_exporter import SpanExporter, TraceSpan

OUTCOMES = ("exported", "dropped", "failed")
"""What becomes of spans: sent, no room for them, not taken by the collector."""
_log = logging.getLogger("argosy.serving")


@dataclass(frozen=True, slots=True)
class RequestStage:
    """A stage of a request, by ``time.perf_counter_ns``."""

    name: str
    began: int
    ended: int
    attributes: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request that was answered, by ``time.perf_counter_ns``."""

    context: TraceContext
    caller: int | None
    """The caller's span."""
    name: str
    began: int
    ended: int
    attributes: Mapping[str, str | int]
    stages: Sequence[RequestStage]
    failed: str | None

    def spans(self, offset: int) -> Iterator[TraceSpan]:
        """The span of the request and those of its stages. *offset*: from this clock to that of the world."""
        trace, state = self.context.trace_id, self.context.state
        yield TraceSpan(
            trace,
            self.context.span_id,
            self.caller,
            self.name,
            self.began + offset,
            self.ended + offset,
            "server",
            self.attributes,
            state,
            self.failed,
        )
        for stage in self.stages:
            yield TraceSpan(
                trace,
                new_id(64),
                self.context.span_id,
                stage.name,
                stage.began + offset,
                stage.ended + offset,
                attributes=stage.attributes,
                state=state,
            )


@dataclass(frozen=True)
class SpanLimits:
    """How many wait, how many are sent together, and how soon."""

    waiting: int = 2_048
    together: int = 128
    """Fewer than OpenTelemetry's 512: writing them holds the interpreter, and who asks the server waits for that."""
    delay_seconds: float = 5.0


class SpanQueue:
    """Sends what is put into it by one exporter."""

    def __init__(self, exporter: SpanExporter, limits: SpanLimits, count: Callable[[str, int], None]) -> None:
        """*count* is told how many spans had one of ``OUTCOMES``."""
        self._exporter = exporter
        self._limits = limits
        self._count = count
        self._waiting: deque[RecordedRequest] = deque()
        self._held = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()

    def put(self, request: RecordedRequest) -> None:
        """Take the spans of *request*. Returns at once and never raises."""
        spans = 1 + len(request.stages)
        with self._lock:
            taken = not self._closing and self._held + spans <= self._limits.waiting
            if taken:
                self._held += spans
                self._waiting.append(request)
            due = self._held >= self._limits.together
        if not taken:
            self._count("dropped", spans)
        elif due and not self._wake.is_set():
            self._wake.set()

    def close(self, patience: float = 5.0) -> None:
        """Send what waits, for *patience* seconds at most, and stop; what is left counts as dropped."""
        with self._lock:
            self._closing = True
        self._wake.set()
        self._thread.join(patience)
        self._exporter.close()
        while batch := self._batch():
            self._count("dropped", len(batch))

    def _run(self) -> None:
        while True:
            self._wake.wait(self._limits.delay_seconds)
            self._wake.clear()
            while batch := self._batch():
                self._send(batch)
            if self._closing:
                return

    def _batch(self) -> list[TraceSpan]:
        """Spans that are sent together; none where none wait."""
        offset = time.time_ns() - time.perf_counter_ns()
        spans: list[TraceSpan] = []
        while len(spans) < self._limits.together:
            with self._lock:
                if not self._waiting:
                    break
                request = self._waiting.popleft()
                self._held -= 1 + len(request.stages)
            spans += request.spans(offset)
        return spans

    def _send(self, spans: Sequence[TraceSpan]) -> None:
        try:
            self._exporter.export(spans)
        except errors.TryAgain as error:
            self._failed(spans, str(error))
        except Exception as error:  # noqa: BLE001 - a thread that ends would send nothing any more
            self._failed(spans, repr(error))
        else:
            self._count("exported", len(spans))
            self._failing = False

    def _failed(self, spans: Sequence[TraceSpan], why: str) -> None:
        self._count("failed", len(spans))
        if not self._failing:  # once, however long it lasts
            self._failing = True
            _log.warning("the collector takes no spans, and requests are answered as before: %s", why)


def new_id(bits: int) -> int:
    """A new id of a trace (128 *bits*) or a span (64)."""
    return random.getrandbits(bits) or 1
