"""Argo's rules for a call: the template is there, it is given what it needs, arguments have values."""

from argosy.engine.manifest.artifact_model import Artifact
from argosy.engine.manifest.model import Arguments, Hooked, Parameter, Task, Template
from argosy.engine.validation import names, templates
from argosy.engine.validation.refusals import Refusal


def check_arguments(arguments: Arguments, where: str) -> None:
    """Raise Refusal where *arguments* are not well-formed by themselves."""
    names.check_each(arguments.parameters, f"{where}.parameters", of_values=True)
    names.check_each(arguments.artifacts, f"{where}.artifacts", of_values=True)
    for position, parameter in enumerate(arguments.parameters):
        _check_value(parameter, f"{where}.parameters[{position}]")
    for position, artifact in enumerate(arguments.artifacts):
        _check_source(artifact, f"{where}.artifacts[{position}]")


def _check_value(parameter: Parameter, where: str) -> None:
    has_source = parameter.written.get("valueFrom") is not None
    if not has_source and parameter.value is None:
        raise Refusal(f"{where}.value", "is required (or valueFrom)")
    if has_source and "configMapKeyRef" not in parameter.value_from.written:
        raise Refusal(f"{where}.valueFrom", "only allows default and configMapKeyRef")


def _check_source(artifact: Artifact, where: str) -> None:
    templates.check_location(artifact, where)
    # The controller takes fromExpression in a template's outputs only.
    if not artifact.source and not artifact.is_located:
        raise Refusal(f"{where}.from", "is required (or a location); fromExpression works in outputs only")
    if artifact.source and artifact.source_expression:
        raise Refusal(where, "has both from and fromExpression")


def check_given(called: Template, arguments: Arguments, where: str) -> None:
    """Raise Refusal where *arguments* leave an input of the template *called* without a value."""
    given = {entry.name for entry in arguments.parameters}
    handed = {entry.name for entry in arguments.artifacts}
    for parameter in called.inputs.parameters:
        has_value = any(parameter.written.get(name) is not None for name in ("value", "default", "valueFrom"))
        if parameter.name not in given and not has_value:
            raise Refusal(where, f"the template's inputs.parameters.{parameter.name} was not supplied")
    for artifact in called.inputs.artifacts:
        if artifact.name not in handed and not artifact.optional and not artifact.is_located:
            raise Refusal(where, f"the template's inputs.artifacts.{artifact.name} was not supplied")


def check_hooks(task: Hooked, where: str) -> None:
    """Raise Refusal where a lifecycle hook has no condition."""
    for name, hook in task.hooks.items():
        if name != "exit" and not hook.expression:
            raise Refusal(f"{where}.hooks.{name}.expression", "is required")


def check_loop(task: Task, where: str) -> None:
    """Raise Refusal where a loop says in two ways what its items are."""
    given = [name for name in ("withItems", "withParam", "withSequence") if task.written.get(name)]
    if len(given) > 1:
        raise Refusal(
            where, f"only one of withItems, withParam, withSequence can be specified; it has {' and '.join(given)}"
        )
    if (sequence := task.with_sequence) and sequence.count is not None and sequence.end is not None:
        raise Refusal(f"{where}.withSequence", "only one of count or end can be defined")
