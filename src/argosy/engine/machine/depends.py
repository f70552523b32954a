"""When a task of a DAG may run: ``dependencies`` and ``depends``, from text to answer."""

import re
from collections.abc import Mapping
from typing import Any

from argosy.engine.expressions import expr
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.nodes import Json, Node, Phase

_TERM = re.compile(r"(?P<result>[a-zA-Z0-9][-a-zA-Z0-9]*?\.[A-Z][a-zA-Z]+)|(?P<task>[a-zA-Z0-9][-a-zA-Z0-9]*)")

OVER_ITEMS = frozenset({"AnySucceeded", "AllFailed"})
RESULTS = frozenset({"Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned"}) | OVER_ITEMS


def logic_of(task: Mapping[str, Any], tasks: Mapping[str, Json]) -> str:
    """The condition of *task* with every bare task name spelled out. Empty where it waits for nothing."""
    if not task.get("depends"):
        return " && ".join(_spelled_out(name, tasks.get(name, {})) for name in task.get("dependencies") or [])
    return _TERM.sub(
        lambda term: term[0] if term["result"] else _spelled_out(term[0], tasks.get(term[0], {})), task["depends"]
    )


def terms_of(task: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """The tasks that *task* waits for, in order, each with the result it asks for (None: a bare name)."""
    if not task.get("depends"):
        return [(name, None) for name in task.get("dependencies") or []]
    terms = [term[0].partition(".") for term in _TERM.finditer(task["depends"])]
    return [(name, result or None) for name, _, result in terms]


def names_of(task: Mapping[str, Any]) -> list[str]:
    """The tasks that *task* waits for, once each."""
    return list(dict.fromkeys(name for name, _ in terms_of(task)))


def allows(logic: str, finished: Mapping[str, tuple[Node, list[Node]]]) -> bool:
    """Whether *logic* lets a task run, given its *finished* dependencies, each with its loop's nodes.

    Raises ExpressionError where the condition cannot be evaluated.
    """
    environment = {name.replace("-", "_"): _results(node, items) for name, (node, items) in finished.items()}
    answer = expr.evaluate(logic.replace("-", "_"), environment)
    if not isinstance(answer, bool):
        raise ExpressionError(f"depends {logic!r} is {answer!r}, not true or false")
    return answer


def _results(node: Node, items: list[Node]) -> dict[str, bool]:
    return {
        "Succeeded": node.phase is Phase.SUCCEEDED,
        "Failed": node.phase is Phase.FAILED,
        "Errored": node.phase is Phase.ERROR,
        "Skipped": node.phase is Phase.SKIPPED,
        "Omitted": node.phase is Phase.OMITTED,
        "Daemoned": node.daemoned,
        "AnySucceeded": any(item.phase is Phase.SUCCEEDED for item in items),
        "AllFailed": bool(items) and all(item.phase is Phase.FAILED for item in items),
    }


def _spelled_out(name: str, task: Mapping[str, Any]) -> str:
    goes_on = task.get("continueOn") or {}
    results = ["Succeeded", "Skipped", "Daemoned"]
    results += ["Errored"] if goes_on.get("error") else []
    results += ["Failed"] if goes_on.get("failed") else []
    return "(" + " || ".join(f"{name}.{result}" for result in results) + ")"
