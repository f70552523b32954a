"""A stand-in for a cluster with Argo Workflows: an API server that keeps Workflow objects, and what a controller makes of one.

The controller knows the workflow that the contract of runs has for its example. The API server keeps the rule that matters to a client:
an object that changed since it was read is not replaced.
"""

import base64
import contextlib
import gzip
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from argosy import argo

Object = dict[str, Any]
WORKFLOW = re.compile(r"/apis/argoproj.io/v1alpha1/namespaces/team/workflows(?:/(?P<name>[^?]+))?(?:\?.*)?")
LOG = re.compile(r"/api/v1/namespaces/team/pods/(?P<pod>[^/]+)/log(?:\?.*)?")
ASKED = [
    {"name": "code", "valueFrom": {"supplied": {}}},
    {"name": "why", "valueFrom": {"supplied": {}, "default": "none"}},
]


@dataclass
class Argo:
    """A running cluster: where, its workflows and what its pods wrote."""

    url: str = ""
    workflows: dict[str, Object] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    changes: int = 0

    def begin(self) -> str:
        """A workflow that waits for an answer, its nodes packed as those of a large one are."""
        self.changes += 1
        name = f"example-{self.changes}-abcde"
        root = {"type": "Steps", "phase": "Running", "templateName": "main"}
        nodes = [
            _node(name, name, boundary="", **root),
            _node(name, f"{name}[0]", type="StepGroup", phase="Running"),
            _node(
                name,
                f"{name}[0].ask",
                type="Suspend",
                phase="Running",
                templateName="ask",
                outputs={"parameters": ASKED},
            ),
        ]
        self.workflows[name] = {
            "metadata": {"name": name, "creationTimestamp": _now(), "resourceVersion": str(self.changes)},
            "spec": {},
            "status": {"phase": "Running", "startedAt": _now(), "compressedNodes": _packed(nodes)},
        }
        return name

    def retry(self, name: str) -> None:
        """What ``argo retry`` has the controller do: the step that failed, again."""
        status = self.workflows[name]["status"]
        status["phase"] = "Running"
        del status["finishedAt"]
        _, use = _step(status["nodes"], "use")
        self._use(name, use["inputs"])

    def change(self, name: str, changed: Object) -> None:
        """Keep the object *changed*, and what the controller makes of it."""
        self.changes += 1
        changed["metadata"] = {**changed["metadata"], "resourceVersion": str(self.changes)}
        self.workflows[name] = changed
        if strategy := changed["spec"].get("shutdown"):
            self._end(name, "Failed", f"Stopped with strategy '{strategy}'")
        elif nodes := changed["status"].get("nodes"):
            _, ask = _step(nodes, "ask")
            if ask["phase"] == "Succeeded":
                self._use(name, {each["name"]: each["value"] for each in ask["outputs"]["parameters"]})

    def _use(self, name: str, given: Object) -> None:
        code = given["code"]
        end = {"phase": "Succeeded"} if code == "0" else {"phase": "Failed", "message": f"Error (exit code {code})"}
        full = f"{name}[1].use"
        more = {"inputs": given, "outputs": {"exitCode": code}, "finishedAt": _now()}
        key, node = _node(name, full, type="Pod", templateName="use", **end, **more)
        self.workflows[name]["status"]["nodes"][key] = node
        self.logs[argo.pod_name(name, full, "use")] = f"ends by {code}\n"
        self._end(name, end["phase"], "")

    def _end(self, name: str, phase: str, message: str) -> None:
        self.workflows[name]["status"] |= {"phase": phase, "message": message, "finishedAt": _now()}


def _node(workflow: str, name: str, *, boundary: str | None = None, **more: Any) -> tuple[str, Object]:
    key = argo.node_id(workflow, name)
    around = argo.node_id(workflow, workflow) if boundary is None else boundary
    shown = name.rpartition(".")[2]
    return key, {"id": key, "name": name, "displayName": shown, "boundaryID": around, "startedAt": _now(), **more}


def _step(nodes: dict[str, Object], name: str) -> tuple[str, Object]:
    return next((key, node) for key, node in nodes.items() if node["displayName"] == name)


def _packed(nodes: list[tuple[str, Object]]) -> str:
    return base64.b64encode(gzip.compress(json.dumps(dict(nodes)).encode())).decode()


def _now() -> str:
    """This moment; Argo's own has no fractions, by which tests tell one end from another."""
    return datetime.fromtimestamp(time.time(), tz=UTC).isoformat()


@contextlib.contextmanager
def argo_server() -> Iterator[Argo]:
    """A cluster without workflows, in its namespace ``team``."""
    cluster = Argo()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"cluster": cluster}))
    cluster.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    cluster: Argo

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = self._answer(json.loads(body) if body else None)
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
        content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, sent: Any) -> tuple[int, Any]:
        if matched := LOG.fullmatch(self.path):
            return (200, self.cluster.logs[matched["pod"]]) if matched["pod"] in self.cluster.logs else (404, {})
        matched = WORKFLOW.fullmatch(self.path)
        name = matched["name"] if matched else None
        if matched and name is None:
            return 200, {"items": list(self.cluster.workflows.values())}
        if name is None or name not in self.cluster.workflows:
            return 404, {"reason": "NotFound"}
        return self._of_one(name, self.cluster.workflows[name], sent)

    def _of_one(self, name: str, found: Object, sent: Any) -> tuple[int, Any]:
        if self.command == "DELETE":
            del self.cluster.workflows[name]
        elif self.command == "PATCH":
            self.cluster.change(name, {**found, "spec": {**found["spec"], **sent["spec"]}})
        elif self.command == "PUT":
            if sent["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
                return 409, {"reason": "Conflict"}
            self.cluster.change(name, sent)
        return 200, self.cluster.workflows.get(name, {})

    do_GET = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing."""
