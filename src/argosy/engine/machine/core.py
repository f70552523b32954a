"""The workflow as a state machine: events in, effects out, its nodes in between.

Every template call passes through :meth:`Machine.begin`; what a DAG, a list of steps, a retry or a leaf does with it is in a module of its
own. Calls and completions go through a queue, so neither a long chain nor a deep recursion uses Python's stack. It reads no clock but the
one it is given and touches no file; a run that is resumed gives it the nodes of the journal, and what is fulfilled there is not done again.
"""

import heapq
import itertools
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from argosy import argo
from argosy.argo import NodeType, Phase
from argosy.engine import effects
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import admission, calls, synchronization
from argosy.engine.machine.calls import Call
from argosy.engine.manifest.catalogue import Catalogue, UnknownTemplate
from argosy.engine.manifest.model import Template
from argosy.engine.nodes import Node, Outputs

MAX_DEPTH = 99
"""The depth to which templates may call templates below the entrypoint, as the controller has it."""

MAX_NODES = 150_000
"""A recursion that branches would take this machine's memory long before it is :data:`MAX_DEPTH` deep."""

TERMINATE = "Terminate"
NODE_TYPES = {"dag": NodeType.DAG, "steps": NodeType.STEPS, "suspend": NodeType.SUSPEND, "http": NodeType.HTTP}


@dataclass(frozen=True)
class Identity:
    """The name and id of this run. *created*: seconds since 1970."""

    name: str
    uid: str
    created: float


@dataclass(frozen=True)
class _Pod:
    take: Callable[[effects.PodResult], None]
    on_exit: bool
    ready: Callable[[], None] | None = None


@dataclass(frozen=True)
class _Daemon:
    boundary: str | None
    settled: bool


class Body(Protocol):
    """Carries out a template of one kind: creates the call's node, and finishes it sooner or later."""

    def __call__(self, machine: "Machine", call: Call, template: Template) -> None: ...


class Machine:
    """The state of one run."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        identity: Identity,
        variables: dict[str, object],
        config_maps: Mapping[str, Mapping[str, str]],
        bodies: Mapping[str, Body],
        clock: Callable[[], float],
        history: Mapping[str, Node] | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.spec = catalogue.workflow
        self.identity = identity
        self.variables = variables
        """The workflow's variables, as they are now."""
        self.config_maps = config_maps
        self.clock = clock
        self.nodes: dict[str, Node] = dict(history or {})
        self.outputs = Outputs()
        """The workflow's own outputs: whatever was exported with ``globalName``."""
        self.deadline: float | None = None
        self.changed: dict[str, Node] = {}
        """Nodes that changed since the last look."""
        self.effects: list[effects.Effect] = []
        self.admission = admission.Admission(self.spec.parallelism)
        self.impossible: set[str] = set()
        """Nodes whose calls could not be made as they are written."""
        self.watchers: dict[str, Callable[[Node], None]] = {}
        """Who wants to hear of every change of a node, for lifecycle hooks."""
        self.shutdown: str | None = None
        """``Stop`` or ``Terminate``, once the workflow was told to."""
        self.pauses: dict[str, Callable[[Mapping[str, str], str], None]] = {}
        """Suspended nodes, by name: what ends each, given its output parameters and a message."""
        self._bodies = bodies
        self._events: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._pods: dict[str, _Pod] = {}
        self._daemons: dict[str, _Daemon] = {}
        self._waiting: dict[str, Callable[[], None]] = {}
        self._recalling: dict[str, Callable[[Outputs | None], None]] = {}
        self._ended_by_shutdown: dict[str, Callable[[], None]] = {}
        for node in sorted(self.nodes.values(), key=lambda node: node.finished or 0.0):
            self._publish(node)

    # What the outside tells

    def pod_started(self, name: str) -> None:
        """The process of the node *name* runs."""
        if name in self._pods:
            self.update(self.nodes[name], Phase.RUNNING)
            self.drain()

    def pod_ready(self, name: str) -> None:
        """The process of the node *name*, a daemon, is up."""
        if (pod := self._pods.get(name)) and pod.ready:
            pod.ready()
            self.drain()

    def pod_finished(self, name: str, result: effects.PodResult) -> None:
        """The process of the node *name* ended, or never will start."""
        if pod := self._pods.pop(name, None):
            pod.take(result)
            self.drain()

    def container_changed(self, change: effects.ContainerChange) -> None:
        """A container of a pod began or ended. Only those of a container set have nodes."""
        if (node := self.nodes.get(change.name)) and node.type is NodeType.CONTAINER:
            self.end_part(node, change.phase, change.message) if change.phase.completed else self.update(
                node, change.phase
            )
            self.drain()

    def locks_granted(self, name: str) -> None:
        """The node *name* has its locks."""
        if go := self._waiting.pop(name, None):
            go()
            self.drain()

    def recalled(self, name: str, outputs: Outputs | None) -> None:
        """Hear the outputs that are remembered for the node *name*; None where nothing is."""
        if take := self._recalling.pop(name, None):
            take(outputs)
            self.drain()

    def tick(self) -> None:
        """Time passed."""
        while self._timers and self._timers[0][0] <= self.clock():
            heapq.heappop(self._timers)[2]()
        self.drain()

    def next_tick(self) -> float | None:
        """The time at which :meth:`tick` is due, in seconds since 1970."""
        return self._timers[0][0] if self._timers else None

    def drain(self) -> None:
        """Do what is possible now."""
        while self._events:
            self._events.popleft()()

    # What templates do with it

    def begin(self, call: Call) -> None:
        """Call a template; ``call.done`` hears of the finished node."""
        self._events.append(lambda: self._begin(call))

    def post(self, action: Callable[[], None]) -> None:
        """Do *action* after what is under way."""
        self._events.append(action)

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Do *action* at *moment*."""
        heapq.heappush(self._timers, (moment, next(self._numbers), action))

    def create(self, call: Call, kind: NodeType, phase: Phase, message: str = "") -> Node:
        """The node of *call*; that of the journal where a run is resumed."""
        node = self.add(
            call.name,
            kind,
            phase,
            template=call.holder.called,
            boundary=call.boundary,
            parent=call.parent or call.boundary,
            message=message,
            hooked=call.hooked,
        )
        node.memo = call.memo
        return node

    def add(
        self,
        name: str,
        kind: NodeType,
        phase: Phase,
        *,
        template: str = "",
        boundary: str | None = None,
        parent: str | None = None,
        message: str = "",
        hooked: bool = False,
        retried: bool = False,
    ) -> Node:
        """A node, new or taken up again from the journal."""
        known = self.nodes.get(name)
        node = Node(
            name=name,
            type=kind,
            phase=phase,
            started=known.started if known else self.clock(),
            template=template,
            display_name=_display_name(name, boundary),
            boundary=boundary,
            parent=parent,
            message=message,
            hooked=hooked,
            retried=retried,
        )
        self.nodes[name] = node
        self._note(node)
        return node

    def update(self, node: Node, phase: Phase, message: str | None = None) -> None:
        """Move *node* to *phase* before it is finished."""
        if not node.fulfilled and (node.phase is not phase or (message is not None and node.message != message)):
            node.phase = phase
            node.message = node.message if message is None else message
            self._note(node)

    def finish(self, call: Call, node: Node, phase: Phase, message: str = "", outputs: Outputs | None = None) -> None:
        """The end of *node*: journaled, exported, and told to the caller."""
        node.phase = phase
        node.message = message
        node.finished = self.clock()
        node.outputs = outputs
        self.end_daemons(node.name)
        self._settle(call, node)

    def become_daemon(self, node: Node, *, settled: bool = True) -> None:
        """*node* goes on until the node it belongs to ends; what follows it need not wait.

        *settled*: being stopped then is its success. The controller sees to that for containers only: a script is still waited for,
        and has failed by how it was stopped.
        """
        node.daemoned = True
        node.ends = [Phase.SUCCEEDED]
        self._daemons[node.name] = _Daemon(node.boundary, settled)
        self._note(node)

    def end_daemons(self, boundary: str | None) -> None:
        """Stop what goes on inside the node *boundary*, which ended: that is how it is meant to end."""
        for name in [name for name, daemon in self._daemons.items() if daemon.boundary == boundary]:
            daemon = self._daemons.pop(name)
            if name in self._pods:
                self.effects.append(effects.StopPod(name))
            if daemon.settled:
                self._pods.pop(name, None)
                self.end_part(self.nodes[name], Phase.SUCCEEDED)

    def fail_daemon(self, node: Node, phase: Phase, message: str, outputs: Outputs | None) -> None:
        """*node* ended by itself, which none that goes on should."""
        node.outputs = outputs
        retry = self.nodes.get(node.parent or "")
        for one in [node, *([retry] if retry and retry.type is NodeType.RETRY else [])]:
            self._daemons.pop(one.name, None)
            self.end_part(one, phase, message)
            one.ends = [phase]
        self.post(self.admission.reconsider)

    def end_part(self, node: Node, phase: Phase, message: str = "") -> None:
        """The end of a node that is a part of another, and that nobody called."""
        if not node.fulfilled:
            node.phase, node.message, node.finished, node.daemoned = phase, message, self.clock(), False
            self._note(node)

    def refuse(self, call: Call, message: str, *, impossible: bool = True) -> None:
        """The call cannot be made: its node is an error that never ran. *impossible*: nor could it ever, as it is written."""
        if impossible:
            self.impossible.add(call.name)
            message = f"task '{call.name}' errored: {message}" if "tasks.name" in call.extra else message
        node = self.create(call, NodeType.SKIPPED, Phase.ERROR, message)
        self.finish(call, node, Phase.ERROR, message)

    def start_pod(
        self,
        request: effects.StartPod,
        take: Callable[[effects.PodResult], None],
        *,
        on_exit: bool,
        ready: Callable[[], None] | None = None,
    ) -> None:
        """Have a pod run; *ready* hears that a daemon is up, *take* of its end. *on_exit*: it is part of an exit handler, which no deadline
        stops."""
        self._pods[request.name] = _Pod(take, on_exit, ready)
        self.effects.append(request)

    def shut_down(self, strategy: str) -> None:
        """Begin nothing more, and stop what runs: ``Stop`` leaves exit handlers out of it, ``Terminate`` does not."""
        self.shutdown = strategy
        self.stop_pods(f"workflow shutdown with strategy:  {strategy}", handlers=strategy == TERMINATE)
        for pause in [*self._ended_by_shutdown.values()]:
            pause()
        self.drain()

    def is_shut_for(self, *, on_exit: bool) -> bool:
        """True where the workflow begins nothing any more, *on_exit*: as part of an exit handler."""
        return self.shutdown is not None and (not on_exit or self.shutdown == TERMINATE)

    def stop_pods(self, message: str, *, handlers: bool = False) -> None:
        """Stop every pod, those of exit handlers only with *handlers*; each has failed with *message*."""
        for name in [name for name in self._pods if handlers or not self._pods[name].on_exit]:
            self.effects.append(effects.StopPod(name))
            result = effects.PodResult(Phase.FAILED, message)
            self.post(lambda name=name, result=result: self.pod_finished(name, result))  # type: ignore[misc]

    def pause(self, name: str, go_on: Callable[[Mapping[str, str], str], None], shut: Callable[[], None]) -> None:
        """The node *name* waits for somebody to end it through *go_on*; *shut* ends it where the workflow is shut down."""
        self.pauses[name] = go_on
        self._ended_by_shutdown[name] = shut

    def unpause(self, name: str) -> None:
        """The node *name* waits no longer."""
        self.pauses.pop(name, None)
        self._ended_by_shutdown.pop(name, None)

    def wait_for_locks(self, name: str, locks: Mapping[str, int], go: Callable[[], None]) -> None:
        """Have *go* called once the node *name* holds all of *locks*."""
        self._waiting[name] = go
        self.effects.append(effects.AcquireLocks(name, locks))

    def recall(self, question: effects.Recall, take: Callable[[Outputs | None], None]) -> None:
        """Have *take* hear what is remembered."""
        self._recalling[question.name] = take
        self.effects.append(question)

    def past_deadline(self) -> bool:
        """True where the workflow's own deadline is over."""
        return self.deadline is not None and self.clock() >= self.deadline

    def export(self, node: Node, template: Template, outputs: Outputs | None) -> None:
        """Add those *outputs* of *node* to the workflow's that *template* declares with a ``globalName``.

        The node keeps their names: nobody visits the nodes again within one that is over, and a run that is taken up has its outputs
        from them.
        """
        if outputs is None:
            return
        declared = template.outputs
        parameters = {one.name: one.global_name for one in declared.parameters if one.global_name}
        artifacts = {one.name: one.global_name for one in declared.artifacts if one.global_name}
        if parameters or artifacts:
            node.exports = {"parameters": parameters, "artifacts": artifacts}
            self._publish(node, outputs)

    # Inside

    def _begin(self, call: Call) -> None:
        known = self.nodes.get(call.name)
        try:
            template, owner = self.catalogue.resolve(call.holder, call.owner)
            variables = {**self.variables, **self._own_variables(call, template)}
            processed = calls.process(template, call.arguments, variables, self.config_maps)
        except (ExpressionError, calls.CallError, UnknownTemplate, ValueError) as error:
            self.refuse(call, str(error))
            return
        call.owner = owner
        if known is not None and known.fulfilled:
            if not known.exports:  # a journal of before names none
                self.export(known, processed, known.outputs)
            self._settle(call, known)
        elif len(self.nodes) >= MAX_NODES:
            self.refuse(
                call, f"the workflow has more than {MAX_NODES} nodes: too many for one machine", impossible=False
            )
        elif call.depth >= MAX_DEPTH:
            self.refuse(call, "max depth exceeded: templates call templates without end", impossible=False)
        else:
            self.admission.enter(call, known, lambda: self._admitted(call, processed))

    def _admitted(self, call: Call, template: Template) -> None:
        try:
            locks = synchronization.locks_of(template.synchronization, self.variables, self.config_maps)
        except calls.CallError as error:
            self.refuse(call, str(error))
            return
        if not locks:
            self._carry_out(call, template)
            return
        done = call.done
        call.done = lambda node: self._unlocked(node, done)
        self.create(call, self.type_of(template), Phase.PENDING, f"Waiting for {', '.join(locks)} lock.")
        self.wait_for_locks(call.name, locks, lambda: self._carry_out(call, template))

    def _unlocked(self, node: Node, done: Callable[[Node], None]) -> None:
        self.effects.append(effects.ReleaseLocks(node.name))
        done(node)

    def type_of(self, template: Template) -> NodeType:
        """The type of the node that a call of *template* has."""
        return NodeType.RETRY if self._retries(template) else NODE_TYPES.get(template.kind, NodeType.POD)

    def _carry_out(self, call: Call, template: Template) -> None:
        if template.memoize.written:
            self._bodies["memoize"](self, call, template)
        else:
            self.carry_out_body(call, template)

    def carry_out_body(self, call: Call, template: Template) -> None:
        """Do what *template* says, with its retries: what is remembered of it is the caller's business."""
        kind = "retry" if self._retries(template) else template.kind
        self._bodies[kind](self, call, template)

    def carry_out_attempt(self, call: Call, template: Template) -> None:
        """Do what *template* says, once: its retries are the caller's business."""
        self._bodies[template.kind](self, call, template)

    def _retries(self, template: Template) -> bool:
        return template.retry_strategy is not None or self.spec.retry_strategy is not None

    def _own_variables(self, call: Call, template: Template) -> dict[str, object]:
        own = {**call.extra, "node.name": call.name}
        if template.is_containers and not self._retries(template):
            own["pod.name"] = argo.pod_name(self.identity.name, call.name, template.name)
        return own

    def _publish(self, node: Node, outputs: Outputs | None = None) -> None:
        if not node.exports or (given := outputs or node.outputs) is None:
            return
        for own, name in node.exports["parameters"].items():
            if own in given.parameters:
                self.outputs.parameters[name] = given.parameters[own]
                self.variables[f"workflow.outputs.parameters.{name}"] = given.parameters[own]
        for own, name in node.exports["artifacts"].items():
            if own in given.artifacts:
                exported = {**given.artifacts[own], "name": name}
                self.outputs.artifacts[name] = exported
                self.variables[f"workflow.outputs.artifacts.{name}"] = exported

    def _settle(self, call: Call, node: Node) -> None:
        if not node.ends:
            node.ends = [node.phase] if node.phase.completed else []
        self._note(node)
        self.post(lambda: self._tell(call, node))

    def _tell(self, call: Call, node: Node) -> None:
        call.done(node)
        self.admission.reconsider()

    def _note(self, node: Node) -> None:
        self.changed[node.name] = node
        self.admission.count(node)
        if watcher := self.watchers.get(node.name):
            self.post(lambda: watcher(node))


def _display_name(name: str, boundary: str | None) -> str:
    return name if boundary is None else _SEPARATOR.sub("", name.removeprefix(boundary))


_SEPARATOR = re.compile(r"^(\[\d+\])?\.")
