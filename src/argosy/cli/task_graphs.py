"""The graph of the tasks in a manifest, and how far a run of it is."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.argo import NodeType, Phase
from argosy.domain.task_graph import UNKNOWN, GraphTask, Path, State, TaskStanding
from argosy.engine.manifest import catalogue as catalogues
from argosy.engine.manifest import checking, depends, loading
from argosy.engine.manifest.catalogue import WORKFLOW, Catalogue, Owner, UnknownTemplate
from argosy.engine.manifest.loading import Manifest
from argosy.engine.manifest.model import Caller, Template
from argosy.engine.manifest.model import Task as Call
from argosy.engine.nodes import Json
from argosy.engine.state.runs import RunFolder
from argosy.engine.state.stored_run import StoredRun
from argosy.ports.runs import Node, Run

STATES: Mapping[Phase, State] = {
    Phase.PENDING: "waits",
    Phase.RUNNING: "works",
    Phase.SUCCEEDED: "done",
    Phase.FAILED: "failed",
    Phase.ERROR: "failed",
    Phase.SKIPPED: "left out",
    Phase.OMITTED: "left out",
}


SEVERAL = (NodeType.TASK_GROUP, NodeType.RETRY)
"""Nodes of a loop and of what is tried again: what is within has a node in each item or attempt, and stands in none of them alone."""


@dataclass(frozen=True)
class PipelineGraph:
    """The *tasks* of a workflow's entrypoint. *nodes*: what follows the workflow's own name in that of each task's node."""

    tasks: tuple[GraphTask, ...]
    nodes: Mapping[Path, str]

    def standings(self, run: Run) -> dict[Path, TaskStanding]:
        """How each task stands in *run*."""
        now = time.time()
        below: dict[str | None, list[Node]] = {}
        for node in run.nodes.values():
            below.setdefault(node.parent, []).append(node)
        names = {path: f"{run.root}{name}" for path, name in self.nodes.items()}
        several = {path for path, name in names.items() if name in run.nodes and run.nodes[name].type in SEVERAL}
        return {
            path: UNKNOWN if _is_within(path, several) else _standing(run, name, below.get(name, []), now)
            for path, name in names.items()
        }


def of_manifest(manifest: Manifest) -> PipelineGraph:
    """The graph of what *manifest* runs. Raises Misconfigured at a field that is none of Argo's, or not of its type."""
    for document in manifest.all():
        checking.look(document)
    others = {f"{each.kind}/{each.name}": each.body["spec"] for each in manifest.others if each.kind in loading.KINDS}
    spec = manifest.main.body["spec"]
    return of_spec(spec.get("workflowSpec") or spec, others)


def of_workflow(workflow: Mapping[str, Any]) -> PipelineGraph:
    """The graph of a *workflow* as the API server gives it; where it is of a template, of that as it was then."""
    stored = workflow.get("status", {}).get("storedWorkflowTemplateSpec")
    return of_spec(dict(stored or workflow["spec"]), {})


def of_stored(run: RunFolder) -> PipelineGraph:
    """The graph of a *run* of this machine. Raises Misconfigured where it never started."""
    kept = StoredRun.read(run)
    return of_spec(kept.spec, kept.others)


def of_spec(spec: Json, others: Mapping[str, Json]) -> PipelineGraph:
    """The graph of a workflow's *spec*; *others*: specs of what it refers to, by ``kind/name``."""
    catalogue = catalogues.of(spec, others)
    found: dict[Path, str] = {}
    start = Caller({"template": spec.get("entrypoint", ""), "templateRef": spec.get("workflowTemplateRef")})
    tasks = _inner(_Place(catalogue, WORKFLOW), start, found)
    return PipelineGraph(tasks, found)


@dataclass(frozen=True)
class _Place:
    """Where a call is written: *owner* among whose templates its name is looked up, the tasks it is within, and the templates of those."""

    catalogue: Catalogue
    owner: Owner
    path: Path = ()
    node: str = ""
    callers: frozenset[tuple[Owner, str]] = frozenset()


def _inner(place: _Place, caller: Caller, found: dict[Path, str]) -> tuple[GraphTask, ...]:
    """The tasks of what *caller* calls; none where that works itself, calls itself, or is not among what was given."""
    try:
        template, owner = place.catalogue.resolve(caller, place.owner)
    except UnknownTemplate:
        return ()
    called = (owner, template.name)
    if called in place.callers:
        return ()
    below = _Place(place.catalogue, owner, place.path, place.node, place.callers | {called})
    return tuple(_task(below, call, after, name, found) for call, after, name in _calls(template, place.node))


def _task(place: _Place, call: Call, after: tuple[str, ...], node: str, found: dict[Path, str]) -> GraphTask:
    path = (*place.path, call.name)
    found[path] = node
    inside = _Place(place.catalogue, place.owner, path, node, place.callers)
    return GraphTask(call.name, after, call.is_loop, _inner(inside, call, found))


def _calls(template: Template, node: str) -> Iterator[tuple[Call, tuple[str, ...], str]]:
    """The tasks or steps of *template*, those that each waits for, and the name of its node below *node*."""
    for call in template.dag.tasks:
        yield call, tuple(depends.names_of(call)), f"{node}.{call.name}"
    before: tuple[str, ...] = ()
    for number, group in enumerate(template.steps):
        yield from ((call, before, f"{node}[{number}].{call.name}") for call in group)
        before = tuple(call.name for call in group) or before


def _is_within(path: Path, others: Collection[Path]) -> bool:
    return any(path[:depth] in others for depth in range(1, len(path)))


def _standing(run: Run, name: str, below: Sequence[Node], now: float) -> TaskStanding:
    """How the task whose node is called *name* stands; *below*: the nodes that a tree shows under it."""
    node = run.nodes.get(name)
    if node is None:
        return TaskStanding("left out" if run.over else "waits")
    items = below if node.type is NodeType.TASK_GROUP else []
    return TaskStanding(STATES[node.phase], _seconds(node, now), sum(each.fulfilled for each in items), len(items))


def _seconds(node: Node, now: float) -> float | None:
    if node.cached or node.phase in (Phase.SKIPPED, Phase.OMITTED):
        return None
    return max(0.0, (node.finished or now) - node.started)
