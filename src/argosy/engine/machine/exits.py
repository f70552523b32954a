"""What runs beside a task or step: its exit handler when it has ended, its lifecycle hooks when their condition comes true."""

from collections.abc import Callable

from argosy.engine.expressions import govaluate
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import calls, references, scopes, substitution
from argosy.engine.machine.calls import Call
from argosy.engine.machine.core import Machine
from argosy.engine.nodes import Json, Node, Phase

holds = govaluate.holds


def handler_of(task: Json) -> Json | None:
    """The exit handler of a task, step or workflow *task*, as a hook."""
    hooks = task.get("hooks") or {}
    if hooks.get("exit"):
        hook: Json = hooks["exit"]
        return hook
    return {"template": task["onExit"]} if task.get("onExit") else None


class Hooks:
    """The handlers of one task or step. *kind*: ``tasks`` or ``steps``; *scope*: what they may refer to."""

    def __init__(
        self, machine: Machine, task: Json, kind: str, caller: Call, scope: Callable[[], scopes.Scope]
    ) -> None:
        self._machine = machine
        self._task = task
        self._kind = kind
        self._caller = caller
        self._scope = scope
        self._running = 0
        self._ended: Callable[[], None] | None = None
        self._waiting = {name: hook for name, hook in (task.get("hooks") or {}).items() if name != "exit"}

    def watch(self, name: str) -> None:
        """Look at the hooks' conditions whenever the node *name* changes."""
        if self._waiting:
            self._machine.watchers[name] = self._look

    def after(self, node: Node, done: calls.Done) -> None:
        """Tell *done* of *node*'s end, once the exit handler and the hooks that run have ended too."""
        self._look(node)
        handler = handler_of(self._task)
        if handler is not None and node.phase.completed and not self._machine.is_shut_for(on_exit=True):
            self._run(node, f"{node.name}.onExit", handler, on_exit=True)
        if self._running:
            self._ended = lambda: done(node)
        else:
            done(node)

    def _look(self, node: Node) -> None:
        for name, hook in list(self._waiting.items()):
            try:
                due = references.truth(hook.get("expression") or "false", self._known_of(node))
            except ExpressionError:
                due = False  # it speaks of what is not known yet
            if due:
                del self._waiting[name]
                self._run(node, f"{node.name}.hooks.{name}", {**hook, "expression": ""}, on_exit=False)

    def _run(self, node: Node, name: str, hook: Json, *, on_exit: bool) -> None:
        try:
            scope = self._known_of(node)
            if hook.get("expression") and not references.truth(hook["expression"], scope):
                return
            body, _ = references.resolved({"arguments": hook.get("arguments") or {}}, scope)
        except (ExpressionError, calls.CallError) as error:
            node.message = f"{name}: {error}"
            node.phase = Phase.ERROR
            return
        self._running += 1
        self._machine.begin(
            Call(
                name=name,
                holder={key: hook[key] for key in ("template", "templateRef") if key in hook},
                owner=self._caller.owner,
                done=self._one_ended,
                arguments=body["arguments"],
                boundary=node.boundary,
                parent=node.name,
                hooked=True,
                on_exit=on_exit or self._caller.on_exit,
                depth=self._caller.depth + 1,
            )
        )

    def _one_ended(self, _: Node) -> None:
        self._running -= 1
        if not self._running and self._ended:
            self._ended()

    def _known_of(self, node: Node) -> scopes.Scope:
        name = self._task["name"]
        facts = scopes.of_node(self._kind, name, node, self._machine.identity.name)
        return {**self._scope(), **facts, f"{self._kind}.{name}.status": str(node.phase)}


def workflow_handler(spec: Json, variables: scopes.Scope) -> Json | None:
    """The workflow's exit handler, its arguments in place."""
    handler = handler_of(spec)
    if handler is None:
        return None
    replaced: Json = substitution.replace(handler, variables)
    return replaced
