"""A DAG template: each task starts when those it depends on have ended as it asks.

Follows the controller's ``dag.go``, but is told of each end instead of looking at all tasks again: a task costs the same however many there
are.
"""

from collections.abc import Iterable

from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import admission, calls, dependencies, exits, loops, references, results, scopes
from argosy.engine.machine.calls import Call
from argosy.engine.machine.core import Machine
from argosy.engine.manifest import depends
from argosy.engine.nodes import Json, Node, NodeType, Phase


def carry_out(machine: Machine, call: Call, template: Json) -> None:
    """The body of a DAG template."""
    Dag(machine, call, template).start()


class Dag:
    """One call of a DAG template while it runs."""

    def __init__(self, machine: Machine, call: Call, template: Json) -> None:
        self._machine = machine
        self._call = call
        self._template = template
        self._tasks: dict[str, Json] = {task["name"]: task for task in template["dag"]["tasks"]}
        self._logic = {name: depends.logic_of(task, self._tasks) for name, task in self._tasks.items()}
        self._needs = {name: depends.names_of(task) for name, task in self._tasks.items()}
        self._targets = self._target_names()
        self._open = self._needed_for(self._targets)
        self._waits_for = {name: set(self._needs[name]) for name in self._open}
        self._dependents: dict[str, list[str]] = {name: [] for name in self._tasks}
        for name in self._open:
            for need in self._needs[name]:
                self._dependents[need].append(name)
        self._ended: dict[str, Node] = {}
        self._items: dict[str, list[Node]] = {}
        self._facts: dict[str, scopes.Scope] = {}
        self._inputs = scopes.inputs(template)
        self._unreadable = ""
        """Why the results of a loop are no list, where they are none."""

    def start(self) -> None:
        """Start every task that waits for nothing."""
        self._node = self._machine.create(self._call, NodeType.DAG, Phase.RUNNING)
        self._machine.admission.limit(self._node.name, self._template, self._give_up)
        for name in [name for name in self._open if not self._waits_for[name]]:
            self._start_task(name)
        self._end_if_done()

    def _target_names(self) -> list[str]:
        if target := self._template["dag"].get("target"):
            return str(target).split(" ")
        waited_for = {need for needs in self._needs.values() for need in needs}
        return sorted(name for name in self._tasks if name not in waited_for)

    def _needed_for(self, targets: list[str]) -> dict[str, None]:
        """The tasks that run, in the manifest's order."""
        needed: set[str] = set()
        pending = list(targets)
        while pending:
            name = pending.pop()
            if name not in needed:
                needed.add(name)
                pending.extend(self._needs[name])
        return {name: None for name in self._tasks if name in needed}

    # One task

    def _start_task(self, name: str) -> None:
        try:
            self._start_allowed(name)
        except (ExpressionError, calls.CallError, loops.LoopError, ValueError) as error:
            self._never_runs(name, Phase.ERROR, str(error))

    def _start_allowed(self, name: str) -> None:
        finished = {need: (self._ended[need], self._items.get(need, [])) for need in self._needs[name]}
        if finished and not dependencies.allows(self._logic[name], finished):
            self._never_runs(name, Phase.OMITTED, "omitted: depends condition not met")
            return
        scope = self._scope(name) if references.refers(self._tasks[name]) else {}
        task, runs = references.resolved(self._tasks[name], scope)
        if not runs:
            self._skip(name, task)
        elif loops.is_loop(self._tasks[name]):
            self._start_loop(name, loops.expand(task, scope))
        else:
            self._call_task(task, self._node.name, lambda node: self._task_ended(name, node))

    def _skip(self, name: str, task: Json) -> None:
        """``when`` is false before the loop is expanded: a loop's items are each skipped, anything else is by itself."""
        if loops.is_loop(self._tasks[name]):
            self._start_loop(name, loops.expand(task, self._scope(name)))
        else:
            self._never_runs(name, Phase.SKIPPED, f"when '{task['when']}' evaluated false")

    def _start_loop(self, name: str, tasks: list[Json]) -> None:
        if not tasks:
            self._never_runs(name, Phase.SKIPPED, "Skipped, empty params")
            return
        loop = Loop(self._machine, self._name_of(name), self._tasks[name], self._node.name, len(tasks))
        loop.done = lambda node: self._loop_ended(name, node, loop.items())
        for index, task in enumerate(tasks):
            if loops_apart := self._refused_item(task):
                phase, message = loops_apart
                node = self._skipped_node(self._name_of(task["name"]), task, phase, message, loop.node.name)
                loop.item_ended(index, node)
            else:
                self._call_task(task, loop.node.name, lambda node, index=index: loop.item_ended(index, node))  # type: ignore[misc]

    def _refused_item(self, task: Json) -> tuple[Phase, str] | None:
        try:
            runs = not task.get("when") or exits.holds(task["when"])
        except ExpressionError as error:
            return Phase.ERROR, str(error)
        return None if runs else (Phase.SKIPPED, f"when '{task['when']}' evaluated false")

    def _call_task(self, task: Json, parent: str, done: calls.Done) -> None:
        name = self._name_of(task["name"])
        own = self._tasks[task["name"].partition("(")[0]]
        hooks = exits.Hooks(self._machine, own, "tasks", self._call, lambda: self._scope(own["name"]))
        self._machine.begin(
            Call(
                name=name,
                holder=task,
                owner=self._call.owner,
                done=lambda node: hooks.after(node, done),
                arguments=task.get("arguments") or {},
                boundary=self._node.name,
                parent=parent,
                extra={"tasks.name": task["name"]},
                on_exit=self._call.on_exit,
                depth=self._call.depth + 1,
                keeps_result=results.is_referred_to(self._template, "tasks", own["name"]),
            )
        )
        hooks.watch(name)

    def _never_runs(self, name: str, phase: Phase, message: str) -> None:
        node = self._skipped_node(self._name_of(name), self._tasks[name], phase, message, self._node.name)
        self._machine.post(lambda: self._task_ended(name, node))

    def _skipped_node(self, name: str, task: Json, phase: Phase, message: str, parent: str) -> Node:
        known = self._machine.nodes.get(name)
        if known is not None and known.fulfilled:
            return known
        node = self._machine.add(
            name,
            NodeType.SKIPPED,
            phase,
            template=task.get("template") or "",
            boundary=self._node.name,
            parent=parent,
            message=message,
        )
        node.finished = node.started
        node.ends = [Phase.ERROR] if phase is Phase.ERROR else []
        return node

    # What ends

    def _loop_ended(self, name: str, node: Node, items: list[Node]) -> None:
        self._items[name] = items
        hooks = exits.Hooks(self._machine, self._tasks[name], "tasks", self._call, lambda: self._scope(name))
        hooks.after(node, lambda ended: self._task_ended(name, ended))

    def _task_ended(self, name: str, node: Node) -> None:
        if self._node.fulfilled or name in self._ended:
            return
        self._ended[name] = node
        if not node.phase.completed and not node.ends:
            node.ends = self._inherited(name)
        for dependent in self._dependents[name]:
            waiting = self._waits_for[dependent]
            waiting.discard(name)
            if not waiting and dependent not in self._ended:
                self._start_task(dependent)
        self._end_if_done()

    def _inherited(self, name: str) -> list[str]:
        """The phases that a task which never ran takes over from those before it."""
        ends = [end for need in self._needs[name] for end in self._ended[need].ends]
        return list(dict.fromkeys(ends)) or [Phase.SUCCEEDED]

    def _end_if_done(self) -> None:
        if len(self._ended) < len(self._open) or self._node.fulfilled:
            return
        if self._unreadable:
            self._finish_impossible(self._unreadable)
            return
        phase = self._phase()
        if phase.unsuccessful:
            self._finish(phase)
            return
        try:
            scope = {**self._inputs, **self._machine.variables}
            for name in self._ended:
                scope |= self._facts_of(name)
            outputs = references.declared_outputs(self._template.get("outputs") or {}, scope)
        except (ExpressionError, ValueError) as error:
            self._finish_impossible(str(error))
            return
        self._machine.export(self._template, outputs)
        self._node.ends = self._ends()
        self._machine.finish(self._call, self._node, Phase.SUCCEEDED, outputs=outputs)

    def _phase(self) -> Phase:
        """The DAG's phase by its targets': a failed one decides, unless the target says to go on."""
        fail_fast = self._template["dag"].get("failFast") is not False
        phase = Phase.SUCCEEDED
        for name in self._targets:
            branch = _worst(self._ended[name].ends)
            goes_on = self._tasks[name].get("continueOn") or {}
            if not branch.unsuccessful or goes_on.get("failed" if branch is Phase.FAILED else "error"):
                continue
            phase = branch
            if fail_fast:
                break
        return phase

    def _ends(self) -> list[str]:
        ends = [end for name in self._targets for end in self._ended[name].ends]
        return list(dict.fromkeys(ends))

    def _give_up(self) -> None:
        self._machine.admission.forget(self._node.name)
        self._finish(Phase.FAILED, admission.GIVEN_UP)

    def _finish_impossible(self, reason: str) -> None:
        """The controller gives up whoever called this DAG, too."""
        self._machine.impossible.add(self._node.name)
        called = "tasks.name" in self._call.extra
        self._finish(Phase.ERROR, f"task '{self._node.name}' errored: {reason}" if called else reason)

    def _finish(self, phase: Phase, message: str = "") -> None:
        self._node.ends = self._ends() if len(self._ended) == len(self._open) else [phase]
        self._machine.finish(self._call, self._node, phase, message)

    # What is in scope

    def _scope(self, name: str) -> scopes.Scope:
        """What task *name* may refer to: the DAG's inputs, the workflow, and the tasks before it."""
        scope: scopes.Scope = {**self._machine.variables, **self._inputs}
        for before in self._before(name):
            scope |= self._facts_of(before)
        return scope

    def _before(self, name: str) -> Iterable[str]:
        seen: dict[str, None] = {}
        pending = list(self._needs[name])
        while pending:
            need = pending.pop()
            if need not in seen:
                seen[need] = None
                pending.extend(self._needs[need])
        return seen

    def _facts_of(self, name: str) -> scopes.Scope:
        if name not in self._facts:
            if name not in self._ended:
                return {}
            node = self._ended[name]
            facts = scopes.of_node("tasks", name, node, self._machine.identity.name)
            if node.type is NodeType.TASK_GROUP:
                facts |= self._collected(name)
            if node.outputs is None and node.phase in (Phase.SKIPPED, Phase.OMITTED):
                facts |= self._absent(name)
            self._facts[name] = facts
        return self._facts[name]

    def _collected(self, name: str) -> scopes.Scope:
        try:
            return scopes.of_loop("tasks", name, self._items.get(name, []))
        except ValueError as error:
            self._unreadable = str(error)
            raise

    def _absent(self, name: str) -> scopes.Scope:
        try:
            template, _ = self._machine.catalogue.resolve(self._tasks[name], self._call.owner)
        except LookupError:
            return {}
        return scopes.of_absent(f"tasks.{name}", template, artifacts=False)

    def _name_of(self, task: str) -> str:
        return f"{self._node.name}.{task}"


class Loop:
    """The group node of a loop, and its items' nodes in order."""

    def __init__(self, machine: Machine, name: str, task: Json, boundary: str, size: int) -> None:
        self.done: calls.Done = lambda _: None
        self.node = machine.add(
            name,
            NodeType.TASK_GROUP,
            Phase.RUNNING,
            template=task.get("template") or "",
            boundary=boundary,
            parent=boundary,
        )
        self._machine = machine
        self._ended: list[Node | None] = [None] * size
        self._left = size

    def items(self) -> list[Node]:
        """The items' nodes, in the loop's order."""
        return [node for node in self._ended if node is not None]

    def item_ended(self, index: int, node: Node) -> None:
        """Take notice of an item's end; the last one ends the loop."""
        self._ended[index] = node
        self._left -= 1
        if self._left == 0:
            self._machine.post(self._end)

    def _end(self) -> None:
        items = self.items()
        phase = next((node.phase for node in reversed(items) if node.phase.unsuccessful), Phase.SUCCEEDED)
        self.node.ends = list(dict.fromkeys(end for node in items for end in node.ends)) or [phase]
        call = Call(name=self.node.name, holder={}, owner=("", ""), done=self.done)
        self._machine.finish(call, self.node, phase)


def _worst(ends: list[str]) -> Phase:
    phases = [Phase(end) for end in ends]
    return next((phase for phase in phases if phase.unsuccessful), Phase.SUCCEEDED)
