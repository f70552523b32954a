"""The run as a whole: the entrypoint, then the exit handler, and the phase that the workflow ends in. Follows ``operate``."""

import json
from collections.abc import Callable, Mapping

from argosy import argo
from argosy.argo import Phase
from argosy.engine import effects
from argosy.engine.expressions import json_text
from argosy.engine.machine import (
    calls,
    dag,
    hooks,
    leaves,
    memoization,
    retry,
    scopes,
    steps,
    synchronization,
)
from argosy.engine.machine.calls import Call
from argosy.engine.machine.core import Body, Identity, Machine
from argosy.engine.manifest.catalogue import WORKFLOW, Catalogue
from argosy.engine.manifest.model import Arguments, Caller
from argosy.engine.manifest.pod_model import ObjectMeta
from argosy.engine.nodes import Ending, Json, Node

BODIES: Mapping[str, Body] = {
    "dag": dag.carry_out,
    "steps": steps.carry_out,
    "retry": retry.carry_out,
    "memoize": memoization.carry_out,
    "container": leaves.pod,
    "script": leaves.pod,
    "containerSet": leaves.container_set,
    "data": leaves.pod,
    "resource": leaves.pod,
    "http": leaves.request,
    "suspend": leaves.suspend,
}


class Workflow:
    """One run of a workflow. *arguments*: the workflow's, with values in place."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        identity: Identity,
        metadata: Json,
        arguments: Json,
        config_maps: Mapping[str, Mapping[str, str]],
        clock: Callable[[], float],
        started: float | None = None,
        history: Mapping[str, Node] | None = None,
    ) -> None:
        self.ending: Ending | None = None
        self._spec = catalogue.workflow
        self._started = clock() if started is None else started
        variables = scopes.workflow_constants(
            identity.name, identity.uid, identity.created, ObjectMeta(metadata), self._spec
        )
        variables |= scopes.workflow_parameters(Arguments(arguments))
        variables["workflow.status"] = str(Phase.RUNNING)
        variables["workflow.duration"] = "0.000000"
        self.machine = Machine(
            catalogue=catalogue,
            identity=identity,
            variables=variables,
            config_maps=config_maps,
            bodies=BODIES,
            clock=clock,
            history=history,
        )
        self.entry = Call(
            name=identity.name,
            holder=Caller({"template": self._spec.entrypoint}),
            owner=WORKFLOW,
            done=self._entry_ended,
            arguments=Arguments(arguments),
        )
        self._hooks = hooks.WorkflowHooks(self.machine, self._spec, self.entry)

    def start(self) -> None:
        """Call the entrypoint, once the workflow's own locks are granted."""
        if limit := self._spec.active_deadline_seconds:
            self.machine.deadline = int(self._started) + float(limit)
            self.machine.at(self.machine.deadline, self._stop_late)
        try:
            locks = synchronization.locks_of(
                self._spec.synchronization, self.machine.variables, self.machine.config_maps
            )
        except calls.CallError as error:
            self.ending = Ending(Phase.FAILED, f"Failed to acquire the synchronization lock. {error}")
            return
        if strategy := self._spec.shutdown:
            self.machine.shut_down(strategy)
        if locks:
            self.machine.wait_for_locks("", locks, self._enter)
        else:
            self._enter()
        self.machine.drain()

    def _enter(self) -> None:
        self._hooks.look()
        self.machine.begin(self.entry)

    def _entry_ended(self, node: Node) -> None:
        if node.name in self.machine.impossible:
            self._give_up(node)
            return
        self._note_end(node)
        self._hooks.after(lambda handler: self._end(node, handler))

    def _give_up(self, node: Node) -> None:
        """The entrypoint cannot be called: there is nothing to run an exit handler for."""
        self.ending = Ending(Phase.ERROR, f"error in entry template execution: {node.message}")
        self.machine.effects.append(effects.ReleaseLocks(""))

    def _note_end(self, node: Node) -> None:
        """Set the variables of the workflow that an exit handler may refer to."""
        status = node.phase if node.phase.completed else Phase.SUCCEEDED
        variables = self.machine.variables
        variables["workflow.status"] = str(status)
        variables["workflow.duration"] = f"{self.machine.clock() - self._started:.6f}"
        variables["workflow.failures"] = json.dumps(json_text.of_struct(self._failures() or None), ensure_ascii=False)

    def _failures(self) -> list[Json]:
        workflow = self.machine.identity.name
        return [
            {
                "displayName": node.display_name,
                "message": node.message,
                "templateName": node.template,
                "phase": str(node.phase),
                "podName": argo.pod_name(workflow, node.name, node.template),
                "finishedAt": scopes.rfc3339(node.finished or node.started),
            }
            for node in self.machine.nodes.values()
            if node.phase.unsuccessful
        ]

    def _end(self, root: Node, on_exit: Node | None) -> None:
        self.machine.end_daemons(None)
        phase = root.phase if root.phase.completed else Phase.SUCCEEDED
        message = root.message if phase.unsuccessful else ""
        if phase.unsuccessful and self.machine.shutdown:
            message = f"Stopped with strategy '{self.machine.shutdown}'"
        if phase is Phase.SUCCEEDED and on_exit is not None and on_exit.phase.unsuccessful:
            phase, message = on_exit.phase, on_exit.message
        self.ending = Ending(phase, message)
        self.machine.effects.append(effects.ReleaseLocks(""))

    def _stop_late(self) -> None:
        """The workflow's deadline is over: whatever is not part of an exit handler is stopped."""
        self.machine.stop_pods(leaves.LATE)
