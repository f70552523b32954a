"""Where templates are looked up: the workflow's own, those of WorkflowTemplates given with it, with the workflow's defaults merged in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
    _resolved: dict[tuple[Owner, str], Json] = field(default_factory=dict)

    def resolve(self, holder: Mapping[str, Any], owner: Owner) -> tuple[Json, Owner]:
        """The template that *holder* (a task, step or hook) of *owner* names, and where that template's own calls are looked up."""
        if inline := holder.get("inline"):
            return self._with_defaults(inline), owner
        if reference := holder.get("templateRef"):
            owner = owner_of(reference)
            return self._named(owner, reference.get("template", "")), owner
        return self._named(owner, holder.get("template", "")), owner

    def templates(self, owner: Owner) -> list[Json]:
        """The templates of *owner*, as written. Raises UnknownTemplate where there is no such resource."""
        if owner == WORKFLOW:
            return self.spec.get("templates") or []
        if owner not in self.others:
            raise UnknownTemplate(f"{owner[0]} {owner[1]!r} is not among the given files")
        return self.others[owner].get("templates") or []

    def _named(self, owner: Owner, name: str) -> Json:
        key = (owner, name)
        if key not in self._resolved:
            written = next((template for template in self.templates(owner) if template.get("name") == name), None)
            if written is None:
                raise UnknownTemplate(f"template {name!r} is not defined")
            self._resolved[key] = self._with_defaults(written)
        return self._resolved[key]

    def _with_defaults(self, template: Json) -> Json:
        defaults = self.spec.get("templateDefaults")
        if not defaults:
            return template
        kind = next((kind for kind in KINDS if kind in template), None)
        # What a template of this kind cannot have itself plays no part where it is a default.
        useless = {*KINDS, *(_OF_LEAVES if kind in ("dag", "steps") else _OF_GROUPS)} - {kind}
        fitting = {key: value for key, value in defaults.items() if key not in useless}
        return merge(fitting, template)


def of(spec: Json, others: Mapping[str, Json]) -> Catalogue:
    """The templates of *spec* and of *others*, whose keys are ``kind/name``."""
    by_owner: dict[Owner, Json] = {}
    for key, other in others.items():
        kind, _, name = key.partition("/")
        by_owner[kind, name] = other
    return Catalogue(spec, by_owner)


def owner_of(reference: Mapping[str, Any]) -> Owner:
    """The resource that a ``templateRef`` or ``workflowTemplateRef`` names."""
    kind = "ClusterWorkflowTemplate" if reference.get("clusterScope") else "WorkflowTemplate"
    return (kind, reference.get("name", ""))


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
