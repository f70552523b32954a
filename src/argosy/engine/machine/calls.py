"""A call of a template: who calls it with what, and the template once its arguments are in place.

Follows the controller's ``ProcessArgs`` and ``SubstituteParams``. What is then done with the template is ``core``'s business.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from argosy.engine.machine import scopes, substitution
from argosy.engine.manifest.artifact_model import Artifact
from argosy.engine.manifest.catalogue import Owner
from argosy.engine.manifest.model import Arguments, Caller, Parameter, Template
from argosy.engine.manifest.pod_model import KeySelector
from argosy.engine.nodes import Json, Node

Done = Callable[["Node"], None]
"""Is told of a finished node."""

ABSENT = "__argosy.absent-optional-output__"
"""The value of an argument that is nothing but a reference to an output which a skipped task never produced."""

ConfigMaps = Mapping[str, Mapping[str, str]]


class CallError(Exception):
    """The template cannot be called this way."""


@dataclass
class Call:
    """One call of a template."""

    name: str
    """The node's name."""
    holder: Caller
    """The task, step or hook that names the template."""
    owner: Owner
    """The resource in which the template's name is looked up."""
    done: Callable[[Node], None]
    arguments: Arguments = field(default_factory=lambda: Arguments({}))
    boundary: str | None = None
    parent: str | None = None
    extra: dict[str, object] = field(default_factory=dict)
    """Variables of this call alone, such as ``tasks.name``."""
    on_exit: bool = False
    hooked: bool = False
    depth: int = 0
    execution_deadline: float | None = None
    memo: Json | None = None
    """The node's ``memoizationStatus``."""
    keeps_result: bool = False
    """True where somebody refers to the call's standard output."""
    fell: Done | None = None
    """Is told of the node where it is a daemon that ends by itself."""


def process(template: Template, arguments: Arguments, scope: Mapping[str, object], config_maps: ConfigMaps) -> Template:
    """*template* with *arguments* as its inputs and every variable replaced that is known now.

    *scope*: the workflow's variables and the call's own. Raises CallError or ExpressionError.
    """
    declared = template.inputs
    inputs = dict(declared.written)
    if "parameters" in inputs:
        given = {entry.name: entry for entry in arguments.parameters}
        inputs["parameters"] = [
            _parameter(entry, given.get(entry.name) or Parameter({}), scope, config_maps)
            for entry in declared.parameters
        ]
    if "artifacts" in inputs:
        handed = {entry.name: entry for entry in arguments.artifacts}
        inputs["artifacts"] = [_artifact(entry, handed.get(entry.name)) for entry in declared.artifacts]
    return substitute(Template({**template.written, "inputs": inputs}), scope)


def substitute(template: Template, scope: Mapping[str, object]) -> Template:
    """The variables of *template* replaced in two passes: a workflow variable may stand in an input's value."""
    first = Template(substitution.replace(template.written, scope))
    return Template(substitution.replace(first.written, {**scope, **_own_scope(first)}))


def _own_scope(template: Template) -> dict[str, object]:
    parameters = template.inputs.parameters
    for parameter in parameters:
        if parameter.value is None:
            raise CallError(f"inputs.parameters.{parameter.name} had no value")
    own: dict[str, object] = {f"inputs.parameters.{entry.name}": entry.value for entry in parameters}
    own["inputs.parameters"] = scopes.parameters_json(parameters)
    for direction, given in (("inputs", template.inputs), ("outputs", template.outputs)):
        own |= {f"{direction}.artifacts.{entry.name}.path": entry.path for entry in given.artifacts if entry.path}
    for parameter in template.outputs.parameters:
        if path := parameter.value_from.path:
            own[f"outputs.parameters.{parameter.name}.path"] = path
    return own


def _parameter(declared: Parameter, given: Parameter, scope: Mapping[str, object], config_maps: ConfigMaps) -> Json:
    found = dict(declared.written)
    if declared.default is not None:
        found["value"] = declared.default
    if given.value == ABSENT:
        if found.get("value") is None and not declared.value_from.written:
            raise CallError(
                f"inputs.parameters.{declared.name}: argument references an absent optional "
                "(skipped/omitted node output with no default)"
            )
    elif given.value is not None:
        found["value"] = given.value
        found.pop("valueFrom", None)
    elif given.value_from.written:
        found["valueFrom"] = given.value_from.written
    source = Parameter(found).value_from
    if found.get("value") is None and source.config_map_key:
        key = KeySelector(substitution.replace(source.config_map_key.written, scope))
        found["value"] = config_map_value(key, config_maps, source.default, f"inputs.parameters.{declared.name}")
    return found


def config_map_value(reference: KeySelector, config_maps: ConfigMaps, default: str | None, where: str) -> str:
    """The entry of a ConfigMap that *reference* names, or *default*. Raises CallError where there is neither."""
    name, key = reference.name, reference.key
    values = config_maps.get(name, {})
    if key in values:
        return values[key]
    if default is not None:
        return default
    wanting = f"ConfigMap {name!r} has no key {key!r}" if name in config_maps else f"there is no ConfigMap {name!r}"
    raise CallError(f"{where}: {wanting} on this machine; name a file that has it (-f)")


_DECLARED = ("path", "mode", "recurseMode")
"""The fields of an artifact that are the template's to say, not the caller's."""


def _artifact(declared: Artifact, handed: Artifact | None) -> Json:
    if not declared.optional and not declared.is_located:
        if handed is None:
            raise CallError(f"inputs.artifacts.{declared.name} was not supplied")
        if not handed.is_located:
            raise CallError(f"inputs.artifacts.{declared.name} missing location information")
    if handed is None:
        return declared.written
    given = {key: value for key, value in handed.written.items() if key not in _DECLARED}
    kept = {key: declared.written[key] for key in _DECLARED if key in declared.written}
    return given | kept | {"name": declared.name}
