"""Templates that call no others: a container, a script, a pause."""

from argosy.engine import durations
from argosy.engine.machine import effects
from argosy.engine.machine.calls import Call
from argosy.engine.machine.core import Machine
from argosy.engine.machine.effects import PodResult
from argosy.engine.machine.substitution import replace
from argosy.engine.nodes import Json, NodeType, Outputs, Phase

LATE = "Step exceeded its deadline"


def pod(machine: Machine, call: Call, template: Json) -> None:
    """The body of a container or script template."""
    node = machine.create(call, NodeType.POD, Phase.PENDING)
    if machine.past_deadline() and not call.on_exit:
        machine.finish(call, node, Phase.FAILED, LATE)
        return

    def ended(result: PodResult) -> None:
        if result.phase is Phase.SUCCEEDED:
            outputs: Outputs | None = result.outputs
        else:
            outputs = result.outputs if result.outputs != Outputs() else None
        machine.export(template, outputs)
        node.cached = result.cached
        machine.finish(call, node, result.phase, result.message, outputs)

    machine.start_pod(_request(machine, call, template), ended, on_exit=call.on_exit)


def _request(machine: Machine, call: Call, template: Json) -> effects.StartPod:
    moments = [machine.deadline if not call.on_exit else None, call.execution_deadline]
    if template.get("timeout"):
        moments.append(machine.nodes[call.name].started + durations.seconds(str(template["timeout"])))
    given = [moment for moment in moments if moment is not None]
    limit = template.get("activeDeadlineSeconds")
    volumes = (machine.catalogue.spec.get("volumes") or []) + (template.get("volumes") or [])
    return effects.StartPod(
        name=call.name,
        template=template,
        volumes=replace(volumes, machine.variables),
        keeps_result=call.keeps_result,
        deadline=min(given) if given else None,
        limit=float(limit) if limit is not None else None,
    )


def suspend(machine: Machine, call: Call, template: Json) -> None:
    """The body of a suspend template with a duration: it succeeds when the time is over."""
    node = machine.create(call, NodeType.SUSPEND, Phase.RUNNING)
    try:
        over = node.started + durations.seconds(str(template["suspend"]["duration"]))
    except ValueError as error:
        machine.finish(call, node, Phase.ERROR, str(error))
        return
    late = machine.deadline is not None and not call.on_exit and machine.deadline < over

    def wake() -> None:
        phase, message = (Phase.FAILED, LATE) if late else (Phase.SUCCEEDED, "")
        machine.finish(call, node, phase, message)

    machine.at(machine.deadline if late and machine.deadline is not None else over, wake)
