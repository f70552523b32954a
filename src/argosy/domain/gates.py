"""Holds measurements against a policy: which gate passed, by how much, and what would have passed.

Pure: numbers in, results out. An undefined measurement never passes. What follows from the results is ``verdicts``' business.
"""

import datetime
import difflib
import math
from collections.abc import Mapping

from argosy.domain.evidence import GateResult
from argosy.domain.policy import Deviation, Limit, Policy

Metrics = Mapping[str, float | None]
PARITY = "serving parity"


def judge(policy: Policy, metrics: Metrics, today: datetime.date) -> list[GateResult]:
    """Every limit and deviation of *policy*, measured. A deviation that has expired gates like a limit."""
    limits = [_limit(limit, metrics) for limit in policy.limits]
    return limits + [_deviation(deviation, metrics, today) for deviation in policy.deviations]


def parity(difference: str | None) -> GateResult:
    """The gate that no policy can leave out: the server answers what training answered, to the last bit."""
    return GateResult(
        gate=PARITY,
        dimension="latency",
        passed=difference is None,
        measured=0.0 if difference is None else 1.0,
        limit="<= 0",
        reason="the server gives the golden rows the answers that training gave" if difference is None else difference,
        would_pass=None if difference is None else "answers equal to the last bit",
    )


def holds(measured: float | None, *, at_least: float | None, at_most: float | None) -> bool:
    """Whether *measured* keeps its bound, on which it may lie."""
    if measured is None or math.isnan(measured):
        return False  # NaN compares false with everything; an undefined metric must not read as a pass
    if at_least is not None and measured < at_least:
        return False
    return at_most is None or measured <= at_most


def _limit(limit: Limit, metrics: Metrics) -> GateResult:
    measured = metrics.get(limit.metric)
    passed = holds(measured, at_least=limit.at_least, at_most=limit.at_most)
    return GateResult(
        gate=limit.metric,
        dimension=limit.dimension,
        passed=passed,
        measured=_defined(measured),
        limit=_words(limit),
        reason=limit.why if passed else _why_not(limit, metrics),
        would_pass=None if passed else _would_pass(limit),
    )


def _deviation(deviation: Deviation, metrics: Metrics, today: datetime.date) -> GateResult:
    measured = metrics.get(deviation.metric)
    expired = today > deviation.expires
    passed = holds(measured, at_least=deviation.at_least, at_most=deviation.at_most)
    accepted = f"accepted until {deviation.expires} by {deviation.owner}: {deviation.reason}"
    ran_out = f"the accepted deviation ran out on {deviation.expires}; {deviation.owner} decides whether it is renewed"
    return GateResult(
        gate=deviation.metric,
        dimension=deviation.metric.partition(".")[0],
        passed=passed,
        measured=_defined(measured),
        limit=_words(deviation),
        reason=ran_out if expired and not passed else accepted,
        would_pass=None if passed else _would_pass(deviation),
        deviation=not expired,
    )


def _why_not(limit: Limit, metrics: Metrics) -> str:
    if limit.metric not in metrics:
        close = difflib.get_close_matches(limit.metric, metrics, n=1)
        return f"nothing was measured under this name{f'; did the policy mean {close[0]!r}?' if close else ''}"
    if _defined(metrics[limit.metric]) is None:
        return "undefined for this data, which never passes"
    return limit.why


def _words(bound: Limit | Deviation) -> str:
    return f">= {bound.at_least:g}" if bound.at_least is not None else f"<= {bound.at_most:g}"


def _would_pass(bound: Limit | Deviation) -> str:
    return (
        f"{bound.metric} of {bound.at_least:g} or more"
        if bound.at_least is not None
        else f"{bound.metric} of {bound.at_most:g} or less"
    )


def _defined(measured: float | None) -> float | None:
    return None if measured is None or math.isnan(measured) else measured
