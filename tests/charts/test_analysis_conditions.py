"""What the conditions of a canary's analysis come to, as Argo Rollouts evaluates them: of good figures, bad ones, none, and no number."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from argosy.engine.expressions import expr
from argosy.engine.expressions.errors import ExpressionError
from kit.inference_chart import only, parsed, render

Word = Literal["Successful", "Failed", "Inconclusive", "Error"]

GOLDENS = {
    path.stem: text
    for path in sorted((Path(__file__).parent / "golden").glob("*.yaml"))
    if "kind: AnalysisTemplate" in (text := path.read_text(encoding="utf-8"))
}
"""The committed renderings that have an analysis."""
OTHERS: dict[str, dict[str, Any]] = {"proceed": {"analysis": {"undecided": "proceed"}}}
"""Ways to decide that no committed rendering has."""

BAD: Mapping[str, float] = {"answering": 0.0, "requests": 3.0, "predictions": 3.0}
"""A figure that objects, or is too little; of the others a large one is."""
GOOD: Mapping[str, float] = {"answering": 200.0, "requests": 5000.0, "predictions": 5000.0}
"""Of the others a small one is good; below -1 a sequential test goes on."""
ENOUGH = {"requests", "predictions"}
"""Metrics of whether enough came."""


def phase(metric: Mapping[str, Any], result: Sequence[float]) -> Word:
    """The phase of a measurement of *metric* that found *result*: a failure counts before a success; with one condition alone the rest
    is its opposite."""
    conditions = (metric.get("successCondition"), metric.get("failureCondition"))
    environment = {"result": list(result), "isNaN": math.isnan}
    try:
        success, failure = (None if each is None else expr.evaluate(each, environment) for each in conditions)
    except ExpressionError:
        return "Error"
    assert {type(success), type(failure)} <= {bool, type(None)}
    if failure:
        return "Failed"
    if success or success is None:
        return "Successful"
    return "Failed" if failure is None else "Inconclusive"


def metrics_of(case: str) -> list[dict[str, Any]]:
    """The metrics of the analysis rendered for *case*."""
    objects = parsed(GOLDENS[case]) if case in GOLDENS else render(OTHERS[case])
    found: list[dict[str, Any]] = only(objects, "AnalysisTemplate")["spec"]["metrics"]
    return found


@pytest.mark.parametrize("case", [*GOLDENS, *OTHERS])
def test_what_is_no_number_is_never_good(case: str) -> None:
    """Not-a-number fails each metric of each analysis: taken for undecided it would wait for a person, and for good it would go on."""
    metrics = metrics_of(case)
    assert len(metrics) >= 4
    for metric in metrics:
        name = metric["name"]
        assert phase(metric, [math.nan]) == "Failed", name
        assert phase(metric, [GOOD.get(name, -2.0)]) == "Successful", name
        assert phase(metric, [BAD.get(name, math.inf)]) != "Successful", name


@pytest.mark.parametrize("case", [*GOLDENS, *OTHERS])
def test_nothing_measured_goes_on_only_where_enough_is_asked_beside_it(case: str) -> None:
    """An empty answer is no objection of a comparison that asks for a least number itself; what asks whether enough came, and what
    decides by all requests so far, takes nothing for no answer."""
    for metric in metrics_of(case):
        sequential = case in ("answers", "sequential") and metric["name"].startswith(("errors", "answers-"))
        decides = metric["name"] in ENOUGH or sequential
        assert phase(metric, []) == ("Error" if decides else "Successful"), metric["name"]
        if not decides:
            assert ">= " in metric["provider"]["prometheus"]["query"], metric["name"]


@pytest.mark.parametrize(
    ("case", "word"),
    [("canary", "Inconclusive"), ("everything", "Failed"), ("sequential", "Inconclusive"), ("proceed", None)],
)
def test_too_little_is_what_the_values_say(case: str, word: Word | None) -> None:
    """A person is asked, or the canary is given up; or nobody asks whether enough came."""
    asking = [metric for metric in metrics_of(case) if metric["name"] in ENOUGH]
    assert {phase(metric, [3.0]) for metric in asking} == (set() if word is None else {word})
