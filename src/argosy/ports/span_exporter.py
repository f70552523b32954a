"""The port of spans: what a request or a step took, told to whoever collects traces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

SpanKind = Literal["server", "internal"]


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """A stretch of time in a trace."""

    trace_id: int
    span_id: int
    parent_id: int | None
    """The span that this one is a part of; None where it is the first of its trace."""
    name: str
    began: int
    """In nanoseconds since 1970, as the end."""
    ended: int
    kind: SpanKind = "internal"
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    state: str = ""
    """The members of ``tracestate``."""
    failed: str | None = None
    """Why it is a failure; None where it is none."""


class SpanExporter(Protocol):
    """Sends spans to one collector."""

    def export(self, spans: Sequence[TraceSpan]) -> None:
        """Send *spans*, together. May take seconds. Raises TryAgain where the collector does not take them; they are lost then."""

    def close(self) -> None:
        """Break off what is being sent, from another thread too, and send nothing more."""
