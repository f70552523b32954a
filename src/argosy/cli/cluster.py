"""Runs on a cluster, for the verbs that know runs of this machine: which cluster is meant, and a workflow in the engine's own terms.

What is shown of a run is the same, wherever it is; each verb also names the command of Argo's that does what it did.
"""

import argparse
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from argosy import errors
from argosy.engine import nodes
from argosy.engine.nodes import Node, NodeType, Phase

if TYPE_CHECKING:
    from argosy.ports.workflows import Workflow, Workflows

NEWEST = "-"
GROUPS = {NodeType.RETRY, NodeType.TASK_GROUP, NodeType.STEP_GROUP}


def add_arguments(parser: argparse.ArgumentParser, why: str = "a run on a cluster instead of this machine") -> None:
    """Declare which cluster is meant, if one is. *why*: what for."""
    group = parser.add_argument_group(why)
    group.add_argument("--cluster", action="store_true", help="the cluster and namespace that KUBECONFIG names")
    group.add_argument("--namespace", metavar="NAME", help="that namespace of it")
    group.add_argument("--context", metavar="NAME", help="that context of KUBECONFIG")


def is_meant(arguments: argparse.Namespace) -> bool:
    """Whether the verb is about a run on a cluster."""
    return bool(arguments.cluster or arguments.namespace or arguments.context)


def workflows(arguments: argparse.Namespace) -> "Workflows":
    """The workflows that *arguments* mean. Raises Misconfigured where there is no cluster, or no client for one."""
    from argosy import wiring

    return wiring.workflows(arguments.namespace, arguments.context)


def say(arguments: argparse.Namespace, program: str, *words: str, namespace: str) -> None:
    """Name the command that does the same."""
    context = ["--context", arguments.context] if arguments.context else []
    print(f"# {shlex.join([program, '-n', namespace, *context, *words])}", file=sys.stderr)


@dataclass(frozen=True)
class Run:
    """One workflow of a cluster. Times are seconds since 1970, UTC."""

    name: str
    phase: str
    message: str
    started: float | None
    finished: float | None
    nodes: dict[str, Node]
    outputs: dict[str, str]
    memory: dict[str, str]
    """The limit on memory of each container that has one, by its template's name, or its own in a set."""

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.phase in ("Succeeded", "Failed", "Error")


def found(at: "Workflows", name: str) -> Run:
    """The run that *name*, its beginning, or ``-`` for the newest means. Raises UsageError where there is none, or more than one."""
    return run_of(at.get(name_of(at, name)))


def name_of(at: "Workflows", name: str) -> str:
    """The whole name of the run that *name* means."""
    known = [str(each["metadata"]["name"]) for each in at.newest_first()]
    if name == NEWEST and known:
        return known[0]
    fitting = [name] if name in known else [each for each in known if each.startswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    if not known:
        raise errors.UsageError(f"namespace {at.namespace} has no workflows; `argosy submit MODEL` starts one")
    if not fitting:
        raise errors.UsageError(
            f"namespace {at.namespace} has no workflow {name!r}; the newest is {known[0]}, `argosy runs` lists them"
        )
    raise errors.UsageError(f"{name!r} fits {len(fitting)} workflows: {', '.join(fitting[:5])}; name one")


def run_of(workflow: "Workflow") -> Run:
    """*workflow* in the engine's terms."""
    status = workflow.get("status") or {}
    phase = str(status.get("phase") or "Pending")
    if phase == "Running" and (workflow.get("spec") or {}).get("suspend"):
        phase = "Suspended"
    return Run(
        name=workflow["metadata"]["name"],
        phase=phase,
        message=str(status.get("message") or ""),
        started=_seconds(status.get("startedAt") or workflow["metadata"].get("creationTimestamp")),
        finished=_seconds(status.get("finishedAt")),
        nodes=nodes_of(status.get("nodes") or {}),
        outputs=_parameters(status.get("outputs")),
        memory=_limits(status.get("storedWorkflowTemplateSpec") or workflow.get("spec") or {}),
    )


def _limits(spec: Mapping[str, Any]) -> dict[str, str]:
    containers: list[tuple[str, Mapping[str, Any]]] = []
    for template in spec.get("templates") or []:
        containers.append((template["name"], template.get("container") or template.get("script") or {}))
        containers += [(one["name"], one) for one in (template.get("containerSet") or {}).get("containers") or []]
    limits = {
        name: ((container.get("resources") or {}).get("limits") or {}).get("memory") for name, container in containers
    }
    return {name: str(limit) for name, limit in limits.items() if limit}


def nodes_of(status: Mapping[str, Mapping[str, Any]]) -> dict[str, Node]:
    """The nodes of Argo's ``status.nodes``, by name, in the order in which they began."""
    names = {key: str(entry["name"]) for key, entry in status.items()}
    # A group's children hang under it; what follows a task in a DAG is also called its child, but hangs under the DAG.
    groups = {
        child: names[key]
        for key, entry in status.items()
        if _type(entry) in GROUPS
        for child in entry.get("children") or []
        if status.get(child, {}).get("boundaryID") == entry.get("boundaryID")
        and str(names.get(child, "")).startswith(names[key])
    }
    made = [_node(key, entry, names, groups) for key, entry in status.items()]
    return {node.name: node for node in sorted(made, key=lambda node: (node.started, node.name))}


def _node(key: str, entry: Mapping[str, Any], names: Mapping[str, str], groups: Mapping[str, str]) -> Node:
    written = entry.get("outputs") or {}
    boundary = names.get(str(entry.get("boundaryID")))
    flags = entry.get("nodeFlag") or {}
    return Node(
        name=names[key],
        type=_type(entry),
        phase=Phase(entry.get("phase") or "Pending"),
        started=_seconds(entry.get("startedAt")) or 0.0,
        template=str(entry.get("templateName") or (entry.get("templateRef") or {}).get("template") or ""),
        display_name=str(entry.get("displayName") or names[key]),
        boundary=boundary,
        parent=groups.get(key, boundary),
        message=str(entry.get("message") or ""),
        finished=_seconds(entry.get("finishedAt")),
        outputs=nodes.Outputs(
            _parameters(written), {}, result=written.get("result"), exit_code=written.get("exitCode")
        ),
        hooked=bool(flags.get("hooked")),
        retried=bool(flags.get("retried")),
        cached=bool((entry.get("memoizationStatus") or {}).get("hit")),
    )


def _type(entry: Mapping[str, Any]) -> NodeType:
    try:
        return NodeType(entry["type"])
    except ValueError:
        return NodeType.POD  # of a kind that only a cluster runs: an HTTP call, a plugin, one container of several


def _parameters(outputs: Mapping[str, Any] | None) -> dict[str, str]:
    entries = (outputs or {}).get("parameters") or []
    return {entry["name"]: str(entry["value"]) for entry in entries if "value" in entry}


def _seconds(moment: str | None) -> float | None:
    return datetime.fromisoformat(moment).timestamp() if moment else None
