"""Argo's rules for the shape of a DAG: dependencies that exist, no cycles, conditions it can read."""

from collections.abc import Mapping

from argosy.engine.manifest import depends
from argosy.engine.manifest.model import Task
from argosy.engine.validation.refusals import Refusal


def check(tasks: list[Task], target: str) -> dict[str, list[str]]:
    """Raise Refusal where *tasks* do not form a DAG. Returns the names of each task's ancestors."""
    by_name = {task.name: task for task in tasks}
    uses_depends = any(task.depends for task in tasks)
    for position, task in enumerate(tasks):
        _check_words(task, f"[{position}]", uses_depends=uses_depends)
        _check_terms(task, by_name, f"[{position}]")
    ancestors = ancestors_of({name: depends.names_of(task) for name, task in by_name.items()})
    for name in target.split(" ") if target and "{{" not in target else []:
        if name not in by_name:
            raise Refusal("target", f"{name!r} is not a task")
    return ancestors


def _check_words(task: Task, where: str, *, uses_depends: bool) -> None:
    if (task.depends or task.dependencies or uses_depends) and task.name[0].isdigit():
        raise Refusal(
            f"{where}.name", f"{task.name!r} cannot begin with a digit where depends or dependencies are used"
        )
    if uses_depends and task.dependencies:
        raise Refusal(f"{where}.dependencies", "cannot be used in a DAG that uses depends")
    if uses_depends and task.continue_on.written:
        raise Refusal(
            f"{where}.continueOn", "cannot be used in a DAG that uses depends; write task.Failed or task.Errored there"
        )


def _check_terms(task: Task, by_name: dict[str, Task], where: str) -> None:
    field = "depends" if task.depends else "dependencies"
    for name, result in depends.terms_of(task):
        if name not in by_name:
            raise Refusal(f"{where}.{field}", f"{name!r} is not a task")
        if result is not None and result not in depends.RESULTS:
            raise Refusal(
                f"{where}.{field}", f"{result!r} is not a task result; there are {', '.join(sorted(depends.RESULTS))}"
            )
        if result in depends.OVER_ITEMS and not by_name[name].is_loop:
            raise Refusal(f"{where}.{field}", f"{name}.{result} speaks of items, and {name!r} has none")


def ancestors_of(needs: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The ancestors of each task, given those that it *needs* itself. Raises Refusal where a task is its own."""
    found: dict[str, dict[str, None]] = {}
    for start in needs:
        path: list[tuple[str, list[str]]] = [(start, list(needs[start]))]
        while path:
            name, left = path[-1]
            if not left:
                found[name] = {need: None for own in needs[name] for need in (*found[own], own)}
                path.pop()
                continue
            need = left.pop()
            open_names = [entry[0] for entry in path]
            if need in open_names:
                cycle = "->".join([*open_names[open_names.index(need) :], need])
                raise Refusal("", f"dependency cycle: {cycle}")
            if need not in found:
                path.append((need, list(needs[need])))
    return {name: list(ancestors) for name, ancestors in found.items()}
