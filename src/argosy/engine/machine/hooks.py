"""Lifecycle hooks and exit handlers: when they are due, what they are handed, and who waits for them.

Those of tasks and steps and those of the workflow are called alike. An exit handler of a task runs beside its hooks, that of the workflow
after them.
"""

from collections.abc import Callable

from argosy.argo import Phase
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import calls, references, scopes
from argosy.engine.machine.calls import Call
from argosy.engine.machine.core import Machine
from argosy.engine.manifest.model import Arguments, Hook, Hooked, Task
from argosy.engine.nodes import Node


class Hooks:
    """The hooks and the exit handler of *holder*, a task, step or workflow. *call*: of that itself."""

    def __init__(self, machine: Machine, holder: Hooked, call: Call) -> None:
        self._machine = machine
        self._call = call
        self._owner = call.owner  # that of the call becomes the owner of the template it finds
        self._handler = holder.exit_handler
        self._waiting = {name: hook for name, hook in holder.hooks.items() if name != "exit"}
        self._running = 0
        self._then: Callable[[], None] | None = None

    def _look(self, scope: scopes.Scope) -> None:
        """Run the hooks whose condition has come true."""
        for name, hook in list(self._waiting.items()):
            if _is_due(hook, scope):
                del self._waiting[name]
                self._run(f"hooks.{name}", hook, scope, self._one_ended)

    def _run(
        self,
        name: str,
        hook: Hook,
        scope: scopes.Scope,
        done: calls.Done,
        *,
        condition: str = "",
        on_exit: bool = False,
    ) -> None:
        call = Call(
            name=f"{self._call.name}.{name}",
            holder=hook,
            owner=self._owner,
            done=done,
            boundary=self._call.boundary,
            parent=self._call.name,
            hooked=True,
            on_exit=on_exit or self._call.on_exit,
            depth=self._call.depth,
        )
        try:
            if condition and not references.truth(condition, scope):
                return
            call.arguments = self._arguments(hook, scope)
        except (ExpressionError, calls.CallError) as error:
            self._refuse(call, str(error))
            return
        self._running += 1
        self._machine.begin(call)

    def _arguments(self, hook: Hook, scope: scopes.Scope) -> Arguments:
        return references.arguments(hook.arguments, scope)

    def _refuse(self, call: Call, reason: str) -> None:
        self._running += 1
        self._machine.refuse(call, reason)

    def _one_ended(self, _: Node) -> None:
        self._running -= 1
        if not self._running and self._then:
            self._then()

    def _when_none_runs(self, then: Callable[[], None]) -> None:
        if self._running:
            self._then = then
        else:
            then()


class TaskHooks(Hooks):
    """Those of a task or step. *known*: what they may refer to, its node as it is."""

    def __init__(self, machine: Machine, task: Task, call: Call, known: Callable[[Node], scopes.Scope]) -> None:
        super().__init__(machine, task, call)
        self._known = known
        self._refusal = ""
        """The reason why one of them cannot be called."""

    def watch(self) -> None:
        """Look at the conditions whenever the node changes."""
        if self._waiting:
            self._machine.watchers[self._call.name] = lambda node: self._look(self._known(node))

    def after(self, node: Node, done: calls.Done) -> None:
        """Tell *done* of *node*'s end, once the exit handler and the hooks that run have ended too."""
        self._look(self._known(node))
        self._lay_to(node)
        if self._handler and node.phase.completed and not self._machine.is_shut_for(on_exit=True):
            condition = self._handler.expression
            self._run("onExit", self._handler, self._known(node), self._one_ended, condition=condition, on_exit=True)
            self._lay_to(node)
        self._when_none_runs(lambda: done(node))

    def _refuse(self, call: Call, reason: str) -> None:
        self._refusal = self._refusal or f"{call.name}: {reason}"

    def _lay_to(self, node: Node) -> None:
        """The controller lays it to the task where a hook cannot be called; while that runs, it runs on here."""
        if self._refusal:
            node.phase, node.message, node.ends = Phase.ERROR, self._refusal, [Phase.ERROR]


class WorkflowHooks(Hooks):
    """Those of the workflow. What is handed no arguments has the workflow's."""

    def look(self) -> None:
        """Run the hooks whose condition has come true."""
        self._look(self._machine.variables)

    def after(self, done: Callable[[Node | None], None]) -> None:
        """Run the exit handler once the hooks have ended, and tell *done* of its node; of None where none runs."""
        self.look()
        self._when_none_runs(lambda: self._leave(done))

    def _leave(self, done: Callable[[Node | None], None]) -> None:
        if self._handler is None or self._machine.is_shut_for(on_exit=True):
            done(None)
        else:
            self._run("onExit", self._handler, self._machine.variables, done, on_exit=True)

    def _arguments(self, hook: Hook, scope: scopes.Scope) -> Arguments:
        """The workflow's variables are put in place with those of the template, as in any call."""
        given = hook.arguments if hook.arguments.written else self._call.arguments
        if given.artifacts:
            return Arguments({**given.written, "artifacts": references.artifacts(given, scope)})
        return given


def _is_due(hook: Hook, scope: scopes.Scope) -> bool:
    try:
        return references.truth(hook.expression or "false", scope)
    except ExpressionError:
        return False  # it speaks of what is not known yet
