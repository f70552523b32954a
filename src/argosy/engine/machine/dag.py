"""A DAG template: each task starts when those it depends on have ended as it asks.

Follows the controller's ``dag.go``, but is told of each end instead of looking at all tasks again: a task costs the same however many there
are.
"""

from functools import partial

from argosy.argo import NodeType, Phase
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import admission, boundary, scopes
from argosy.engine.machine.boundary import Boundary, Child, Group
from argosy.engine.machine.calls import Call, Done
from argosy.engine.machine.core import Machine
from argosy.engine.machine.dependencies import Dependencies
from argosy.engine.manifest.model import Task, Template
from argosy.engine.nodes import Node


def carry_out(machine: Machine, call: Call, template: Template) -> None:
    """The body of a DAG template."""
    Dag(machine, call, template).start()


class Dag(Boundary):
    """One call of a DAG template while it runs."""

    def __init__(self, machine: Machine, call: Call, template: Template) -> None:
        super().__init__(machine, call, template, NodeType.DAG, "tasks")
        self._tasks = {task.name: task for task in template.dag.tasks}
        self._dependencies = Dependencies(template.dag)
        self._ended: dict[str, Node] = {}
        self._items: dict[str, list[Node]] = {}
        self._facts: dict[str, scopes.Scope] = {}
        self._unreadable = ""
        """The reason why the results of a loop are no list, where they are none."""

    def start(self) -> None:
        """Start every task that waits for nothing."""
        for name in self._dependencies.first():
            self._start_task(name)
        self._end_if_done()

    # One task

    def _start_task(self, name: str) -> None:
        try:
            self._start_allowed(name)
        except boundary.UNFIT as error:
            self._leave_out(name, Phase.ERROR, str(error))

    def _start_allowed(self, name: str) -> None:
        if not self._dependencies.allow(name, self._ended, self._items):
            self._leave_out(name, Phase.OMITTED, "omitted: depends condition not met")
            return
        task = self._tasks[name]
        children = self.children(task)
        if not children:
            self._leave_out(name, Phase.SKIPPED, boundary.EMPTY)
        elif task.is_loop:
            self._start_loop(name, children)
        elif left_out := self._begin(children[0], self.node, partial(self._task_ended, name)):
            self.machine.post(lambda: self._task_ended(name, left_out))

    def _begin(self, child: Child, parent: Node, done: Done) -> Node | None:
        return self.begin(child, self._name_of(child.body.name), parent.name, done)

    def _leave_out(self, name: str, phase: Phase, message: str) -> None:
        node = self.leave_out(self._tasks[name], self._name_of(name), self.node.name, phase, message)
        self.machine.post(lambda: self._task_ended(name, node))

    def _start_loop(self, name: str, children: list[Child]) -> None:
        task = self._tasks[name]
        loop = self.group(self._name_of(name), NodeType.TASK_GROUP, task.template)
        loop.take(children)
        for child in children:
            if left_out := self._begin(child, loop.node, partial(self._item_ended, name, loop, child)):
                self._item_ended(name, loop, child, left_out)

    def _item_ended(self, name: str, loop: Group, child: Child, node: Node) -> None:
        if loop.all_ended(child, node):
            self.machine.post(lambda: self._end_loop(name, loop))

    def _end_loop(self, name: str, loop: Group) -> None:
        self._items[name] = loop.ended()
        call = self.call_of(self._tasks[name], loop.node.name, self.node.name, partial(self._task_ended, name))
        self.hooks_of(self._tasks[name], call)
        phase = next((node.phase for node in reversed(loop.ended()) if node.phase.unsuccessful), Phase.SUCCEEDED)
        loop.node.ends = loop.ends() or [phase]
        self.machine.finish(call, loop.node, phase)

    # What ends

    def _task_ended(self, name: str, node: Node) -> None:
        if self.node.fulfilled or name in self._ended:
            return
        self._ended[name] = node
        if not node.phase.completed and not node.ends:
            node.ends = self._inherited(name)
        for freed in self._dependencies.freed_by(name):
            self._start_task(freed)
        self._end_if_done()

    def _inherited(self, name: str) -> list[str]:
        """The phases that a task which never ran takes over from those before it."""
        ends = [end for need in self._dependencies.of(name) for end in self._ended[need].ends]
        return list(dict.fromkeys(ends)) or [Phase.SUCCEEDED]

    def _end_if_done(self) -> None:
        if len(self._ended) < len(self._dependencies.included) or self.node.fulfilled:
            return
        if self._unreadable:
            self._finish_impossible(self._unreadable)
        elif (phase := self._phase()).unsuccessful:
            self.finish(phase)
        else:
            self._succeed()

    def _succeed(self) -> None:
        try:
            self.succeed(self.scope(map(self._facts_about, self._ended)))
        except (ExpressionError, ValueError) as error:
            self._finish_impossible(str(error))

    def _phase(self) -> Phase:
        """The DAG's phase by its targets': a failed one decides, unless the target says to go on."""
        fail_fast = self.template.dag.fail_fast
        phase = Phase.SUCCEEDED
        for name in self._dependencies.targets:
            branch = _worst(self._ended[name].ends)
            if not branch.unsuccessful or boundary.goes_on(self._tasks[name], branch):
                continue
            phase = branch
            if fail_fast:
                break
        return phase

    def ends(self) -> list[str]:
        """Those of the targets."""
        if len(self._ended) < len(self._dependencies.included):
            return []
        return list(dict.fromkeys(end for name in self._dependencies.targets for end in self._ended[name].ends))

    def give_up(self) -> None:
        """End as failed, whatever still waits."""
        self.machine.admission.forget(self.node.name)
        self.finish(Phase.FAILED, admission.GIVEN_UP)

    def _finish_impossible(self, reason: str) -> None:
        """The controller gives up whoever called this DAG, too."""
        self.machine.impossible.add(self.node.name)
        called = "tasks.name" in self.call.extra
        self.finish(Phase.ERROR, f"task '{self.node.name}' errored: {reason}" if called else reason)

    # What is in scope

    def known_to(self, task: Task, /) -> scopes.Scope:
        """The outputs of the tasks before it, beside what is always known."""
        return self.scope(map(self._facts_about, self._dependencies.before(task.name)))

    def _facts_about(self, name: str) -> scopes.Scope:
        if name not in self._ended:
            return {}
        if name not in self._facts:
            try:
                self._facts[name] = self.facts_of(self._tasks[name], self._ended[name], self._items.get(name))
            except ValueError as error:
                self._unreadable = str(error)
                raise
        return self._facts[name]

    def _name_of(self, task: str) -> str:
        return f"{self.node.name}.{task}"


def _worst(ends: list[str]) -> Phase:
    phases = [Phase(end) for end in ends]
    return next((phase for phase in phases if phase.unsuccessful), Phase.SUCCEEDED)
