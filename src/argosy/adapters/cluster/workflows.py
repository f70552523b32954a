"""The workflows of a namespace, as Argo Workflows keeps them.

Suspending, resuming and ending are changes of the Workflow object, the same that ``argo`` makes. Retrying is not: which nodes begin anew is
decided by code of Argo's that differs between its versions, so it is left to the program ``argo`` itself.
"""

import base64
import datetime
import gzip
import json
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException

from argosy import errors
from argosy.adapters.cluster.client import (
    BAD_REQUEST,
    CONFLICT,
    NOT_FOUND,
    TIMEOUT_SECONDS,
    connect,
    kubeconfig,
    reported,
)
from argosy.ports.workflows import Workflow

GROUP, VERSION = "argoproj.io", "v1alpha1"
TEMPLATE_LABEL = "workflows.argoproj.io/workflow-template"
REMEDY = "`argosy doctor` checks what has to be installed and allowed"
ARGO_SAID = " argo=true"
"""The mark of the lines that Argo's own program writes round the step's; `argo logs` leaves them out too."""
ATTEMPTS = 5
"""Tries of a change that fails with a conflict (409), because the controller changed the workflow at the same moment."""


class ClusterWorkflows:
    """Workflows and templates of one namespace; see :class:`argosy.ports.workflows.Workflows`."""

    def __init__(self, namespace: str | None = None, context: str | None = None, api: Any = None) -> None:
        """*namespace*: by default the context's own. *api*: a connected client; by default of the cluster at hand."""
        connected = api or connect(context)
        self._namespace = namespace or _namespace_of(context)
        self._context = context
        self._core = client.CoreV1Api(connected)
        self._custom = client.CustomObjectsApi(connected)

    @property
    def namespace(self) -> str:
        return self._namespace

    def template(self, name: str) -> Workflow:
        with reported(f"reading the WorkflowTemplate {name} in {self._namespace}", REMEDY):
            try:
                found: Workflow = self._custom.get_namespaced_custom_object(
                    *self._of("workflowtemplates"), name, _request_timeout=TIMEOUT_SECONDS
                )
            except ApiException as error:
                if error.status != NOT_FOUND:
                    raise
                raise errors.Misconfigured(self._no_template(name, error)) from error
        return found

    def installed(self) -> Sequence[Workflow]:
        with reported(f"listing the WorkflowTemplates and CronWorkflows of {self._namespace}", REMEDY):
            return [
                {**found, "kind": kind}  # items of a list come without
                for plural, kind in (("workflowtemplates", "WorkflowTemplate"), ("cronworkflows", "CronWorkflow"))
                for found in self._custom.list_namespaced_custom_object(
                    *self._of(plural), _request_timeout=TIMEOUT_SECONDS
                )["items"]
            ]

    def submit(self, template: str, parameters: Mapping[str, str]) -> str:
        workflow = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "Workflow",
            "metadata": {"generateName": f"{template}-", "labels": {TEMPLATE_LABEL: template}},
            "spec": {
                "workflowTemplateRef": {"name": template},
                "arguments": {"parameters": [{"name": key, "value": value} for key, value in parameters.items()]},
            },
        }
        with reported(f"submitting {template} in {self._namespace}", REMEDY):
            created = self._custom.create_namespaced_custom_object(
                *self._of("workflows"), workflow, _request_timeout=TIMEOUT_SECONDS
            )
        name: str = created["metadata"]["name"]
        return name

    def get(self, name: str) -> Workflow:
        with reported(f"reading the workflow {name} in {self._namespace}", REMEDY):
            return _unpacked(self._get(name))

    def newest_first(self) -> Sequence[Workflow]:
        with reported(f"listing the workflows of {self._namespace}", REMEDY):
            found = self._custom.list_namespaced_custom_object(*self._of("workflows"), _request_timeout=TIMEOUT_SECONDS)
        return sorted(found["items"], key=lambda one: str(one["metadata"]["creationTimestamp"]), reverse=True)

    def shut_down(self, name: str, strategy: str) -> None:
        self._patch(name, {"spec": {"shutdown": strategy}}, "ending")

    def suspend(self, name: str) -> None:
        self._patch(name, {"spec": {"suspend": True}}, "suspending")

    def resume(self, name: str) -> None:
        self._replace(name, _resumed, "resuming")

    def answer(self, name: str, node: str, parameters: Mapping[str, str], message: str) -> None:
        self._replace(name, lambda found: _answered(found, node, parameters, message), "answering")

    def retry(self, name: str, arguments: Sequence[str]) -> None:
        if shutil.which("argo") is None:
            raise errors.Misconfigured(
                "`argo` is not installed, and which steps begin anew is for the controller's own version of it to say; "
                "install it from https://github.com/argoproj/argo-workflows/releases"
            )
        context = ["--context", self._context] if self._context else []
        command = ["argo", "--namespace", self._namespace, *context, "retry", name, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            words = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise errors.UsageError(f"`{' '.join(command)}` refused: {words[-1] if words else done.returncode}")

    def delete(self, name: str) -> None:
        with reported(f"deleting the workflow {name} in {self._namespace}", REMEDY):
            self._get(name)
            self._custom.delete_namespaced_custom_object(*self._of("workflows"), name, _request_timeout=TIMEOUT_SECONDS)

    def log(self, pod: str, *, follow: bool, container: str = "main") -> Iterator[str]:
        with reported(f"reading the log of {container} in the pod {pod} in {self._namespace}", REMEDY):
            try:
                stream = self._core.read_namespaced_pod_log(
                    pod, self._namespace, container=container, follow=follow, _preload_content=False
                )
            except ApiException as error:
                if error.status == NOT_FOUND:
                    raise LookupError(pod) from error
                if error.status == BAD_REQUEST:
                    return  # the container has not begun
                raise
            yield from (line for line in _lines(stream) if ARGO_SAID not in line)

    def _of(self, plural: str) -> tuple[str, str, str, str]:
        return GROUP, VERSION, self._namespace, plural

    def _get(self, name: str) -> Workflow:
        try:
            found: Workflow = self._custom.get_namespaced_custom_object(
                *self._of("workflows"), name, _request_timeout=TIMEOUT_SECONDS
            )
        except ApiException as error:
            if error.status != NOT_FOUND:
                raise
            raise errors.UsageError(
                f"namespace {self._namespace} has no workflow {name!r}; "
                f"`argosy runs --namespace {self._namespace}{self._of_context()}` lists them"
            ) from error
        return found

    def _patch(self, name: str, change: Mapping[str, Any], doing: str) -> None:
        with reported(f"{doing} the workflow {name} in {self._namespace}", REMEDY):
            self._get(name)
            self._custom.patch_namespaced_custom_object(
                *self._of("workflows"), name, change, _request_timeout=TIMEOUT_SECONDS
            )

    def _replace(self, name: str, change: Callable[[dict[str, Any]], Mapping[str, Any]], doing: str) -> None:
        """Put what *change* makes of the workflow in its place; anew where the controller changed it at the same moment."""
        with reported(f"{doing} the workflow {name} in {self._namespace}", REMEDY):
            for _ in range(ATTEMPTS):
                found = dict(self._get(name))
                try:
                    self._custom.replace_namespaced_custom_object(
                        *self._of("workflows"), name, change(found), _request_timeout=TIMEOUT_SECONDS
                    )
                except ApiException as error:
                    if error.status != CONFLICT:
                        raise
                else:
                    return
        raise errors.TryAgain(f"workflow {name} changed {ATTEMPTS} times while {doing} it; try again")

    def _no_template(self, name: str, error: ApiException) -> str:
        """A namespace without the template, and a cluster without Argo, answer alike but for the body."""
        if "page not found" in str(error.body):
            return f"the cluster knows no WorkflowTemplates: Argo Workflows is not installed on it; {REMEDY}"
        return (
            f"namespace {self._namespace} has no WorkflowTemplate {name!r}; install its manifest: "
            f"kubectl -n {self._namespace}{self._of_context()} apply --server-side -f …/pipeline.yaml"
        )

    def _of_context(self) -> str:
        return f" --context {shlex.quote(self._context)}" if self._context else ""


def _namespace_of(context: str | None) -> str:
    """The namespace of the context at hand; of the pod's own where this runs in one."""
    try:
        contexts, active = config.list_kube_config_contexts(config_file=kubeconfig())
    except (ConfigException, OSError, TypeError):
        return "default"  # connecting said what is wrong; a pod has no such file
    chosen = next((each for each in contexts if each["name"] == context), active)
    return str(chosen["context"].get("namespace") or "default")


def _lines(stream: "urllib3.BaseHTTPResponse") -> Iterator[str]:
    rest = b""
    for chunk in stream.stream():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", errors="replace")
    if rest:
        yield rest.decode("utf-8", errors="replace")


def _unpacked(workflow: Workflow) -> Workflow:
    """*workflow* with its nodes in place: those of a large one are packed, those of a very large one are in the controller's database."""
    status = workflow.get("status") or {}
    if status.get("offloadNodeStatusVersion"):
        raise errors.Misconfigured(
            f"the nodes of {workflow['metadata']['name']} are in the controller's database; `argo get` reads them through the Argo server"
        )
    if not status.get("compressedNodes"):
        return workflow
    nodes = json.loads(gzip.decompress(base64.b64decode(status["compressedNodes"])))
    return {**workflow, "status": {**status, "nodes": nodes}}


def _resumed(workflow: dict[str, Any]) -> Mapping[str, Any]:
    """*workflow* going on: not suspended, and the suspend steps that wait done, with defaults for answers.

    Of one that was suspended a step that needs an answer goes on waiting for it.
    """
    going = {**workflow, "spec": {key: value for key, value in workflow["spec"].items() if key != "suspend"}}
    waiting = _waiting(workflow)
    if workflow["spec"].get("suspend"):
        waiting = {key: node for key, node in waiting.items() if not _needs_answer(node)}
    ended = {key: _ended(node, {}) for key, node in waiting.items()}
    return _with_nodes(going, ended) if ended else going


def _answered(workflow: dict[str, Any], name: str, parameters: Mapping[str, str], message: str) -> Mapping[str, Any]:
    """*workflow* with the suspend step *name*, which waits, done with *parameters*; as it is where that does not wait any more."""
    waiting = _waiting(workflow)
    ended = {
        key: {**_ended(node, parameters), "message": message} for key, node in waiting.items() if node["name"] == name
    }
    return _with_nodes(workflow, ended) if ended else workflow


def _waiting(workflow: Workflow) -> dict[str, Mapping[str, Any]]:
    nodes = (_unpacked(workflow).get("status") or {}).get("nodes") or {}
    return {key: node for key, node in nodes.items() if node["type"] == "Suspend" and node["phase"] == "Running"}


def _needs_answer(node: Mapping[str, Any]) -> bool:
    sources = [each.get("valueFrom") or {} for each in (node.get("outputs") or {}).get("parameters") or []]
    return any("supplied" in source and source.get("default") is None for source in sources)


def _with_nodes(workflow: Workflow, changed: Mapping[str, Any]) -> Workflow:
    """*workflow* with the nodes *changed*, none of them packed any more: the controller packs them when they are too large."""
    status = _unpacked(workflow)["status"]
    kept = {key: value for key, value in status.items() if key != "compressedNodes"}
    return {**workflow, "status": {**kept, "nodes": {**status["nodes"], **changed}}}


def _ended(node: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**node, "phase": "Succeeded", "finishedAt": now, "outputs": _supplied(node, given)}


def _supplied(node: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """The outputs of a suspend step that was *given* these; the defaults for others. Raises UsageError where one has none."""
    outputs = dict(node.get("outputs") or {})
    parameters = [_answer(node, parameter, given) for parameter in outputs.get("parameters") or []]
    return {**outputs, "parameters": parameters} if parameters else outputs


def _answer(node: Mapping[str, Any], parameter: Mapping[str, Any], given: Mapping[str, str]) -> Mapping[str, Any]:
    source = parameter.get("valueFrom") or {}
    if "supplied" not in source:
        return parameter
    value = given.get(parameter["name"], source.get("default"))
    if value is None:
        raise errors.UsageError(
            f"{node['displayName']} waits for a value of {parameter['name']!r}; `argosy approve` gives one: -p {parameter['name']}=VALUE"
        )
    return {"name": parameter["name"], "value": value}
