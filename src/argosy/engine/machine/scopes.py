"""Values of a manifest's variables at a place: the workflow's, a finished task's, a loop's collected outputs.

A scope is flat: ``{"tasks.a.outputs.result": "1"}``. None marks an output that a skipped task never produced: known, but absent.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from argosy import argo
from argosy.argo import Phase
from argosy.engine import nodes
from argosy.engine.expressions import json_text, values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.manifest.model import Arguments, Parameter, Spec, Template
from argosy.engine.manifest.pod_model import ObjectMeta
from argosy.engine.nodes import Node, Outputs

Scope = dict[str, object]


def inputs(template: Template) -> Scope:
    """The inputs of a template whose arguments were processed."""
    given = template.inputs
    scope: Scope = {
        f"inputs.parameters.{entry.name}": entry.value for entry in given.parameters if entry.value is not None
    }
    return scope | {f"inputs.artifacts.{entry.name}": entry.written for entry in given.artifacts}


def of_node(kind: str, name: str, node: Node, workflow: str) -> Scope:
    """The variables of the task or step *name* for others (*kind*: ``tasks`` or ``steps``) once its node is there."""
    prefix = f"{kind}.{name}"
    scope: Scope = {
        f"{prefix}.id": argo.node_id(workflow, node.name),
        f"{prefix}.status": str(node.phase),
        f"{prefix}.startedAt": rfc3339(node.started),
    }
    if node.daemoned:
        scope[f"{prefix}.ip"] = nodes.POD_ADDRESS
    if node.finished is not None:
        scope[f"{prefix}.finishedAt"] = rfc3339(node.finished)
    return scope | of_outputs(prefix, node.outputs)


def of_outputs(prefix: str, outputs: Outputs | None) -> Scope:
    """The outputs of a node under *prefix*."""
    if outputs is None:
        return {}
    scope: Scope = {f"{prefix}.outputs.parameters.{key}": value for key, value in outputs.parameters.items()}
    scope |= {f"{prefix}.outputs.artifacts.{key}": artifact for key, artifact in outputs.artifacts.items()}
    if outputs.result is not None:
        scope[f"{prefix}.outputs.result"] = outputs.result
    if outputs.exit_code is not None:
        scope[f"{prefix}.exitCode"] = outputs.exit_code
    return scope


def of_absent(prefix: str, template: Template, *, artifacts: bool) -> Scope:
    """The outputs that a skipped or omitted node would have had: their declared default, or known to be absent.

    *artifacts*: whether references to its artifacts resolve to nothing (steps) rather than not at all (tasks).
    """
    declared = template.outputs
    scope: Scope = {
        f"{prefix}.outputs.parameters.{entry.name}": entry.value_from.default for entry in declared.parameters
    }
    if artifacts:
        scope |= {f"{prefix}.outputs.artifacts.{entry.name}": {"name": entry.name} for entry in declared.artifacts}
    return scope


def of_loop(kind: str, name: str, children: Iterable[Node]) -> Scope:
    """The collected outputs of a loop's succeeded *children*, in the loop's order."""
    results: list[str] = []
    rows: list[dict[str, str]] = []
    columns: dict[str, list[str]] = {}
    for child in children:
        if child.outputs is None or child.phase is not Phase.SUCCEEDED:
            continue
        if child.outputs.parameters:
            rows.append(child.outputs.parameters)
            for key, value in child.outputs.parameters.items():
                columns.setdefault(key, []).append(value)
        if child.outputs.result is not None:
            results.append(_entry(child.outputs.result))
    prefix = f"{kind}.{name}.outputs"
    scope: Scope = {f"{prefix}.result": f"[{','.join(results)}]", f"{prefix}.parameters": values.to_json(rows)}
    return scope | {f"{prefix}.parameters.{key}": _column(values) for key, values in columns.items()}


def _column(written: list[str]) -> str:
    """One output over a loop: a list of strings, or of objects and lists where every value is one."""
    try:
        # Go reads numbers as floats, and does not go on where one is larger than a float can be.
        decoded = [json_text.read(value, parse_int=float) for value in written]
        collections = all(isinstance(entry, dict | list) for entry in decoded)
        return values.to_json(decoded) if collections else json_text.of_struct(written)
    except (ValueError, ExpressionError):
        return json_text.of_struct(written)


def _entry(result: str) -> str:
    """A result as an entry of a JSON list, as it was written. Raises ValueError where it is no JSON."""
    json_text.read(result, parse_int=float)
    return json_text.compact(result)


SCHEDULED_TIME = "workflows.argoproj.io/scheduled-time"
"""The annotation that says for when a CronWorkflow's workflow was due."""


def workflow_constants(name: str, uid: str, created: float, metadata: ObjectMeta, spec: Spec) -> Scope:
    """The ``workflow.*`` that never change, except parameters."""
    scope: Scope = {
        "workflow.name": name,
        "workflow.namespace": metadata.namespace or "argo",
        "workflow.mainEntrypoint": spec.entrypoint,
        "workflow.serviceAccountName": spec.service_account,
        "workflow.uid": uid,
        "workflow.creationTimestamp": rfc3339(created),
        "workflow.creationTimestamp.RFC3339": rfc3339(created),
        "workflow.creationTimestamp.s": str(int(created)),
    }
    if spec.priority is not None:
        scope["workflow.priority"] = str(spec.priority)
    moment = datetime.fromtimestamp(created, UTC)
    scope |= {f"workflow.creationTimestamp.{char}": moment.strftime(f"%{char}") for char in _STRFTIME}
    scope["workflow.creationTimestamp.L"] = ".000"  # a cluster keeps whole seconds
    if scheduled := metadata.annotations.get(SCHEDULED_TIME):
        scope["workflow.scheduledTime"] = scheduled
    own, extra = metadata, spec.metadata
    for kind, given, added in (
        ("annotations", own.annotations, extra.annotations),
        ("labels", own.labels, extra.labels),
    ):
        scope |= {f"workflow.{kind}.{key}": value for key, value in given.items()}
        scope[f"workflow.{kind}"] = scope[f"workflow.{kind}.json"] = values.to_json(given or None)
        scope |= {f"workflow.{kind}.{key}": value for key, value in added.items()}
    return scope


# The letters of strftime that the controller offers, beside %L, which it writes with its point.
_STRFTIME = "ABHIMSYZabdmpyz"


def workflow_parameters(arguments: Arguments) -> Scope:
    """The workflow's parameters, one by one and all together."""
    parameters = arguments.parameters
    scope: Scope = {f"workflow.parameters.{entry.name}": entry.value for entry in parameters}
    scope["workflow.parameters"] = scope["workflow.parameters.json"] = parameters_json(parameters)
    return scope


_PARAMETER = ("name", "default", "value", "valueFrom", "globalName", "enum", "description")


def parameters_json(parameters: Sequence[Parameter]) -> str:
    """*parameters* in one text, their fields in the order in which Argo's own type has them."""
    ordered = [{field: entry.written[field] for field in _PARAMETER if field in entry.written} for entry in parameters]
    return json_text.of_struct(ordered or None)


def rfc3339(moment: float) -> str:
    """A time as Argo writes it: whole seconds, UTC."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
