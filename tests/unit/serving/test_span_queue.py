"""Spans on their way to a collector that is slow, gone, or there."""

import logging

import pytest

from argosy.domain.trace_context import TraceContext, TraceSampler
from argosy.serving.span_queue import RecordedRequest, RequestStage, SpanLimits
from kit.span_collector import MemorySpans

SLOW = 3_600.0


def request(number: int = 1, stages: int = 2) -> RecordedRequest:
    """A request that took a millisecond."""
    made = [RequestStage(f"stage {each}", 10, 20, {}) for each in range(stages)]
    return RecordedRequest(TraceContext(number, 5), 9, "POST /predict", 0, 1_000_000, {"a": 1}, made, None)


def test_a_request_is_a_span_with_its_stages_inside() -> None:
    """Of one trace, each stage a part of the request, which is a part of what the caller does."""
    collector = MemorySpans()
    queue = collector.queue()
    queue.put(request())
    queue.close()
    whole, *stages = collector.spans
    assert (whole.trace_id, whole.span_id, whole.parent_id, whole.kind) == (1, 5, 9, "server")
    assert [(each.trace_id, each.parent_id, each.name) for each in stages] == [(1, 5, "stage 0"), (1, 5, "stage 1")]
    assert len({each.span_id for each in collector.spans}) == 3
    assert whole.ended - whole.began == 1_000_000
    assert collector.closed


def test_a_full_queue_drops_spans_and_counts_them() -> None:
    """Whoever puts one there never waits for the collector."""
    collector = MemorySpans()
    collector.gate.clear()
    queue = collector.queue(SpanLimits(waiting=6, together=3, delay_seconds=SLOW))
    queue.put(request())
    assert collector.asked.wait(30)  # these are being sent, and nothing waits
    for number in range(4):
        queue.put(request(number))
    assert collector.counts == {"dropped": 6}
    collector.gate.set()
    queue.close()
    assert collector.counts == {"dropped": 6, "exported": 9}


def test_a_collector_that_is_gone_is_said_once_and_its_spans_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    """And again once it was back in between."""
    collector = MemorySpans()
    queue = collector.queue(SpanLimits(together=3, delay_seconds=SLOW))
    with caplog.at_level(logging.WARNING, "argosy.serving"):
        for refuses in (True, True, False, True):
            collector.refuses = refuses
            queue._send(list(request().spans(0)))
        queue.close()
    assert collector.counts == {"failed": 9, "exported": 3}
    assert [record.message for record in caplog.records] == [
        "the collector takes no spans, and requests are answered as before: nobody listens"
    ] * 2


def test_closing_does_not_wait_for_a_collector_that_hangs() -> None:
    """What could not be sent counts as dropped, and so does what comes later."""
    collector = MemorySpans()
    collector.gate.clear()
    queue = collector.queue(SpanLimits(together=3, delay_seconds=SLOW))
    queue.put(request())
    assert collector.asked.wait(30)
    queue.close(0.0)
    queue.put(request())
    assert collector.counts["dropped"] == 3
    assert TraceSampler().samples(1, None)
