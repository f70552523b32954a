"""W3C Trace Context and samplers, held against OpenTelemetry's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import context, trace
from opentelemetry.sdk.trace import sampling
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from argosy import errors
from argosy.domain import trace_context
from argosy.domain.trace_context import TraceContext, TraceSampler

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def test_a_caller_is_understood() -> None:
    """The trace, the caller's span, its decision and what others put into the state."""
    assert trace_context.read([PARENT], ["rojo=1, congo=t61 ", "dd=s:1"]) == TraceContext(
        int(TRACE, 16), int(SPAN, 16), 1, "rojo=1,congo=t61,dd=s:1"
    )
    assert trace_context.read([PARENT]).parent == PARENT  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "parents",
    [
        pytest.param([], id="none"),
        pytest.param([PARENT, PARENT], id="twice"),
        pytest.param([f"00-{'0' * 32}-{SPAN}-01"], id="no-trace"),
        pytest.param([f"00-{TRACE}-{'0' * 16}-01"], id="no-span"),
        pytest.param([f"ff-{TRACE}-{SPAN}-01"], id="no-version"),
        pytest.param([f"{PARENT}-more"], id="more-than-the-version-has"),
        pytest.param([PARENT.upper()], id="upper-case"),
        pytest.param([PARENT[:-1]], id="short"),
        pytest.param([PARENT.replace("0af7", "\u0660af7")], id="other-digits"),
        pytest.param([f"{PARENT}\nx"], id="another-line"),
    ],
)
def test_what_is_not_well_formed_is_absent(parents: list[str]) -> None:
    """A new trace begins then."""
    assert trace_context.read(parents) is None


def test_a_later_version_may_say_more() -> None:
    """As the specification has it: its first four fields are read."""
    assert trace_context.read([f"cc-{TRACE}-{SPAN}-01-what-will-be"]) == TraceContext(int(TRACE, 16), int(SPAN, 16))


@pytest.mark.parametrize(
    "states",
    [
        pytest.param(["no member"], id="no-pair"),
        pytest.param(["a=1,a=2"], id="a-key-twice"),
        pytest.param([",".join(f"k{n}=v" for n in range(33))], id="too-many"),
        pytest.param(["a=" + "x" * 600], id="too-long"),
        pytest.param(["A=1"], id="upper-case"),
        pytest.param(["a=\x07"], id="unprintable"),
    ],
)
def test_a_state_that_is_not_well_formed_goes_and_the_trace_stays(states: list[str]) -> None:
    """The header that callers write is not passed on then, and nothing else is lost."""
    found = trace_context.read([PARENT], states)
    assert found is not None
    assert found.state == ""


HEX = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(HEX, HEX, st.sampled_from(["00", "01", "03", "cc", "ff"]), st.sampled_from(["00", "01", "02", "03"]))
def test_callers_are_read_as_opentelemetry_reads_them(first: str, second: str, version: str, flags: str) -> None:
    """The trace, the span and whether it is recorded."""
    header = f"{version}-{first}-{second[:16]}-{flags}"
    theirs = trace.get_current_span(
        TraceContextTextMapPropagator().extract({"traceparent": header}, context.Context())
    ).get_span_context()
    ours = trace_context.read([header])
    assert (ours is not None) == theirs.is_valid
    if ours is not None:
        assert (ours.trace_id, ours.span_id, ours.sampled) == (
            theirs.trace_id,
            theirs.span_id,
            theirs.trace_flags.sampled,
        )


@given(HEX, st.sampled_from([0.0, 0.001, 0.25, 0.5, 1.0]))
def test_the_ratio_takes_the_traces_that_opentelemetry_takes(trace_id: str, ratio: float) -> None:
    """Processes of one trace agree, whoever wrote them."""
    number = int(trace_id, 16)
    theirs = sampling.TraceIdRatioBased(ratio).should_sample(None, number, "x").decision.is_sampled()
    assert TraceSampler(ratio).samples(number, None) == theirs


def test_a_caller_decides_where_it_is_followed() -> None:
    """And not where it is not."""
    on, off = TraceContext(1, 1), TraceContext(1, 1, flags=0)
    follows, alone = trace_context.sampler("parentbased_always_off", ""), trace_context.sampler("always_off", "")
    assert (follows.samples(1, on), follows.samples(1, off), follows.samples(1, None)) == (True, False, False)
    assert (alone.samples(1, on), trace_context.sampler("always_on", "").samples(1, off)) == (False, True)
    assert trace_context.sampler("parentbased_traceidratio", "0.25") == TraceSampler(0.25)


@pytest.mark.parametrize(
    ("name", "argument", "says"),
    [
        pytest.param("jaeger_remote", "", "OTEL_TRACES_SAMPLER is 'jaeger_remote'.*always_on", id="name"),
        pytest.param("traceidratio", "10%", "OTEL_TRACES_SAMPLER_ARG is '10%'.*0 to 1", id="no-number"),
        pytest.param("traceidratio", "nan", "0 to 1", id="nan"),
        pytest.param("traceidratio", "2", "0 to 1", id="above-one"),
    ],
)
def test_a_sampler_that_there_is_not_is_said(name: str, argument: str, says: str) -> None:
    """With the name of the variable and what it may be."""
    with pytest.raises(errors.Misconfigured, match=says):
        trace_context.sampler(name, argument)
