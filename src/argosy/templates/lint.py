"""Lint rules about a manifest's safety, whatever would run it.

Each rule names the path of the field, what is wrong, and what to write instead. Whether a manifest is a valid Argo workflow, with every
name and reference in place, is the engine's judgement; that every field exists and has its type is that of Argo's own models.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hera.workflows import models as argo
from pydantic import BaseModel, ValidationError

KINDS: dict[str, type[BaseModel]] = {
    "ClusterWorkflowTemplate": argo.ClusterWorkflowTemplate,
    "CronWorkflow": argo.CronWorkflow,
    "Workflow": argo.Workflow,
    "WorkflowTemplate": argo.WorkflowTemplate,
}

Manifest = Mapping[str, Any]
Rule = Callable[[Manifest], Iterator[str]]


def problems(manifest: Manifest, *, production: bool = False) -> list[str]:
    """Everything that is wrong with *manifest*, a sentence each, led by the path of the field."""
    rules = [_is_argo, _code_takes_no_values, _no_node, _no_privileges, _tokens_stay_with_argo, _no_expressions]
    if production:
        rules.append(_images_are_pinned)
    return [problem for rule in rules for problem in rule(manifest)]


def _is_argo(manifest: Manifest) -> Iterator[str]:
    kind = KINDS.get(manifest.get("kind", ""))
    if kind is None:
        yield (
            f"kind: {manifest['kind']!r} is no workflow; expected one of {', '.join(sorted(KINDS))}"
            if "kind" in manifest
            else "kind: is missing, so this is no manifest; the files of a model, and its gates, are checked by its folder: "
            "`argosy lint workflows/NAME`"
        )
        return
    try:
        kind.model_validate(manifest)
    except ValidationError as error:
        for details in error.errors():
            if not _may_be_any_scalar(details["loc"], details["input"]):
                yield f"{'.'.join(str(part) for part in details['loc'])}: {details['msg']}"


def _may_be_any_scalar(where: tuple[int | str, ...], value: object) -> bool:
    """True where *value* at *where* is one that Argo or Kubernetes reads into a text: Hera's models want a text to begin with."""
    if not isinstance(value, bool | int | float):
        return False
    named = [part for part in where if isinstance(part, str)]
    is_quantity = "sizeLimit" in named[-1:] or {"limits", "requests"}.intersection(named[-2:-1])
    fields = named[len(named) - named[::-1].index("parameters") :] if "parameters" in named else []
    return fields in _ANY_SCALAR or bool(is_quantity and not isinstance(value, bool))


_ANY_SCALAR = (["value"], ["default"], ["enum"], ["valueFrom", "default"])
"""Of a parameter."""


def _code_takes_no_values(manifest: Manifest) -> Iterator[str]:
    for path, container in _containers(manifest):
        for field in ("source", "command", "args"):
            if field == "args" and container.get("command") in _PRINTING:
                continue
            if "{{" in str(container.get(field, "")):
                yield (
                    f"{path}.{field}: a value is pasted into code; a parameter that holds a quote becomes a command. "
                    "Hand it over in `env` and read it there"
                )


_PRINTING = (["echo"], ["printf"])
"""Commands that do nothing with their arguments but write them."""


def _no_node(manifest: Manifest) -> Iterator[str]:
    for path, holder in [("spec", manifest.get("spec", {})), *_templates(manifest)]:
        for index, volume in enumerate(holder.get("volumes") or []):
            if "hostPath" in volume:
                yield f"{path}.volumes[{index}].hostPath: a step must not see the node's files; use emptyDir or an artifact"


def _no_privileges(manifest: Manifest) -> Iterator[str]:
    spec = manifest.get("spec", {})
    for field in ("hostNetwork", "podSpecPatch"):
        if spec.get(field):
            yield f"spec.{field}: lets a step out of its pod; remove it"
    for path, template in _templates(manifest):
        if template.get("podSpecPatch"):
            yield f"{path}.podSpecPatch: passes every restriction that Argo puts on submitters; remove it"
    for path, container in _containers(manifest):
        context = container.get("securityContext") or {}
        for field in ("privileged", "allowPrivilegeEscalation"):
            if context.get(field):
                yield f"{path}.securityContext.{field}: must not be true"


def _tokens_stay_with_argo(manifest: Manifest) -> Iterator[str]:
    spec = manifest.get("spec", {})
    if (
        manifest.get("kind") in ("Workflow", "WorkflowTemplate")
        and spec.get("automountServiceAccountToken") is not False
    ):
        yield "spec.automountServiceAccountToken: set it to false, and executor.serviceAccountName, so that no step holds a token"


def _no_expressions(manifest: Manifest) -> Iterator[str]:
    for path, container in _containers(manifest):
        for index, variable in enumerate(container.get("env", [])):
            if "{{=" in str(variable.get("value", "")):
                yield f"{path}.env[{index}]: an expression is evaluated by the controller; compute the value in a step"


def _images_are_pinned(manifest: Manifest) -> Iterator[str]:
    for path, container in _containers(manifest):
        image = str(container.get("image", ""))
        if "@sha256:" not in image:
            yield f"{path}.image: {image!r} is a tag, which can change; run `make images` and compile again"


def _templates(manifest: Manifest) -> Iterator[tuple[str, Manifest]]:
    spec = manifest.get("spec", {})
    for index, template in enumerate(spec.get("templates", [])):
        yield f"spec.templates[{index}] ({template.get('name')})", template


def _containers(manifest: Manifest) -> Iterator[tuple[str, Manifest]]:
    for path, template in _templates(manifest):
        for field in ("container", "script"):
            if field in template:
                yield f"{path}.{field}", template[field]
        several = {field: template.get(field) for field in ("initContainers", "sidecars")}
        several["containerSet.containers"] = (template.get("containerSet") or {}).get("containers")
        for field, containers in several.items():
            for index, container in enumerate(containers or []):
                yield f"{path}.{field}[{index}]", container
