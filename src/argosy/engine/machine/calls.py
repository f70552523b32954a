"""A call of a template: who calls it with what, and the template once its arguments are in place.

Follows the controller's ``ProcessArgs`` and ``SubstituteParams``. What is then done with the template is ``core``'s business.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from argosy.engine.machine import scopes, substitution
from argosy.engine.manifest import locations
from argosy.engine.manifest.catalogue import Owner
from argosy.engine.nodes import Json, Node

Done = Callable[["Node"], None]
"""Is told of a finished node."""

ABSENT = "__argosy.absent-optional-output__"
"""The value of an argument that is nothing but a reference to an output which a skipped task never produced."""

CONTAINERS = ("container", "script", "containerSet")


class CallError(Exception):
    """The template cannot be called this way."""


@dataclass
class Call:
    """One call of a template."""

    name: str
    """The node's name."""
    holder: Json
    """What names the template: a task, a step or a hook."""
    owner: Owner
    """Where the template's name is looked up."""
    done: Callable[[Node], None]
    arguments: Json = field(default_factory=dict)
    boundary: str | None = None
    parent: str | None = None
    extra: dict[str, object] = field(default_factory=dict)
    """Variables of this call alone, such as ``tasks.name``."""
    on_exit: bool = False
    hooked: bool = False
    depth: int = 0
    execution_deadline: float | None = None
    memo: Json | None = None
    """What the node's ``memoizationStatus`` says."""
    keeps_result: bool = False
    """Whether somebody refers to its standard output."""
    fell: Done | None = None
    """Is told of the node where it is a daemon that ends by itself."""


def kind_of(template: Mapping[str, Any]) -> str:
    """Which of the template types *template* is."""
    return next(
        (kind for kind in (*CONTAINERS, "dag", "steps", "suspend", "http", "data", "resource") if kind in template), ""
    )


def process(
    template: Json, arguments: Json, scope: Mapping[str, object], config_maps: Mapping[str, Mapping[str, str]]
) -> Json:
    """*template* with *arguments* as its inputs and every variable replaced that is known now.

    *scope*: the workflow's variables and the call's own. Raises CallError or ExpressionError.
    """
    inputs = dict(template.get("inputs") or {})
    if "parameters" in inputs:
        given = {entry["name"]: entry for entry in arguments.get("parameters") or []}
        inputs["parameters"] = [_parameter(entry, given, scope, config_maps) for entry in inputs["parameters"] or []]
    if "artifacts" in inputs:
        handed = {entry["name"]: entry for entry in arguments.get("artifacts") or []}
        inputs["artifacts"] = [_artifact(entry, handed.get(entry["name"])) for entry in inputs["artifacts"] or []]
    return substitute({**template, "inputs": inputs}, scope)


def substitute(template: Json, scope: Mapping[str, object]) -> Json:
    """The variables of *template* replaced in two passes: a workflow variable may stand in an input's value."""
    first: Json = substitution.replace(template, scope)
    own = _own_scope(first)
    second: Json = substitution.replace(first, {**scope, **own})
    return second


def _own_scope(template: Json) -> dict[str, object]:
    inputs = template.get("inputs") or {}
    parameters = inputs.get("parameters") or []
    for parameter in parameters:
        if parameter.get("value") is None:
            raise CallError(f"inputs.parameters.{parameter['name']} had no value")
    own: dict[str, object] = {f"inputs.parameters.{entry['name']}": entry["value"] for entry in parameters}
    own["inputs.parameters"] = scopes.parameters_json(parameters)
    outputs = template.get("outputs") or {}
    for direction, artifacts in (("inputs", inputs), ("outputs", outputs)):
        for artifact in artifacts.get("artifacts") or []:
            if artifact.get("path"):
                own[f"{direction}.artifacts.{artifact['name']}.path"] = artifact["path"]
    for parameter in outputs.get("parameters") or []:
        if path := (parameter.get("valueFrom") or {}).get("path"):
            own[f"outputs.parameters.{parameter['name']}.path"] = path
    return own


def _parameter(
    declared: Json,
    given: Mapping[str, Json],
    scope: Mapping[str, object],
    config_maps: Mapping[str, Mapping[str, str]],
) -> Json:
    parameter = dict(declared)
    name = parameter["name"]
    if parameter.get("default") is not None:
        parameter["value"] = parameter["default"]
    argument = given.get(name) or {}
    if argument.get("value") == ABSENT:
        if parameter.get("value") is None and not parameter.get("valueFrom"):
            raise CallError(
                f"inputs.parameters.{name}: argument references an absent optional (skipped/omitted node output with no default)"
            )
    elif argument.get("value") is not None:
        parameter["value"] = argument["value"]
        parameter.pop("valueFrom", None)
    elif argument.get("valueFrom"):
        parameter["valueFrom"] = argument["valueFrom"]
    reference = (parameter.get("valueFrom") or {}).get("configMapKeyRef")
    if parameter.get("value") is None and reference:
        parameter["value"] = config_map_value(
            substitution.replace(reference, scope),
            config_maps,
            parameter["valueFrom"].get("default"),
            f"inputs.parameters.{name}",
        )
    return parameter


def config_map_value(
    reference: Json, config_maps: Mapping[str, Mapping[str, str]], default: str | None, where: str
) -> str:
    """The entry of a ConfigMap that *reference* names, or *default*. Raises CallError where there is neither."""
    name, key = reference.get("name", ""), reference.get("key", "")
    values = config_maps.get(name, {})
    if key is not None and key in values:
        return values[key]
    if default is not None:
        return default
    wanting = f"ConfigMap {name!r} has no key {key!r}" if name in config_maps else f"there is no ConfigMap {name!r}"
    raise CallError(f"{where}: {wanting} on this machine; name a file that has it (-f)")


def _artifact(declared: Json, handed: Json | None) -> Json:
    name = declared["name"]
    if not declared.get("optional") and not locations.has_location(declared):
        if handed is None:
            raise CallError(f"inputs.artifacts.{name} was not supplied")
        if not locations.has_location(handed):
            raise CallError(f"inputs.artifacts.{name} missing location information")
    if handed is None:
        return declared
    kept = {key: declared[key] for key in ("path", "mode", "recurseMode") if key in declared}
    return (
        {key: value for key, value in handed.items() if key not in ("path", "mode", "recurseMode")}
        | kept
        | {"name": name}
    )
