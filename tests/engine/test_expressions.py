"""What Go answers to a few thousand expressions, conditions and templates, replayed.

``expressions/*.json`` were written by a program on the modules that Argo 4.1.2 pins (expr-lang 1.17.8, sprig 3.3.0,
govaluate, fasttemplate, evilmonkeyinc/jsonpath), calling them as the controller does: each case has a text and a value, or the
error where there was one. Which error is for people to read; that there is one is what a workflow shows.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from argosy.engine.expressions import expr, govaluate, tags, values
from argosy.engine.expressions.errors import ExpressionError, GivenUp

ANSWERS = Path(__file__).parent / "expressions"

DIFFERENT = {
    r"^sprig\.\w*[tT]oDate\(|^date\((\"\w*\"), \1\)": "Go has a year 0, Python's calendar begins with 1",
    r"^(2 \^|9223372036854775807 \*\*) 1\.5$": "the last digit of a power: Go's is computed otherwise than the C library's",
    r"\.123456789Z": "times are kept to the microsecond",
    r"^timezone\(|^len$|^map\(\[\"a\"\], upper\)$": "a function or a time zone is no result",
    r"^sprig\.(unset|mustMerge)\(nil": "a map that is nil is an empty one",
    r"^sprig\.url(Parse|Join)\(": "blanks before an address are dropped, and every part of one must be text",
    r"@\.length-1": "a script in a JSON path is refused",
    r"=~ /C/|@\.category in": "in a filter of a JSON path, Go finds nothing by a pattern or in a list",
}
"""What is deliberately otherwise, and why."""


@pytest.mark.parametrize(
    ("name", "least"),
    [
        pytest.param("expressions", 3000, id="expr-lang"),
        pytest.param("templates", 900, id="tags"),
        pytest.param("conditions", 1200, id="when"),
    ],
)
def test_go_agrees(name: str, least: int) -> None:
    """Every answer is Go's, but those that are named above; and each of those is still different."""
    recorded = json.loads((ANSWERS / f"{name}.json").read_text(encoding="utf-8"))
    cases = recorded["cases"]
    assert len(cases) >= least
    wrong = [case for case in cases if not _agrees(_EVALUATED[name], case, recorded["variables"])]
    unexplained = [case for case in wrong if not _reason(case["text"])]
    assert not unexplained, json.dumps(unexplained[:10], indent=1)
    agreed = {json.dumps(case) for case in cases} - {json.dumps(case) for case in wrong}
    stale = [
        text for text in DIFFERENT if name == "expressions" and not any(re.search(text, one["text"]) for one in wrong)
    ]
    assert not stale, f"no longer different: {stale}; of {len(agreed)} that agree"


@pytest.mark.parametrize("strict", [True, False])
def test_what_never_ends_is_an_error(strict: bool) -> None:
    """Even where what cannot be computed yet stays as it is: an expression that takes too long is never left for later."""
    endless = "{{=len(map(1..1000, {map(1..1000, {# * #})}))}}"
    with pytest.raises(GivenUp, match="takes more than"):
        tags.substitute(endless, {}, strict=strict)


def _reason(text: str) -> str | None:
    return next((reason for pattern, reason in DIFFERENT.items() if re.search(pattern, text)), None)


def _agrees(evaluated: Callable[..., Any], case: Mapping[str, Any], variables: Mapping[str, Any]) -> bool:
    try:
        answer = evaluated(case, variables)
    except ExpressionError:
        return "error" in case
    return "error" not in case and _written(answer) == _written(case["value"])


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _value(case: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
    return json.loads(values.to_json(expr.evaluate(case["text"], variables), html=False))


_EVALUATED: dict[str, Callable[..., Any]] = {
    "expressions": _value,
    "templates": lambda case, variables: tags.substitute(case["text"], variables, strict=case["strict"]),
    "conditions": lambda case, _: govaluate.holds(case["text"]),
}
