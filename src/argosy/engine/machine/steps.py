"""A Steps template: groups one after the other, the steps of a group side by side. Follows the controller's ``steps.go``."""

from argosy.engine import nodes
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import admission, calls, exits, loops, references, results, scopes
from argosy.engine.machine.calls import Call
from argosy.engine.machine.core import Machine
from argosy.engine.nodes import Json, Node, NodeType, Outputs, Phase


def carry_out(machine: Machine, call: Call, template: Json) -> None:
    """The body of a Steps template."""
    Steps(machine, call, template).start()


class Steps:
    """One call of a Steps template while it runs."""

    def __init__(self, machine: Machine, call: Call, template: Json) -> None:
        self._machine = machine
        self._call = call
        self._template = template
        self._groups: list[list[Json]] = [list(group) for group in template["steps"]]
        self._scope: scopes.Scope = scopes.inputs(template)
        self._position = -1
        self._last: Group | None = None

    def start(self) -> None:
        """Start the first group."""
        self._node = self._machine.create(self._call, NodeType.STEPS, Phase.RUNNING)
        self._machine.admission.limit(self._node.name, self._template, self._give_up)
        self._next()

    def _next(self) -> None:
        self._position += 1
        if self._position == len(self._groups):
            self._succeed()
            return
        name = f"{self._node.name}[{self._position}]"
        self._last = Group(
            self._machine, self._call, self._template, name=name, scope=self._known, ended=self._group_ended
        )
        self._last.start(self._groups[self._position])

    def _known(self) -> scopes.Scope:
        return {**self._machine.variables, **self._scope}

    def _group_ended(self, group: "Group") -> None:
        if self._node.fulfilled:
            return
        if group.node.phase.unsuccessful:
            if self._last is not None and self._last is not group:
                self._last.abandoned = True
            self._finish(Phase.FAILED, group.node.message)
            return
        try:
            for step in self._groups[self._position]:
                self._scope |= self._facts_of(step, group)
        except ValueError as error:
            # The controller gives up whoever called these steps, too.
            self._machine.impossible.add(self._node.name)
            self._finish(Phase.ERROR, str(error))
            return
        self._machine.post(self._next)

    def _facts_of(self, step: Json, group: "Group") -> scopes.Scope:
        name = step["name"]
        workflow = self._machine.identity.name
        if name in group.single:
            node = group.single[name]
            facts = scopes.of_node("steps", name, node, workflow)
            if node.outputs is None and node.phase in (Phase.SKIPPED, Phase.OMITTED):
                facts |= self._absent(step)
            return facts
        ran = [node for node in group.in_order(group.looped.get(name, [])) if node.type is not NodeType.SKIPPED]
        facts = scopes.of_loop("steps", name, ran) if ran else {}
        return facts | scopes.of_node("steps", name, group.node, workflow)

    def _absent(self, step: Json) -> scopes.Scope:
        try:
            template, _ = self._machine.catalogue.resolve(step, self._call.owner)
        except LookupError:
            return {}
        return scopes.of_absent(f"steps.{step['name']}", template, artifacts=True)

    def _succeed(self) -> None:
        try:
            outputs = references.declared_outputs(self._template.get("outputs") or {}, self._known())
        except (ExpressionError, ValueError) as error:
            self._finish(Phase.ERROR, str(error))
            return
        self._machine.export(self._template, outputs)
        self._finish(Phase.SUCCEEDED, outputs=outputs)

    def _give_up(self) -> None:
        self._machine.admission.forget(self._node.name)
        if self._last is not None and not self._last.node.fulfilled:
            self._last.end(Phase.FAILED, admission.GIVEN_UP)
        else:
            self._finish(Phase.FAILED, admission.GIVEN_UP)

    def _finish(self, phase: Phase, message: str = "", outputs: Outputs | None = None) -> None:
        self._node.ends = self._last.ends() if self._last else []
        if self._last and self._last.abandoned:
            self._node.ends = [phase]
        self._machine.finish(self._call, self._node, phase, message, outputs)


class Group:
    """The steps that run side by side."""

    def __init__(
        self,
        machine: Machine,
        call: Call,
        template: Json,
        *,
        name: str,
        scope: calls.ScopeSource,
        ended: "calls.Told[Group]",
    ) -> None:
        self._machine = machine
        self._call = call
        self._template = template
        self._boundary = call.name
        self._scope = scope
        self._told = ended
        self.single: dict[str, Node] = {}
        self.looped: dict[str, list[Node]] = {}
        self._children: list[tuple[Json, Node]] = []
        self._started: list[str] = []
        self._left = 0
        self.abandoned = False
        """Whether its steps gave up before it ended."""
        self.node = machine.add(name, NodeType.STEP_GROUP, Phase.RUNNING, boundary=call.name, parent=call.name)

    def start(self, steps: list[Json]) -> None:
        """Start each step, and each item of those that loop."""
        try:
            expanded = [(step, expansion) for step in steps for expansion in self._expanded(step)]
        except (ExpressionError, calls.CallError, loops.LoopError, ValueError) as error:
            self.end(Phase.ERROR, str(error))
            return
        self._left = len(expanded)
        for own, step in expanded:
            if self.node.fulfilled:
                return
            self._start_step(own, step)
        if not expanded:
            self.end(Phase.SUCCEEDED)

    def end(self, phase: Phase, message: str = "") -> None:
        """The group's end. Steps that still run are left to run out; nobody waits for them."""
        if self.node.fulfilled or self.abandoned:
            return
        self.node.ends = self.ends()
        call = Call(name=self.node.name, holder={}, owner=("", ""), done=lambda _: self._told(self))
        self._machine.finish(call, self.node, phase, message)

    def ends(self) -> list[str]:
        """The phases in which the group's steps ended."""
        return list(dict.fromkeys(end for _, node in self._children for end in node.ends)) or [Phase.SUCCEEDED]

    def in_order(self, nodes_of_group: list[Node]) -> list[Node]:
        """Some of the group's nodes in the order in which they were started, whichever ended first."""
        position = {name: at for at, name in enumerate(self._started)}
        return sorted(nodes_of_group, key=lambda node: position.get(node.name, -1))

    def _expanded(self, step: Json) -> list[Json]:
        resolved, _ = references.resolved(step, self._scope())
        if not loops.is_loop(step):
            return [resolved]
        self.looped[step["name"]] = []
        items = loops.expand(resolved, self._scope())
        if not items:
            self._skipped(step, step, "Skipped, empty params")
        return items

    def _start_step(self, own: Json, step: Json) -> None:
        try:
            runs = not step.get("when") or exits.holds(step["when"])
        except ExpressionError as error:
            self._skipped(own, step, str(error), Phase.ERROR)
            self.end(Phase.ERROR, str(error))
            return
        if not runs:
            node = self._skipped(own, step, f"when '{step['when']}' evaluated false")
            self._machine.post(lambda: self._one_less(node))
            return
        hooks = exits.Hooks(self._machine, own, "steps", self._call, self._scope)
        name = f"{self.node.name}.{step['name']}"
        self._started.append(name)
        self._machine.begin(
            Call(
                name=name,
                holder=step,
                owner=self._call.owner,
                done=lambda node: hooks.after(node, lambda ended: self._step_ended(own, step, ended)),
                arguments=step.get("arguments") or {},
                boundary=self._boundary,
                parent=self.node.name,
                extra={"steps.name": step["name"]},
                on_exit=self._call.on_exit,
                depth=self._call.depth + 1,
                keeps_result=results.is_referred_to(self._template, "steps", own["name"]),
                fell=lambda node: self._fell(own, node),
            )
        )
        hooks.watch(name)

    def _skipped(self, own: Json, step: Json, message: str, phase: Phase = Phase.SKIPPED) -> Node:
        node = self._machine.add(
            f"{self.node.name}.{step['name']}",
            NodeType.SKIPPED,
            phase,
            template=step.get("template") or "",
            boundary=self._boundary,
            parent=self.node.name,
            message=message,
        )
        node.finished = node.started
        node.ends = [phase if phase.completed else Phase.SUCCEEDED]
        self._keep(own, step, node)
        return node

    def _keep(self, own: Json, step: Json, node: Node) -> None:
        self._children.append((own, node))
        if own["name"] in self.looped and step is not own:
            self.looped[own["name"]].append(node)
        else:
            self.looped.pop(own["name"], None)
            self.single[own["name"]] = node

    def _fell(self, own: Json, node: Node) -> None:
        """A daemon of the group ended by itself. The controller looks at groups again that have long succeeded."""
        if node.boundary and self._machine.nodes[node.boundary].fulfilled:
            return  # it was stopped
        if self.node.fulfilled and not _goes_on(own, node):
            self.node.phase = Phase.RUNNING
            self._fail_by(node)

    def _step_ended(self, own: Json, step: Json, node: Node) -> None:
        self._keep(own, step, node)
        self._one_less(node)

    def _one_less(self, node: Node) -> None:
        self._left -= 1
        if node.name in self._machine.impossible:
            # The controller gives up the group at once.
            self.end(Phase.ERROR, f"step group deemed errored due to child {node.name} error: {node.message}")
        elif self._left == 0 and not self.node.fulfilled:
            self._assess()

    def _assess(self) -> None:
        """Of several that failed, the one that was started first gives the reason, whichever ended first."""
        owners = {node.name: own for own, node in self._children}
        for node in self.in_order([node for _, node in self._children]):
            if node.phase.unsuccessful and not _goes_on(owners[node.name], node):
                self._fail_by(node)
                return
        self.end(Phase.SUCCEEDED)

    def _fail_by(self, node: Node) -> None:
        self.end(Phase.FAILED, f"child '{nodes.node_id(self._machine.identity.name, node.name)}' failed")


def _goes_on(step: Json, node: Node) -> bool:
    """Whether the failure of *node* is no failure of *step*'s group."""
    goes_on = step.get("continueOn") or {}
    return bool(goes_on.get("failed" if node.phase is Phase.FAILED else "error"))
