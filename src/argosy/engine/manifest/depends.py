"""What a task of a DAG waits for: ``dependencies`` and ``depends``, as they are written. Whether it may run is the machine's business."""

import re
from collections.abc import Mapping
from typing import Any

from argosy.engine.nodes import Json

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


def _spelled_out(name: str, task: Mapping[str, Any]) -> str:
    goes_on = task.get("continueOn") or {}
    results = ["Succeeded", "Skipped", "Daemoned"]
    results += ["Errored"] if goes_on.get("error") else []
    results += ["Failed"] if goes_on.get("failed") else []
    return "(" + " || ".join(f"{name}.{result}" for result in results) + ")"
