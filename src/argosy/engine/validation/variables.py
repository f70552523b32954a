"""The variables that a place of the manifest may refer to, and a refusal of any other.

A scope is a set of names. ``item.*`` and the like stand for names that are known only when the workflow runs.
"""

from argosy.engine.expressions import tags
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.manifest.model import Arguments, Spec, Task, Template
from argosy.engine.manifest.pod_model import ObjectMeta
from argosy.engine.validation.refusals import Refusal

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


def check(value: object, scope: set[str], where: str) -> None:
    """Raise Refusal where *value* refers to a variable that is not in *scope*."""
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
        raise Refusal(where, str(error)) from None
    for tag in references:
        name = tag.body.strip()
        if tag.kind == "simple" and name.startswith(CHECKED) and not _known(name, scope):
            raise Refusal(where, f"failed to resolve {{{{{name}}}}}")


def _known(name: str, scope: set[str]) -> bool:
    if name in scope or name.startswith(_LATE):
        return True
    stands_for = (
        ("item.", ANY_ITEM),
        ("workflow.outputs.parameters.", ANY_PARAMETER),
        ("workflow.outputs.artifacts.", ANY_ARTIFACT),
    )
    return any(name.startswith(prefix) and wildcard in scope for prefix, wildcard in stands_for)


def of_workflow(arguments: Arguments, metadata: ObjectMeta, spec: Spec) -> set[str]:
    """The workflow's variables."""
    names = ("name", "namespace", "mainEntrypoint", "serviceAccountName", "uid", "status")
    scope = {f"workflow.{name}" for name in names}
    scope |= {f"workflow.{kind}{suffix}" for kind in ("annotations", "labels") for suffix in ("", ".json")}
    if arguments.parameters:
        scope |= {"workflow.parameters", "workflow.parameters.json"}
        scope |= {f"workflow.parameters.{parameter.name}" for parameter in arguments.parameters}
    for given in (metadata, spec.metadata):
        scope |= {f"workflow.annotations.{key}" for key in given.annotations}
        scope |= {f"workflow.labels.{key}" for key in given.labels}
    if spec.priority is not None:
        scope.add("workflow.priority")
    return scope


def of_inputs(called: Template) -> set[str]:
    """A template's own inputs."""
    inputs = called.inputs
    scope = {f"inputs.parameters.{parameter.name}" for parameter in inputs.parameters}
    scope |= {"inputs.parameters"}
    scope |= {f"inputs.artifacts.{artifact.name}" for artifact in inputs.artifacts}
    return scope | {f"inputs.artifacts.{artifact.name}.path" for artifact in inputs.artifacts if artifact.path}


def of_leaf(called: Template) -> set[str]:
    """The variables that only a template that runs a pod may refer to."""
    scope = {"pod.name"}
    scope |= {f"outputs.artifacts.{artifact.name}.path" for artifact in called.outputs.artifacts}
    return scope | {f"outputs.parameters.{parameter.name}.path" for parameter in called.outputs.parameters}


def of_call(kind: str, name: str, called: Template, *, loop: bool = False) -> set[str]:
    """The variables, for others, of the task or step *name*, which calls the template *called*."""
    prefix = f"{kind}.{name}"
    scope = {f"{prefix}.{fact}" for fact in ("id", "startedAt", "finishedAt", "hostNodeName")}
    if any(part in called.written for part in _WITH_RESULT) or _has_main(called):
        scope |= {f"{prefix}.outputs.result", f"{prefix}.exitCode"}
    if called.daemon:
        scope.add(f"{prefix}.ip")
    scope |= {f"{prefix}.outputs.parameters.{parameter.name}" for parameter in called.outputs.parameters}
    scope |= {f"{prefix}.outputs.artifacts.{artifact.name}" for artifact in called.outputs.artifacts}
    return scope | ({f"{prefix}.outputs.parameters"} if loop else set())


def _has_main(called: Template) -> bool:
    """True where *called* is a container set with a container whose output and exit code are the pod's."""
    return any(container.name == "main" for container in called.container_set.containers)


def exported_by(called: Template) -> set[str]:
    """The workflow's outputs that the template *called* adds."""
    scope = set()
    for plural, wildcard, entries in (
        ("parameters", ANY_PARAMETER, called.outputs.parameters),
        ("artifacts", ANY_ARTIFACT, called.outputs.artifacts),
    ):
        for name in (entry.global_name for entry in entries if entry.global_name):
            scope.add(wildcard if "{{" in name else f"workflow.outputs.{plural}.{name}")
    return scope


def of_items(task: Task) -> set[str]:
    """The words that may follow ``{{item}}`` in the task or step *task*."""
    if task.with_param:
        return {"item", ANY_ITEM}
    if task.with_sequence is not None:
        return {"item"}
    scope = set()
    for item in task.with_items:
        if isinstance(item, dict):
            scope |= {f"item.{key}" for key in item}
        elif isinstance(item, list):
            scope |= {f"item.[{position}]" for position in range(len(item))}
        else:
            scope.add("item")
    return scope
