"""Holds measurements against a policy: which gate passed, by how much, and what would have passed.

Pure: numbers in, results out. An undefined measurement never passes. What follows from the results is ``verdicts``' business.
"""

import datetime
import difflib
import math
from collections.abc import Iterable, Mapping, Sequence

from argosy.domain import comparison
from argosy.domain.evidence import GateResult
from argosy.domain.overrides import Override
from argosy.domain.policy import Bound, Deviation, Policy

Metrics = Mapping[str, float | None]
PARITY = "serving parity"
SAME_ROWS = "the server gives the golden rows the answers that training gave"
SAME_QUESTIONS = "a bundle that is loaded anew finds and asks for its golden questions what it did when it was made"


def judge(policy: Policy, metrics: Metrics, today: datetime.date) -> list[GateResult]:
    """Every limit and deviation of *policy*, measured. A deviation that has expired gates like a limit."""
    limits = [_result(limit, metrics, limit.why) for limit in policy.limits]
    return limits + [_deviation(deviation, metrics, today) for deviation in policy.deviations]


def parity(difference: str | None, holds: str = SAME_ROWS) -> GateResult:
    """The gate that no policy can leave out: the server answers what training answered, to the last bit. *holds*: what is said then."""
    return GateResult(
        gate=PARITY,
        dimension="latency",
        passed=difference is None,
        measured=0.0 if difference is None else 1.0,
        limit="<= 0",
        reason=holds if difference is None else difference,
        would_pass=None if difference is None else "answers equal to the last bit",
    )


def past(
    results: Iterable[GateResult], overrides: Sequence[Override], model_digest: str, today: datetime.date
) -> list[GateResult]:
    """*results*, those that failed with the override that lets the model with *model_digest* past them, where there is one."""
    return [_past(result, overrides, model_digest, today) for result in results]


def _past(result: GateResult, overrides: Sequence[Override], model_digest: str, today: datetime.date) -> GateResult:
    # A known value is let past, not the absence of one; a comparison that could not be made says in words why.
    if result.passed or result.deviation or (result.measured is None and not comparison.is_compared(result.gate)):
        return result
    fitting = (one for one in overrides if one.gate == result.gate and one.counts(model_digest, today))
    return result.model_copy(update={"override": next(fitting, None)})


def holds(measured: float | None, *, at_least: float | None, at_most: float | None) -> bool:
    """True where *measured* keeps its bound, on which it may lie."""
    if measured is None or not math.isfinite(measured):
        return False
    # Asked so that a comparison with NaN, which is always false, can only fail a gate.
    return (at_least is None or measured >= at_least) and (at_most is None or measured <= at_most)


def _deviation(deviation: Deviation, metrics: Metrics, today: datetime.date) -> GateResult:
    result = _result(deviation, metrics, f"accepted until {deviation.expires} by {deviation.owner}: {deviation.reason}")
    if result.passed:
        return result.model_copy(update={"reason": "holds; the deviation that was accepted is not needed"})
    if result.measured is None:
        return result  # A known value was accepted, not the absence of one: this gates.
    if today > deviation.expires:
        ran_out = (
            f"the accepted deviation ran out on {deviation.expires}; {deviation.owner} decides whether it is renewed"
        )
        return result.model_copy(update={"reason": ran_out})
    return result.model_copy(update={"deviation": True})


def _result(bound: Bound, metrics: Metrics, reason: str) -> GateResult:
    measured = metrics.get(bound.metric)
    passed = holds(measured, at_least=bound.at_least, at_most=bound.at_most)
    return GateResult(
        gate=bound.metric,
        dimension=bound.dimension,
        passed=passed,
        measured=_defined(measured),
        limit=_words(bound),
        reason=_why_undefined(bound.metric, metrics) or reason,
        would_pass=None if passed else _would_pass(bound),
    )


def _why_undefined(metric: str, metrics: Metrics) -> str | None:
    if metric not in metrics:
        close = difflib.get_close_matches(metric, metrics, n=1)
        return f"nothing was measured under this name{f'; did the policy mean {close[0]!r}?' if close else ''}"
    if _defined(metrics[metric]) is None:
        return "undefined for this data, which never passes"
    return None


def _words(bound: Bound) -> str:
    return f">= {bound.at_least:.10g}" if bound.at_least is not None else f"<= {bound.at_most:.10g}"


def _would_pass(bound: Bound) -> str:
    if bound.at_least is not None:
        return f"{bound.metric} of {bound.at_least:.10g} or more"
    return f"{bound.metric} of {bound.at_most:.10g} or less"


def _defined(measured: float | None) -> float | None:
    return measured if measured is not None and math.isfinite(measured) else None
