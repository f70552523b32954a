"""Tasks of DAG and Steps templates alike: references resolved, loops expanded, ``when`` decided, templates called, their
hooks run, and what came of it told to those after them.

Follows what the controller's ``dag.go`` and ``steps.go`` have in common. Which task starts when, and what their ends make of the whole, is
left to ``dag`` and ``steps``. A task, here, is a step, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from argosy.argo import NodeType, Phase
from argosy.engine.expressions import govaluate
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import calls, hooks, loops, references, results, scopes
from argosy.engine.machine.calls import Call
from argosy.engine.machine.core import Machine
from argosy.engine.manifest.model import Caller, Task, Template
from argosy.engine.nodes import Node, Outputs

EMPTY = "Skipped, empty params"
UNFIT = (ExpressionError, calls.CallError, loops.LoopError, ValueError)
"""The errors where a task cannot be called as it is written."""


@dataclass
class Child:
    """One call that a task comes down to: its own, or that for an item of its loop."""

    task: Task
    """As it is written."""
    body: Task
    """With everything in place."""
    node: Node | None = None
    """Once it has ended."""


class Group:
    """Children side by side, under a *node* that stands for them all."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.children: list[Child] = []
        self._left = 0

    def take(self, children: list[Child]) -> None:
        """Stand for *children*, in the order in which they start."""
        self.children = children
        self._left = sum(child.node is None for child in children)

    def ended(self) -> list[Node]:
        """The nodes of those that have ended, in the order in which they started."""
        return [child.node for child in self.children if child.node]

    def ends(self) -> list[str]:
        """The phases in which they ended."""
        return list(dict.fromkeys(end for node in self.ended() for end in node.ends))

    def all_ended(self, child: Child, node: Node) -> bool:
        """Take notice of the end of *child*: whether it is the last one."""
        child.node = node
        self._left -= 1
        return self._left == 0


class Boundary:
    """One call of a DAG or Steps template while it runs. *kind*: what expressions call its tasks, ``tasks`` or ``steps``."""

    def __init__(self, machine: Machine, call: Call, template: Template, node_type: NodeType, kind: str) -> None:
        self.machine = machine
        self.call = call
        self.template = template
        self.inputs = scopes.inputs(template)
        self.node = machine.create(call, node_type, Phase.RUNNING)
        self._kind = kind
        machine.admission.limit(self.node.name, template, self.give_up)

    # Left to a DAG and to steps

    def known_to(self, task: Task, /) -> scopes.Scope:
        """The variables that *task* may refer to."""
        raise NotImplementedError

    def ends(self) -> list[str]:
        """The phases in which the last of its tasks ended; nothing where some have not."""
        raise NotImplementedError

    def give_up(self) -> None:
        """End as failed: a task has failed, and nothing runs any more."""
        raise NotImplementedError

    # One task

    def children(self, task: Task) -> list[Child]:
        """The calls that *task* comes down to; none where its loop is over nothing. Raises one of :data:`UNFIT`."""
        # What is in scope for a task of a long DAG is much to put together for nothing.
        scope = self.known_to(task) if references.refers(task) else {}
        body = references.resolved(task, scope)
        return [Child(task, one) for one in (loops.expand(body, scope) if task.is_loop else [body])]

    def begin(
        self, child: Child, name: str, parent: str, done: calls.Done, fell: calls.Done | None = None
    ) -> Node | None:
        """Call *child* as the node *name*, or give back the node in its place where ``when`` forbids it.

        *done* hears of the end of what was called; *fell*, where that is a daemon, of an end that nobody asked for.
        """
        body = child.body
        try:
            if body.when and not govaluate.holds(body.when):
                return self.leave_out(body, name, parent, Phase.SKIPPED, f"when '{body.when}' evaluated false")
        except ExpressionError as error:
            return self.leave_out(body, name, parent, Phase.ERROR, str(error))
        call = self.call_of(body, name, parent, done)
        call.arguments = body.arguments
        call.extra = {f"{self._kind}.name": body.name}
        call.keeps_result = results.is_referred_to(self.template.written, self._kind, child.task.name)
        call.fell = fell
        if own := self.hooks_of(child.task, call):
            own.watch()
        self.machine.begin(call)
        return None

    def call_of(self, task: Caller, name: str, parent: str, done: calls.Done) -> Call:
        """A call for *task* inside of this one."""
        return Call(
            name=name,
            holder=task,
            owner=self.call.owner,
            done=done,
            boundary=self.node.name,
            parent=parent,
            on_exit=self.call.on_exit,
            depth=self.call.depth + 1,
        )

    def hooks_of(self, task: Task, call: Call) -> hooks.TaskHooks | None:
        """The hooks of *task*, where it has any: whoever hears of *call*'s end waits for them from now on."""
        if not task.is_hooked:
            return None
        own = hooks.TaskHooks(
            self.machine, task, call, lambda node: {**self.known_to(task), **self._facts_of_node(task, node)}
        )
        done = call.done
        call.done = lambda node: own.after(node, done)
        return own

    def leave_out(self, task: Task, name: str, parent: str, phase: Phase, message: str) -> Node:
        """The node of a call that is never made; that of the journal where a run is resumed."""
        known = self.machine.nodes.get(name)
        if known is not None and known.fulfilled:
            return known
        node = self.machine.add(
            name,
            NodeType.SKIPPED,
            phase,
            template=task.template,
            boundary=self.node.name,
            parent=parent,
            message=message,
        )
        node.finished = node.started
        node.ends = [phase] if phase is Phase.ERROR else []
        return node

    def group(self, name: str, node_type: NodeType, template: str = "") -> Group:
        """A group of children inside of this call."""
        return Group(
            self.machine.add(
                name, node_type, Phase.RUNNING, template=template, boundary=self.node.name, parent=self.node.name
            )
        )

    # What is in scope

    def scope(self, facts: Iterable[scopes.Scope]) -> scopes.Scope:
        """The workflow's variables, the inputs, and *facts*."""
        known: scopes.Scope = {**self.machine.variables, **self.inputs}
        for of_one_task in facts:
            known |= of_one_task
        return known

    def facts_of(self, task: Task, node: Node, items: Iterable[Node] | None = None) -> scopes.Scope:
        """The variables of *task* for those after it. *items*: those of its loop. Raises ValueError where their results are no list."""
        facts = self._facts_of_node(task, node)
        if items is not None:
            facts |= scopes.of_loop(self._kind, task.name, items)
        if node.outputs is None and node.phase in (Phase.SKIPPED, Phase.OMITTED):
            facts |= self._absent(task)
        return facts

    def _facts_of_node(self, task: Task, node: Node) -> scopes.Scope:
        return scopes.of_node(self._kind, task.name, node, self.machine.identity.name)

    def _absent(self, task: Task) -> scopes.Scope:
        try:
            template, _ = self.machine.catalogue.resolve(task, self.call.owner)
        except LookupError:
            return {}
        return scopes.of_absent(f"{self._kind}.{task.name}", template, artifacts=self._kind == "steps")

    # The end

    def succeed(self, scope: scopes.Scope) -> None:
        """End with the outputs that the template declares. Raises ExpressionError or ValueError where one is not there."""
        outputs = references.declared_outputs(self.template.outputs, scope)
        self.machine.export(self.node, self.template, outputs)
        self.finish(Phase.SUCCEEDED, outputs=outputs)

    def finish(self, phase: Phase, message: str = "", outputs: Outputs | None = None) -> None:
        """End."""
        self.node.ends = self.ends() or [phase]
        self.machine.finish(self.call, self.node, phase, message, outputs)


def goes_on(task: Task, phase: Phase) -> bool:
    """True where those after *task* go on though it ended in *phase*, unsuccessful."""
    return task.continue_on.failed if phase is Phase.FAILED else task.continue_on.error
