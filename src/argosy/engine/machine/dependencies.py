"""Dependencies of a DAG's tasks: which run, which waits for which, and whether a task may run now that those it waits for have ended."""

from collections.abc import Iterable, Iterator, Mapping

from argosy.argo import Phase
from argosy.engine.expressions import expr
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.manifest import depends
from argosy.engine.manifest.model import DagTemplate
from argosy.engine.nodes import Node


class Dependencies:
    """Who waits for whom in *dag*."""

    def __init__(self, dag: DagTemplate) -> None:
        tasks = {task.name: task for task in dag.tasks}
        self._logic = {name: depends.logic_of(task, tasks) for name, task in tasks.items()}
        self._needs = {name: depends.names_of(task) for name, task in tasks.items()}
        self.targets = dag.target.split(" ") if dag.target else self._last()
        """The tasks whose ends are the DAG's."""
        needed = {*self.targets, *self._before(self.targets)}
        self.included = [name for name in tasks if name in needed]
        """The tasks that run, in the manifest's order."""
        self._waits_for = {name: set(self._needs[name]) for name in self.included}
        self._dependents: dict[str, list[str]] = {name: [] for name in tasks}
        for name in self.included:
            for need in self._needs[name]:
                self._dependents[need].append(name)

    def of(self, name: str) -> list[str]:
        """The tasks that *name* waits for."""
        return self._needs[name]

    def before(self, name: str) -> Iterable[str]:
        """All tasks that end before *name* starts."""
        return self._before(self._needs[name])

    def first(self) -> list[str]:
        """The tasks that wait for nothing."""
        return [name for name, waited_for in self._waits_for.items() if not waited_for]

    def freed_by(self, name: str) -> Iterator[str]:
        """The tasks that wait for nothing any more once *name* has ended."""
        for dependent in self._dependents[name]:
            self._waits_for[dependent].discard(name)
            if not self._waits_for[dependent]:
                yield dependent

    def allow(self, name: str, ended: Mapping[str, Node], items: Mapping[str, list[Node]]) -> bool:
        """True where *name* runs now that those it waits for have *ended*. *items*: the nodes of their loops. Raises ExpressionError."""
        finished = {need: (ended[need], items.get(need, [])) for need in self._needs[name]}
        return not finished or allows(self._logic[name], finished)

    def _last(self) -> list[str]:
        waited_for = {need for needs in self._needs.values() for need in needs}
        return sorted(name for name in self._needs if name not in waited_for)

    def _before(self, names: Iterable[str]) -> Iterable[str]:
        seen: dict[str, None] = {}
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in seen:
                seen[name] = None
                pending.extend(self._needs[name])
        return seen


def allows(logic: str, finished: Mapping[str, tuple[Node, list[Node]]]) -> bool:
    """True where *logic* lets a task run, given its *finished* dependencies, each with its loop's nodes.

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
