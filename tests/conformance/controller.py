"""Submits manifests to the real Argo controller, in the cluster that KUBECONFIG names, and keeps what it did with each.

A recording is JSON: ``phase``, ``message`` and ``nodes`` by name with ``$`` for the workflow's, or ``refused`` where the API server or
the controller's validation turned the manifest down. Comparing is ``comparison``'s business.
"""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from argosy.engine.manifest import loading, texts

Json = dict[str, Any]
FINISHED = ("Succeeded", "Failed", "Error")
ALONGSIDE = 4
"""Workflows at once: more only make a small cluster slow."""
TEMPLATES = ("WorkflowTemplate", "ClusterWorkflowTemplate")
OTHER = "me"
"""A service account that a case names."""
FILLED_IN = {"SHARED": "/tmp", "LIMIT": "30"}
"""What cases leave open: a folder to leave traces for each other in (each pod has its own, which is enough to go on), and seconds."""


@dataclass(frozen=True)
class Cluster:
    """Where workflows are recorded. *image* runs every container: it needs a shell and python3, and lies on the node."""

    namespace: str = "conf"
    image: str = "localhost/python-base:1"
    seconds: float = 240.0
    """How long one workflow may take."""

    def kubectl(self, *arguments: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
        """One call of kubectl in the namespace."""
        command = ("kubectl", "-n", self.namespace, *arguments)
        return subprocess.run(command, input=given, text=True, capture_output=True, check=False)

    def prepare(self, config_maps: Mapping[str, Mapping[str, str]], secrets: Mapping[str, Mapping[str, str]]) -> None:
        """Make the namespace with *config_maps* and *secrets*, and let its steps and the agent of ``http`` templates report.

        Raises SystemExit with kubectl's words.
        """
        rules = [
            {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]},
            {"apiGroups": ["argoproj.io"], "resources": ["workflowtasksets"], "verbs": ["list", "watch"]},
            {"apiGroups": ["argoproj.io"], "resources": ["workflowtasksets/status"], "verbs": ["patch"]},
        ]
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "executor"}
        subjects = [
            {"kind": "ServiceAccount", "name": name, "namespace": self.namespace} for name in ("default", OTHER)
        ]
        account = {"kubernetes.io/service-account.name": "default"}
        token = {"name": "default.service-account-token", "annotations": account}
        objects: list[Json] = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}},
            {**_RBAC, "kind": "Role", "metadata": {"name": "executor"}, "rules": rules},
            {**_RBAC, "kind": "RoleBinding", "metadata": {"name": "executor"}, "roleRef": role, "subjects": subjects},
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": OTHER}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": token, "type": "kubernetes.io/service-account-token"},
            *(_of_values("ConfigMap", name, {"data": dict(data)}) for name, data in config_maps.items()),
            *(_of_values("Secret", name, {"stringData": dict(data)}) for name, data in secrets.items()),
        ]
        done = self.kubectl("apply", "--filename=-", given=yaml.safe_dump_all(objects))
        if done.returncode != 0:
            raise SystemExit(f"the namespace {self.namespace} cannot be made: {done.stderr.strip()}")


def _of_values(kind: str, name: str, values: Json) -> Json:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **values}


_RBAC = {"apiVersion": "rbac.authorization.k8s.io/v1"}


@dataclass
class _Waiting:
    path: Path
    name: str
    since: float = field(default_factory=time.monotonic)


def name_of(path: Path) -> str:
    """The name under which *path* is submitted; the engine runs it under the same, so that values with it in them are equal."""
    return f"c-{path.stem}".lower()


def record(paths: list[Path], cluster: Cluster) -> Iterator[tuple[Path, Json]]:
    """Submit *paths*, a few at a time, and yield each with its recording as it ends."""
    left, running = list(paths), list[_Waiting]()
    while left or running:
        while left and len(running) < ALONGSIDE:
            path = left.pop(0)
            refused = _submit(path, cluster)
            if refused is not None:
                yield path, {"refused": refused}
            else:
                running.append(_Waiting(path, name_of(path)))
        time.sleep(1)
        for waiting in list(running):
            recording = _recorded(waiting, cluster)
            if recording is not None:
                running.remove(waiting)
                yield waiting.path, recording


def documents(path: Path, image: str) -> list[Json]:
    """The manifests of *path* as the cluster can run them: every container's image is *image*.

    Numbers and booleans are text where Argo keeps a text: `argo submit` makes them so before the API server sees them.
    """
    bodies = [body for body in loading.bodies(path) if body]
    found = [texts.settled(body, body["kind"]) if body.get("kind") in loading.KINDS else body for body in bodies]
    _use_image(found, image)
    return found


def _use_image(value: Any, image: str) -> None:
    if isinstance(value, dict):
        if "image" in value:
            value |= {"image": image, "imagePullPolicy": "Never"}
            if (value.get("command") or [""])[0] == "python":
                value["command"][0] = "python3"
        for entry in value.values():
            _use_image(entry, image)
    elif isinstance(value, list):
        for entry in value:
            _use_image(entry, image)


def _submit(path: Path, cluster: Cluster) -> str | None:
    """Submit the workflow of *path*; the reason where the API server refuses it."""
    workflow: Json | None = None
    template: Json = {}
    for document in documents(path, cluster.image):
        document["metadata"].pop("namespace", None)
        if document.get("kind") in ("Workflow", "CronWorkflow"):
            workflow = workflow or _once(document)
            continue
        template = template or (document if document.get("kind") in TEMPLATES else {})
        refused = cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", given=json.dumps(document))
        if refused.returncode:
            return refused.stderr.strip()
    if workflow is None:
        workflow = _of_template(template)
    workflow["metadata"].pop("generateName", None)
    workflow["metadata"]["name"] = name_of(path)
    _fill_in(workflow)
    cluster.kubectl("delete", "workflow", name_of(path), "--ignore-not-found")
    created = cluster.kubectl("create", "-f", "-", given=json.dumps(workflow))
    return created.stderr.strip() if created.returncode else None


def _once(document: Json) -> Json:
    """The Workflow that a CronWorkflow makes; a Workflow as it is."""
    if document["kind"] == "Workflow":
        return document
    metadata = document["spec"].get("workflowMetadata") or {}
    return {
        "apiVersion": document["apiVersion"],
        "kind": "Workflow",
        "metadata": metadata,
        "spec": document["spec"]["workflowSpec"],
    }


def _of_template(template: Json) -> Json:
    reference = {"name": template["metadata"]["name"], "clusterScope": template["kind"] == "ClusterWorkflowTemplate"}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {},
        "spec": {"workflowTemplateRef": reference},
    }


def _fill_in(workflow: Json) -> None:
    for parameter in (workflow["spec"].get("arguments") or {}).get("parameters") or []:
        parameter["value"] = FILLED_IN.get(parameter.get("value"), parameter.get("value"))


def _recorded(waiting: _Waiting, cluster: Cluster) -> Json | None:
    """What became of a workflow; None while it goes on."""
    got = cluster.kubectl("get", "workflow", waiting.name, "-o", "json")
    status: Json = (json.loads(got.stdout).get("status") or {}) if got.returncode == 0 else {}
    if status.get("phase") not in FINISHED:
        return {"unfinished": status} if time.monotonic() - waiting.since > cluster.seconds else None
    message = status.get("message") or ""
    if message.startswith("invalid spec:") or not status.get("nodes"):
        return {"refused": message}
    nodes = {_local(node["name"], waiting.name): _node(node) for node in status["nodes"].values()}
    recording: Json = {"phase": status["phase"], "nodes": dict(sorted(nodes.items()))}
    return recording | ({"message": message} if message else {})


def _local(name: str, workflow: str) -> str:
    return "$" + name.removeprefix(workflow)


def _node(node: Mapping[str, Any]) -> Json:
    kept: Json = {"type": node["type"], "phase": node["phase"]}
    if node.get("message"):
        kept["message"] = node["message"]
    written = node.get("outputs") or {}
    outputs: Json = {key: written[key] for key in ("result", "exitCode") if written.get(key) is not None}
    parameters = {entry["name"]: entry["value"] for entry in written.get("parameters") or [] if "value" in entry}
    if parameters:
        outputs["parameters"] = parameters
    memo = {"memoizationStatus": node["memoizationStatus"]} if node.get("memoizationStatus") else {}
    return kept | ({"outputs": outputs} if outputs else {}) | memo
