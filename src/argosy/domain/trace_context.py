"""Which trace a request belongs to, and whether it is recorded: W3C Trace Context, and the samplers that OpenTelemetry names.

Callers write these headers, so nothing in them is trusted: what is not well formed counts as absent, and a new trace begins.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from argosy import errors

SAMPLED = 1
_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_MEMBER = re.compile(r"[a-z0-9][a-z0-9_*/@-]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]", re.ASCII)
_MOST_MEMBERS, _MOST_STATE = 32, 512
_RATIO_BITS = 2**64


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A span of a trace, as another process is told of it."""

    trace_id: int
    span_id: int
    flags: int = SAMPLED
    state: str = ""
    """The members of ``tracestate``, which belong to others and are passed on."""

    @property
    def sampled(self) -> bool:
        """Whether the trace is recorded."""
        return bool(self.flags & SAMPLED)

    @property
    def parent(self) -> str:
        """As the header ``traceparent`` has it."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{self.flags:02x}"


def read(parents: Sequence[str], states: Sequence[str] = ()) -> TraceContext | None:
    """The caller's span by its headers ``traceparent`` and ``tracestate``; None where there is none or it is not well formed."""
    found = _PARENT.fullmatch(parents[0].strip()) if len(parents) == 1 else None
    if found is None:
        return None
    version, trace, span, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace, 16) or not int(span, 16):
        return None
    return TraceContext(int(trace, 16), int(span, 16), int(flags, 16), _state(states) if states else "")


def _state(states: Sequence[str]) -> str:
    """All members of *states*; nothing where one of them is not well formed."""
    members = [stripped for member in ",".join(states).split(",") if (stripped := member.strip(" \t"))]
    joined = ",".join(members)
    whole = len(members) <= _MOST_MEMBERS and len(joined) <= _MOST_STATE and all(map(_MEMBER.fullmatch, members))
    keys = {member.partition("=")[0] for member in members}
    return joined if whole and len(keys) == len(members) else ""


@dataclass(frozen=True, slots=True)
class TraceSampler:
    """Says which traces are recorded."""

    ratio: float = 1.0
    """Of the traces, those that are recorded; which ones, their ids say, so that every process takes the same."""
    follows: bool = True
    """Whether the decision of a caller, who began the trace, holds."""

    def samples(self, trace_id: int, caller: TraceContext | None) -> bool:
        """Whether what belongs to the trace of *trace_id* is recorded here."""
        if caller is not None and self.follows:
            return caller.sampled
        return trace_id % _RATIO_BITS < round(self.ratio * _RATIO_BITS)


SAMPLERS = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)
"""As OTEL_TRACES_SAMPLER has them."""


def sampler(name: str, argument: str) -> TraceSampler:
    """The sampler that OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG name. Raises Misconfigured where there is none of that name."""
    if name not in SAMPLERS:
        raise errors.Misconfigured(
            f"OTEL_TRACES_SAMPLER is {name!r}, which Argosy does not have; set it to one of {', '.join(SAMPLERS)}"
        )
    kind = name.removeprefix("parentbased_")
    ratio = {"always_on": 1.0, "always_off": 0.0}.get(kind)
    return TraceSampler(_ratio(argument) if ratio is None else ratio, follows=kind != name)


def _ratio(text: str) -> float:
    try:
        ratio = float(text or "1")
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise errors.Misconfigured(
            f"OTEL_TRACES_SAMPLER_ARG is {text!r}; set it to the share of the traces, from 0 to 1"
        )
    return ratio
