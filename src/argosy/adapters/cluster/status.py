"""A Workflow as Argo keeps it, told as a run: phases, times, nodes under one another, limits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from argosy.argo import NodeType, Phase
from argosy.ports.runs import OVER, SUSPENDED, Node, Outputs, Run
from argosy.ports.workflows import Workflow

GROUPS = {NodeType.RETRY, NodeType.TASK_GROUP, NodeType.STEP_GROUP}
TEMPLATE_LABEL = "workflows.argoproj.io/workflow-template"
TOLD = ("verdict", "model-digest", "request")
"""The outputs of a workflow that are told with it."""


def run_of(workflow: Workflow, namespace: str) -> Run:
    """The *workflow* in *namespace* as a run."""
    status = workflow.get("status") or {}
    phase = str(status.get("phase") or "Pending")
    if phase == "Running" and (workflow.get("spec") or {}).get("suspend"):
        phase = SUSPENDED
    name = str(workflow["metadata"]["name"])
    outputs = _parameters(status.get("outputs"))
    return Run(
        name,
        phase,
        pipeline=pipeline_of(workflow),
        message=str(status.get("message") or ""),
        started=_seconds(status.get("startedAt") or workflow["metadata"].get("creationTimestamp")),
        finished=_seconds(status.get("finishedAt")),
        under_way=phase not in OVER,
        root=name,
        nodes=nodes_of(status.get("nodes") or {}),
        facts={"namespace": namespace, **{key: value for key, value in sorted(outputs.items()) if key in TOLD}},
        memory=_limits(status.get("storedWorkflowTemplateSpec") or workflow.get("spec") or {}),
    )


def pipeline_of(workflow: Workflow) -> str:
    """The template of *workflow*, by its label or its reference; else the prefix that its name was made with, else its name."""
    metadata = workflow["metadata"]
    reference = (workflow.get("spec") or {}).get("workflowTemplateRef") or {}
    template = (metadata.get("labels") or {}).get(TEMPLATE_LABEL) or reference.get("name")
    return str(template or str(metadata.get("generateName") or "").rstrip("-") or metadata["name"])


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
        outputs=Outputs(_parameters(written), written.get("result"), written.get("exitCode")),
        retried=bool((entry.get("nodeFlag") or {}).get("retried")),
        cached=bool((entry.get("memoizationStatus") or {}).get("hit")),
        asks=_asked(written) if _type(entry) is NodeType.SUSPEND else None,
    )


def _asked(outputs: Mapping[str, Any]) -> dict[str, str | None]:
    """The output parameters that a suspended node is to be given, each with its default."""
    entries = outputs.get("parameters") or []
    given = {entry["name"]: entry.get("valueFrom") or {} for entry in entries}
    return {name: one.get("default") for name, one in given.items() if "supplied" in one}


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
