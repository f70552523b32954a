"""Whether requests are traced: as the variables say that OpenTelemetry names, which every program of a platform reads.

As its specification has it, what cannot be understood there is said and left aside: who watches a server must not keep it from serving.
"""

import logging
from collections.abc import Callable, Mapping

from argosy import errors, wiring
from argosy.domain import trace_context
from argosy.domain.trace_context import TraceSampler
from argosy.ports.prediction_log import ServedRelease
from argosy.serving.request_spans import RequestSpans
from argosy.serving.span_queue import SpanLimits, SpanQueue

_log = logging.getLogger("argosy.serving")
_DEFAULT = "parentbased_always_on"


def opener(
    given: Mapping[str, str], served: ServedRelease
) -> Callable[[Callable[[str, int], None]], RequestSpans | None]:
    """What opens the traces of the server of *served* by the variables *given*, and is told what counts spans."""
    return lambda count: opened(given, f"argosy-{served.model}", count)


def opened(given: Mapping[str, str], service: str, count: Callable[[str, int], None]) -> RequestSpans | None:
    """The traces of a server called *service*; None where no collector is named, or none can be reached as it is said."""
    try:
        exporter = wiring.span_exporter(given, service)
    except errors.Misconfigured as error:
        _log.warning("requests are not traced: %s", error)
        return None
    if exporter is None:
        return None
    return RequestSpans(_sampler(given), SpanQueue(exporter, limits(given), count))


def _sampler(given: Mapping[str, str]) -> TraceSampler:
    try:
        return trace_context.sampler(
            given.get("OTEL_TRACES_SAMPLER") or _DEFAULT, given.get("OTEL_TRACES_SAMPLER_ARG", "")
        )
    except errors.Misconfigured as error:
        _log.warning("%s; until then all traces are recorded whose callers say nothing else", error)
        return TraceSampler()


def limits(given: Mapping[str, str]) -> SpanLimits:
    """Of the queue, as the variables *given* say."""
    usual = SpanLimits()
    waiting = _number(given, "OTEL_BSP_MAX_QUEUE_SIZE", usual.waiting)
    return SpanLimits(
        waiting,
        min(_number(given, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", usual.together), waiting),
        _number(given, "OTEL_BSP_SCHEDULE_DELAY", round(usual.delay_seconds * 1000)) / 1000,
    )


def _number(given: Mapping[str, str], name: str, usual: int) -> int:
    text = given.get(name) or str(usual)
    if text.isascii() and text.isdecimal() and 0 < int(text) < 2**31:
        return int(text)
    _log.warning("%s is %r, no whole number from 1 on; it is %d", name, text, usual)
    return usual
