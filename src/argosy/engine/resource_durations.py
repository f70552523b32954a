"""What a run of this machine asked for over time, reckoned as Argo's controller reckons ``resourcesDuration``.

A container's request, else its limit, else 100m of a core and 100 MiB; over a core, over 100 MiB, over one of anything else; times the
seconds that it ran. What a machine without requests really gave is not known here, and on a cluster neither.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from argosy.argo import NodeType
from argosy.engine import quantities
from argosy.engine.nodes import Json, Node
from argosy.engine.state.runs import RunFolder
from argosy.engine.state.stored_run import StoredRun

DEFAULTS = {"cpu": "100m", "memory": "100Mi"}
BASES = {"cpu": "1", "memory": "100Mi", "storage": "10Gi", "ephemeral-storage": "10Gi"}


def of(folder: RunFolder) -> tuple[StoredRun, dict[str, float]]:
    """The record of the run in *folder*, and its resources over time by name."""
    stored = StoredRun.read(folder)
    templates = {
        str(each.get("name")): each
        for spec in (stored.spec, *stored.others.values())
        for each in (spec.get("templates") or ())
    }
    found: dict[str, float] = defaultdict(float)
    for node in folder.state()[1].values():
        for name, amount in _of_node(node, templates):
            found[name] += amount
    return stored, dict(found)


def _of_node(node: Node, templates: Mapping[str, Json]) -> Iterator[tuple[str, float]]:
    if node.type is not NodeType.POD or node.finished is None or node.cached:
        return
    yield from of_template(templates.get(node.template, {}), max(0.0, node.finished - node.started)).items()


def of_template(template: Mapping[str, Any], seconds: float) -> dict[str, float]:
    """What the containers of *template* ask for over *seconds*, by name."""
    found: dict[str, float] = defaultdict(float)
    for container in _containers(template):
        for name, amount in _requests(container).items():
            found[name] += seconds * float(quantities.amount(amount) / quantities.amount(BASES.get(name, "1")))
    return dict(found)


def _containers(template: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    of_set = (template.get("containerSet") or {}).get("containers") or []
    own = template.get("container") or template.get("script") or {}
    return [*of_set, *(template.get("sidecars") or [])] if of_set else [own, *(template.get("sidecars") or [])]


def _requests(container: Mapping[str, Any]) -> dict[str, str]:
    resources = container.get("resources") or {}
    named = {**DEFAULTS, **(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: str(amount) for name, amount in named.items()}
