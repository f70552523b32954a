"""The catalogue of templates: the workflow's own, those of WorkflowTemplates given with it, with the workflow's defaults merged in."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

from argosy.engine.manifest.model import Caller, Spec, Template, TemplateRef
from argosy.engine.nodes import Json

Owner = tuple[str, str]
"""Kind and name of the resource whose templates a name is looked up in."""

WORKFLOW: Owner = ("Workflow", "")

KINDS = ("container", "containerSet", "steps", "script", "resource", "dag", "suspend", "data", "http", "plugin")

# How the lists of a template merge: by which field of their entries.
_MERGED_BY = {
    "parameters": "name",
    "artifacts": "name",
    "env": "name",
    "volumes": "name",
    "sidecars": "name",
    "initContainers": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "hostAliases": "ip",
    "tasks": "name",
}


_OF_LEAVES = frozenset({"timeout", "pendingTimeout", "activeDeadlineSeconds"})
_OF_GROUPS = frozenset({"parallelism"})


class UnknownTemplate(LookupError):
    """No template of that name."""


@dataclass
class Catalogue:
    """All templates a run may call. *spec*: the workflow's; *others*: the specs of the resources given with it."""

    spec: Json
    others: Mapping[Owner, Json] = field(default_factory=dict)
    _resolved: dict[tuple[Owner, str], Template] = field(default_factory=dict)

    @functools.cached_property
    def workflow(self) -> Spec:
        """The workflow's spec."""
        return Spec(self.spec)

    def resolve(self, caller: Caller, owner: Owner) -> tuple[Template, Owner]:
        """The template that *caller* of *owner* names, and where that template's own calls are looked up."""
        if caller.inline.written:
            return self._with_defaults(caller.inline), owner
        if caller.template_ref:
            owner = owner_of(caller.template_ref)
        return self._named(owner, caller.called), owner

    def templates(self, owner: Owner) -> list[Template]:
        """The templates of *owner*, as written. Raises UnknownTemplate where there is no such resource."""
        if owner != WORKFLOW and owner not in self.others:
            raise UnknownTemplate(f"{owner[0]} {owner[1]!r} is not among the given files")
        return (self.workflow if owner == WORKFLOW else Spec(self.others[owner])).templates

    def _named(self, owner: Owner, name: str) -> Template:
        key = (owner, name)
        if key not in self._resolved:
            written = next((template for template in self.templates(owner) if template.name == name), None)
            if written is None:
                raise UnknownTemplate(f"template {name!r} is not defined")
            self._resolved[key] = self._with_defaults(written)
        return self._resolved[key]

    def _with_defaults(self, template: Template) -> Template:
        defaults = self.spec.get("templateDefaults")
        if not defaults:
            return template
        kind = next((kind for kind in KINDS if kind in template.written), None)
        # What a template of this kind cannot have itself plays no part where it is a default.
        useless = {*KINDS, *(_OF_LEAVES if kind in ("dag", "steps") else _OF_GROUPS)} - {kind}
        fitting = {key: value for key, value in defaults.items() if key not in useless}
        return Template(merge(fitting, template.written))


def of(spec: Json, others: Mapping[str, Json]) -> Catalogue:
    """The templates of *spec* and of *others*, whose keys are ``kind/name``."""
    by_owner: dict[Owner, Json] = {}
    for key, other in others.items():
        kind, _, name = key.partition("/")
        by_owner[kind, name] = other
    return Catalogue(spec, by_owner)


def owner_of(reference: TemplateRef) -> Owner:
    """The resource that a ``templateRef`` or ``workflowTemplateRef`` names."""
    kind = "ClusterWorkflowTemplate" if reference.cluster_scope else "WorkflowTemplate"
    return (kind, reference.name)


def merge(defaults: Json, own: Json) -> Json:
    """*own* laid over *defaults*: objects key by key, named lists entry by entry, everything else replaced."""
    merged = dict(defaults)
    for key, value in own.items():
        if value is None:
            continue
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = merge(below, value)
        elif isinstance(below, list) and isinstance(value, list) and key in _MERGED_BY:
            merged[key] = _merge_lists(below, value, _MERGED_BY[key])
        else:
            merged[key] = value
    return merged


def _merge_lists(defaults: list[Json], own: list[Json], by: str) -> list[Json]:
    rest = {entry.get(by): entry for entry in defaults}
    merged = [merge(rest.pop(entry.get(by)), entry) if entry.get(by) in rest else entry for entry in own]
    return merged + list(rest.values())
