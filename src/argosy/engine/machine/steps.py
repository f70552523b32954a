"""A Steps template: groups one after the other, the steps of a group side by side. Follows the controller's ``steps.go``."""

import itertools

from argosy import argo
from argosy.argo import NodeType, Phase
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import admission, boundary, scopes
from argosy.engine.machine.boundary import Boundary, Child, Group
from argosy.engine.machine.calls import Call
from argosy.engine.machine.core import Machine
from argosy.engine.manifest.model import Caller, Task, Template
from argosy.engine.nodes import Node


def carry_out(machine: Machine, call: Call, template: Template) -> None:
    """The body of a Steps template."""
    Steps(machine, call, template).go_on()


class Steps(Boundary):
    """One call of a Steps template while it runs."""

    def __init__(self, machine: Machine, call: Call, template: Template) -> None:
        super().__init__(machine, call, template, NodeType.STEPS, "steps")
        self._groups = template.steps
        self._position = -1
        self._group: Group | None = None
        self._facts: scopes.Scope = {}

    def go_on(self) -> None:
        """Start the next group; end after the last."""
        self._position += 1
        if self._position == len(self._groups):
            self._succeed()
            return
        self._group = self.group(f"{self.node.name}[{self._position}]", NodeType.STEP_GROUP)
        self._start(self._group)

    def _succeed(self) -> None:
        try:
            self.succeed(self._known())
        except (ExpressionError, ValueError) as error:
            self.finish(Phase.ERROR, str(error))

    def give_up(self) -> None:
        """End the group, and with it the steps."""
        self.machine.admission.forget(self.node.name)
        if self._group and not self._group.node.fulfilled:
            self._end(self._group, Phase.FAILED, admission.GIVEN_UP)
        else:
            self.finish(Phase.FAILED, admission.GIVEN_UP)

    def ends(self) -> list[str]:
        """Those of the last group."""
        return _ends(self._group) if self._group and self._group.node.fulfilled else []

    def known_to(self, _: Task, /) -> scopes.Scope:
        """The outputs of earlier groups, beside what is always known."""
        return self._known()

    def _known(self) -> scopes.Scope:
        return self.scope([self._facts])

    # A group

    def _start(self, group: Group) -> None:
        """Start each step, and each item of those that loop."""
        try:
            children = [child for step in self._groups[self._position] for child in self._children(group, step)]
        except boundary.UNFIT as error:
            self._end(group, Phase.ERROR, str(error))
            return
        group.take(children)
        starting = [child for child in children if child.node is None]
        for child in starting:
            if not group.node.fulfilled:
                self._begin(group, child)
        if not starting:
            self._end(group, Phase.SUCCEEDED)

    def _children(self, group: Group, step: Task) -> list[Child]:
        children = self.children(step)
        if not children:
            node = self.leave_out(
                step, f"{group.node.name}.{step.name}", group.node.name, Phase.SKIPPED, boundary.EMPTY
            )
            children = [Child(step, step, _succeeding(node))]
        return children

    def _begin(self, group: Group, child: Child) -> None:
        left_out = self.begin(
            child,
            f"{group.node.name}.{child.body.name}",
            group.node.name,
            lambda node: self._step_ended(group, child, node),
            fell=lambda node: self._fell(group, child, node),
        )
        if left_out is None:
            return
        child.node = _succeeding(left_out)
        if left_out.phase is Phase.ERROR:
            self._end(group, Phase.ERROR, left_out.message)
        else:
            self.machine.post(lambda: self._step_ended(group, child, left_out))

    def _step_ended(self, group: Group, child: Child, node: Node) -> None:
        all_ended = group.all_ended(child, node)
        if node.name in self.machine.impossible:
            # The controller gives up the group at once.
            self._end(group, Phase.ERROR, f"step group deemed errored due to child {node.name} error: {node.message}")
        elif all_ended:
            self._assess(group)

    def _fell(self, group: Group, child: Child, node: Node) -> None:
        """A daemon of the group ended by itself. The controller looks at groups again that have long succeeded."""
        if self.node.fulfilled:
            return  # it was stopped
        if group.node.fulfilled and not boundary.goes_on(child.task, node.phase):
            group.node.phase = Phase.RUNNING
            self._fail(group, node)

    def _assess(self, group: Group) -> None:
        """Of several that failed, the one that was started first gives the reason, whichever ended first."""
        for child in group.children:
            node = child.node
            if node and node.phase.unsuccessful and not boundary.goes_on(child.task, node.phase):
                self._fail(group, node)
                return
        self._end(group, Phase.SUCCEEDED)

    def _fail(self, group: Group, node: Node) -> None:
        self._end(group, Phase.FAILED, f"child '{argo.node_id(self.machine.identity.name, node.name)}' failed")

    def _end(self, group: Group, phase: Phase, message: str = "") -> None:
        """Steps that still run are left to run out; nobody waits for them."""
        if not group.node.fulfilled and not self.node.fulfilled:
            group.node.ends = _ends(group)
            call = self.call_of(Caller({}), group.node.name, self.node.name, lambda _: self._group_ended(group))
            self.machine.finish(call, group.node, phase, message)

    def _group_ended(self, group: Group) -> None:
        if self.node.fulfilled:
            return
        if group.node.phase.unsuccessful:
            self.finish(Phase.FAILED, group.node.message)
            return
        try:
            self._facts |= self._facts_of(group)
        except ValueError as error:
            # The controller gives up whoever called these steps, too.
            self.machine.impossible.add(self.node.name)
            self.finish(Phase.ERROR, str(error))
            return
        self.machine.post(self.go_on)

    def _facts_of(self, group: Group) -> scopes.Scope:
        """The variables, for later steps, of those of *group*, all of which have ended."""
        facts: scopes.Scope = {}
        for name, found in itertools.groupby(group.children, key=lambda child: child.task.name):
            children = list(found)
            step, ended = children[0].task, [child.node for child in children if child.node]
            if ended[0].name == f"{group.node.name}.{name}":
                facts |= self.facts_of(step, ended[0])
            else:
                ran = [node for node in ended if node.type is not NodeType.SKIPPED]
                facts |= self.facts_of(step, group.node, ran or None)
        return facts


def _ends(group: Group) -> list[str]:
    return group.ends() or [Phase.SUCCEEDED]


def _succeeding(left_out: Node) -> Node:
    """*left_out*, unless it is an error, counts as a success."""
    left_out.ends = left_out.ends or [Phase.SUCCEEDED]
    return left_out
