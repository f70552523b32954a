"""The dependencies of a DAG's task: ``dependencies`` and ``depends``, as they are written. Whether it may run is the machine's business."""

import re
from collections.abc import Mapping

from argosy.engine.manifest.model import ContinueOn, Task

_TERM = re.compile(r"(?P<result>[a-zA-Z0-9][-a-zA-Z0-9]*?\.[A-Z][a-zA-Z]+)|(?P<task>[a-zA-Z0-9][-a-zA-Z0-9]*)")

OVER_ITEMS = frozenset({"AnySucceeded", "AllFailed"})
RESULTS = frozenset({"Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned"}) | OVER_ITEMS


def logic_of(task: Task, tasks: Mapping[str, Task]) -> str:
    """The condition of *task* with every bare task name spelled out. Empty where it waits for nothing."""
    if not task.depends:
        return " && ".join(_spelled_out(name, tasks) for name in task.dependencies)
    return _TERM.sub(lambda term: term[0] if term["result"] else _spelled_out(term[0], tasks), task.depends)


def terms_of(task: Task) -> list[tuple[str, str | None]]:
    """The tasks that *task* waits for, in order, each with the result it asks for (None: a bare name)."""
    if not task.depends:
        return [(name, None) for name in task.dependencies]
    terms = [term[0].partition(".") for term in _TERM.finditer(task.depends)]
    return [(name, result or None) for name, _, result in terms]


def names_of(task: Task) -> list[str]:
    """The tasks that *task* waits for, once each."""
    return list(dict.fromkeys(name for name, _ in terms_of(task)))


def _spelled_out(name: str, tasks: Mapping[str, Task]) -> str:
    goes_on = tasks[name].continue_on if name in tasks else ContinueOn({})
    results = ["Succeeded", "Skipped", "Daemoned"]
    results += ["Errored"] if goes_on.error else []
    results += ["Failed"] if goes_on.failed else []
    return "(" + " || ".join(f"{name}.{result}" for result in results) + ")"
