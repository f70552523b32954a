"""Which variables a place of the manifest may refer to, and whether it refers to any other.

A scope is a set of names. ``item.*`` and the like stand for names that are known only when the workflow runs.
"""

from collections.abc import Mapping
from typing import Any

from argosy.engine.expressions import tags
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.nodes import Json
from argosy.engine.validation.problems import Problem

CHECKED = ("item.", "steps.", "inputs.", "outputs.", "pod.", "workflow.", "tasks.")
"""Other names are nobody's: text that happens to stand in braces stays as it is."""

ANY_ITEM = "item.*"
ANY_PARAMETER = "workflow.outputs.parameters.*"
ANY_ARTIFACT = "workflow.outputs.artifacts.*"

# Known only when the workflow runs, whatever is in scope.
_LATE = (
    "outputs.",
    "workflow.creationTimestamp",
    "workflow.scheduledTime",
    "workflow.duration",
    "tasks.name",
    "steps.name",
    "node.name",
)
_WITH_RESULT = ("container", "script", "data", "http")


def check(value: Any, scope: set[str], where: str) -> None:
    """Raise Problem where *value* refers to a variable that is not in *scope*."""
    if isinstance(value, str):
        if "{{" in value:
            _check_text(value, scope, where)
    elif isinstance(value, dict):
        for key, entry in value.items():
            check(entry, scope, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for position, entry in enumerate(value):
            check(entry, scope, f"{where}[{position}]")


def _check_text(text: str, scope: set[str], where: str) -> None:
    try:
        references = tags.references(text)
    except ExpressionError as error:
        raise Problem(where, str(error)) from None
    for tag in references:
        name = tag.body.strip()
        if tag.kind == "simple" and name.startswith(CHECKED) and not _known(name, scope):
            raise Problem(where, f"failed to resolve {{{{{name}}}}}")


def _known(name: str, scope: set[str]) -> bool:
    if name in scope or name.startswith(_LATE):
        return True
    stands_for = (
        ("item.", ANY_ITEM),
        ("workflow.outputs.parameters.", ANY_PARAMETER),
        ("workflow.outputs.artifacts.", ANY_ARTIFACT),
    )
    return any(name.startswith(prefix) and wildcard in scope for prefix, wildcard in stands_for)


def of_workflow(arguments: Json, metadata: Json, spec: Json) -> set[str]:
    """The workflow's variables."""
    names = ("name", "namespace", "mainEntrypoint", "serviceAccountName", "uid", "status")
    scope = {f"workflow.{name}" for name in names}
    scope |= {f"workflow.{kind}{suffix}" for kind in ("annotations", "labels") for suffix in ("", ".json")}
    if parameters := arguments.get("parameters"):
        scope |= {"workflow.parameters", "workflow.parameters.json"}
        scope |= {f"workflow.parameters.{parameter['name']}" for parameter in parameters}
    for kind in ("annotations", "labels"):
        extra = (spec.get("workflowMetadata") or {}).get(kind) or {}
        scope |= {f"workflow.{kind}.{key}" for key in [*(metadata.get(kind) or {}), *extra]}
    if spec.get("priority") is not None:
        scope.add("workflow.priority")
    return scope


def of_inputs(called: Mapping[str, Any]) -> set[str]:
    """A template's own inputs."""
    inputs = called.get("inputs") or {}
    parameters, artifacts = inputs.get("parameters") or [], inputs.get("artifacts") or []
    scope = {f"inputs.parameters.{parameter['name']}" for parameter in parameters}
    scope |= {"inputs.parameters"}
    scope |= {f"inputs.artifacts.{artifact['name']}" for artifact in artifacts}
    return scope | {f"inputs.artifacts.{artifact['name']}.path" for artifact in artifacts if artifact.get("path")}


def of_leaf(called: Mapping[str, Any]) -> set[str]:
    """What only a template that runs a pod may refer to."""
    outputs = called.get("outputs") or {}
    scope = {"pod.name"}
    scope |= {f"outputs.artifacts.{artifact['name']}.path" for artifact in outputs.get("artifacts") or []}
    return scope | {f"outputs.parameters.{parameter['name']}.path" for parameter in outputs.get("parameters") or []}


def of_call(kind: str, name: str, called: Mapping[str, Any], *, status: bool = False, loop: bool = False) -> set[str]:
    """What others may say about the task or step *name*, which calls the template *called*."""
    prefix = f"{kind}.{name}"
    scope = {f"{prefix}.{fact}" for fact in ("id", "startedAt", "finishedAt", "hostNodeName")}
    if any(part in called for part in _WITH_RESULT) or _has_main(called):
        scope |= {f"{prefix}.outputs.result", f"{prefix}.exitCode"}
    if called.get("daemon"):
        scope.add(f"{prefix}.ip")
    outputs = called.get("outputs") or {}
    for plural in ("parameters", "artifacts"):
        scope |= {f"{prefix}.outputs.{plural}.{entry['name']}" for entry in outputs.get(plural) or []}
    scope |= {f"{prefix}.status"} if status else set()
    return scope | ({f"{prefix}.outputs.parameters"} if loop else set())


def _has_main(called: Mapping[str, Any]) -> bool:
    """Whether *called* is a container set with a container whose output and exit code are the pod's."""
    containers = (called.get("containerSet") or {}).get("containers") or []
    return any(container.get("name") == "main" for container in containers)


def exported_by(called: Mapping[str, Any]) -> set[str]:
    """The workflow's outputs that the template *called* adds."""
    scope = set()
    outputs = called.get("outputs") or {}
    for plural, wildcard in (("parameters", ANY_PARAMETER), ("artifacts", ANY_ARTIFACT)):
        for entry in outputs.get(plural) or []:
            if name := entry.get("globalName"):
                scope.add(wildcard if "{{" in name else f"workflow.outputs.{plural}.{name}")
    return scope


def of_items(task: Mapping[str, Any]) -> set[str]:
    """What ``{{item}}`` may be followed by in the task or step *task*."""
    if task.get("withParam"):
        return {"item", ANY_ITEM}
    if task.get("withSequence") is not None:
        return {"item"}
    scope = set()
    for item in task.get("withItems") or []:
        if isinstance(item, dict):
            scope |= {f"item.{key}" for key in item}
        elif isinstance(item, list):
            scope |= {f"item.[{position}]" for position in range(len(item))}
        else:
            scope.add("item")
    return scope
