"""What Argo asks of a call: the template is there, it is given what it needs, arguments have values."""

from collections.abc import Mapping
from typing import Any

from argosy.engine.manifest.locations import has_location
from argosy.engine.nodes import Json
from argosy.engine.validation import names, templates
from argosy.engine.validation.problems import Problem


def check_arguments(arguments: Json, where: str) -> None:
    """Raise Problem where *arguments* are not well-formed by themselves."""
    for plural in ("parameters", "artifacts"):
        names.check_list(arguments.get(plural), f"{where}.{plural}", of_values=True)
    for position, parameter in enumerate(arguments.get("parameters") or []):
        _check_value(parameter, f"{where}.parameters[{position}]")
    for position, artifact in enumerate(arguments.get("artifacts") or []):
        _check_source(artifact, f"{where}.artifacts[{position}]")


def _check_value(parameter: Mapping[str, Any], where: str) -> None:
    source = parameter.get("valueFrom")
    if source is None and parameter.get("value") is None:
        raise Problem(f"{where}.value", "is required (or valueFrom)")
    if source is not None and "configMapKeyRef" not in source:
        raise Problem(f"{where}.valueFrom", "only allows default and configMapKeyRef")


def _check_source(artifact: Mapping[str, Any], where: str) -> None:
    templates.check_location(artifact, where)
    # The controller takes fromExpression in a template's outputs only.
    if not artifact.get("from") and not has_location(artifact):
        raise Problem(f"{where}.from", "is required (or a location); fromExpression works in outputs only")
    if artifact.get("from") and artifact.get("fromExpression"):
        raise Problem(where, "has both from and fromExpression")


def check_given(called: Json, arguments: Json, where: str) -> None:
    """Raise Problem where *arguments* leave an input of the template *called* without a value."""
    given = {entry["name"] for entry in arguments.get("parameters") or []}
    handed = {entry["name"] for entry in arguments.get("artifacts") or []}
    inputs = called.get("inputs") or {}
    for parameter in inputs.get("parameters") or []:
        has_value = any(parameter.get(name) is not None for name in ("value", "default", "valueFrom"))
        if parameter["name"] not in given and not has_value:
            raise Problem(where, f"the template's inputs.parameters.{parameter['name']} was not supplied")
    for artifact in inputs.get("artifacts") or []:
        if artifact["name"] not in handed and not artifact.get("optional") and not has_location(artifact):
            raise Problem(where, f"the template's inputs.artifacts.{artifact['name']} was not supplied")


def check_hooks(task: Json, where: str) -> None:
    """Raise Problem where a lifecycle hook has no condition."""
    for name, hook in (task.get("hooks") or {}).items():
        if name != "exit" and not hook.get("expression"):
            raise Problem(f"{where}.hooks.{name}.expression", "is required")


def check_loop(task: Json, where: str) -> None:
    """Raise Problem where a loop says in two ways what its items are."""
    given = [name for name in ("withItems", "withParam", "withSequence") if task.get(name)]
    if len(given) > 1:
        raise Problem(
            where, f"only one of withItems, withParam, withSequence can be specified; it has {' and '.join(given)}"
        )
    sequence = task.get("withSequence") or {}
    if sequence.get("count") is not None and sequence.get("end") is not None:
        raise Problem(f"{where}.withSequence", "only one of count or end can be defined")
