"""Templates that call no others: a container, a script, a pause."""

from collections.abc import Mapping

from argosy.argo import NodeType, Phase
from argosy.engine import durations, effects
from argosy.engine.effects import PodResult
from argosy.engine.machine.calls import Call
from argosy.engine.machine.core import Machine
from argosy.engine.machine.substitution import replace
from argosy.engine.manifest import claims
from argosy.engine.manifest.model import Template
from argosy.engine.manifest.pod_model import Volume
from argosy.engine.nodes import Node, Outputs

UNHEARD = "Pod Failed whilst container running"
LATE = "Step exceeded its deadline"


def pod(machine: Machine, call: Call, template: Template) -> None:
    """The body of a container or script template."""
    _work(machine, call, template, NodeType.POD)


def request(machine: Machine, call: Call, template: Template) -> None:
    """The body of an ``http`` template, which needs no pod of its own."""
    _work(machine, call, template, NodeType.HTTP)


def _work(machine: Machine, call: Call, template: Template, kind: NodeType) -> None:
    node = machine.create(call, kind, Phase.PENDING)
    if machine.past_deadline() and not call.on_exit:
        machine.finish(call, node, Phase.FAILED, LATE)
        return

    if machine.is_shut_for(on_exit=call.on_exit):
        machine.finish(call, node, Phase.FAILED, f"workflow shutdown with strategy: {machine.shutdown}")
        return

    def ended(result: PodResult) -> None:
        if result.phase is Phase.SUCCEEDED:
            outputs: Outputs | None = result.outputs
        else:
            outputs = result.outputs if result.outputs != Outputs() else None
        # What should go on and does not has failed, however it ended.
        phase = Phase.FAILED if template.daemon and result.phase is Phase.SUCCEEDED else result.phase
        if node.daemoned:
            machine.fail_daemon(node, phase, result.message, outputs)
            if call.fell:
                call.fell(node)
            return
        machine.export(node, template, outputs)
        node.cached = result.cached
        machine.finish(call, node, phase, result.message, outputs)

    def ready() -> None:
        if not node.fulfilled:
            machine.become_daemon(node, settled=template.kind == "container")
            machine.post(lambda: call.done(node))

    machine.start_pod(_request(machine, call, template), ended, on_exit=call.on_exit, ready=ready)


def container_set(machine: Machine, call: Call, template: Template) -> None:
    """The body of a container set: a pod, and a node for each of its containers, as the controller has them."""
    parts: list[Node] = []
    done = call.done

    def ended(node: Node) -> None:
        for part in parts:  # those that the pod's end left without one of their own
            stopped = node.phase is Phase.FAILED and node.message
            machine.end_part(part, Phase.FAILED, stopped or UNHEARD)
        done(node)

    call.done = ended
    pod(machine, call, template)
    if machine.nodes[call.name].fulfilled:
        return
    for container in template.container_set.containers:
        needs = container.dependencies
        parts.append(
            machine.add(
                f"{call.name}.{container.name}",
                NodeType.CONTAINER,
                Phase.PENDING,
                template=machine.nodes[call.name].template,
                boundary=call.name,
                parent=f"{call.name}.{needs[0]}" if needs else call.name,
            )
        )


def _request(machine: Machine, call: Call, template: Template) -> effects.StartPod:
    moments = [machine.deadline if not call.on_exit else None, call.execution_deadline]
    if template.timeout:
        moments.append(machine.nodes[call.name].started + durations.seconds(template.timeout))
    given = [moment for moment in moments if moment is not None]
    limit = template.active_deadline_seconds
    volumes = claims.all_of(machine.catalogue.workflow, template, machine.identity.name)
    return effects.StartPod(
        name=call.name,
        template=template,
        volumes=[Volume(replace(volume.written, machine.variables)) for volume in volumes],
        keeps_result=call.keeps_result,
        deadline=min(given) if given else None,
        limit=float(limit) if limit is not None else None,
    )


def suspend(machine: Machine, call: Call, template: Template) -> None:
    """The body of a suspend template: it succeeds when its time is over or somebody resumes it."""
    node = machine.create(call, NodeType.SUSPEND, Phase.RUNNING)
    duration = template.suspend.duration
    try:
        over = node.started + durations.seconds(duration) if duration else None
    except ValueError as error:
        machine.finish(call, node, Phase.ERROR, str(error))
        return

    def end(phase: Phase, message: str, outputs: Outputs | None = None) -> None:
        if not node.fulfilled:
            machine.unpause(node.name)
            machine.export(node, template, outputs)
            machine.finish(call, node, phase, message, outputs)

    def resume(given: Mapping[str, str], message: str) -> None:
        outputs, lacking = _supplied(template, given)
        if lacking:
            end(Phase.ERROR, f"output parameter {lacking!r} has neither a value nor a default")
        else:
            end(Phase.SUCCEEDED, message, outputs)

    strategy = "workflow shutdown with strategy:  "
    if machine.is_shut_for(on_exit=call.on_exit):
        end(Phase.FAILED, strategy + str(machine.shutdown))
        return
    machine.pause(node.name, resume, lambda: end(Phase.FAILED, strategy + str(machine.shutdown)))
    deadline = machine.deadline if not call.on_exit else None
    if deadline is not None and (over is None or deadline < over):
        machine.at(deadline, lambda: end(Phase.FAILED, LATE))
    elif over is not None:
        machine.at(over, lambda: resume({}, ""))


def _supplied(template: Template, given: Mapping[str, str]) -> tuple[Outputs | None, str | None]:
    """The output parameters that somebody supplied, or their defaults; and the first that has neither."""
    outputs = Outputs()
    for parameter in template.outputs.parameters:
        value = given.get(parameter.name, parameter.value_from.default)
        if value is None:
            return None, parameter.name
        outputs.parameters[parameter.name] = value
    return (outputs if outputs.parameters else None), None
