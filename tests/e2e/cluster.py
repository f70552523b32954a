"""A cluster as tests see it: `kubectl`, and waiting for what it says."""

import collections
import contextlib
import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.adapters.cluster import client

Object = dict[str, Any]


class Cluster:
    """The cluster that KUBECONFIG names."""

    def try_kubectl(self, *words: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run kubectl; *given* is its standard input."""
        return subprocess.run(
            ["kubectl", *words], input=given, capture_output=True, text=True, check=False, timeout=120
        )

    def kubectl(self, *words: str, given: str | None = None) -> str:
        """What kubectl prints; fails the test where kubectl does."""
        done = self.try_kubectl(*words, given=given)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def post(self, path: str, content: Any, headers: Mapping[str, str]) -> Any:
        """What the API server, or the Service that *path* has it ask, answers to *content*, as JSON; with *headers*, which kubectl has no
        way to send. Of these it passes on all but ``Authorization``, which is its own."""
        api = client.connect()
        asked = api.param_serialize(
            "POST",
            path,
            header_params={"Content-Type": "application/json", **headers},
            body=content,
            auth_settings=["BearerToken"],
        )
        answer = api.call_api(*asked, _request_timeout=120)
        return json.loads(answer.read())

    def apply(self, *objects: Object, dry_run: bool = False) -> None:
        """Apply *objects* on the server; *dry_run*: let it check them and keep nothing."""
        words = ["apply", "--server-side", "--force-conflicts", "--filename", "-"]
        if dry_run:
            words.append("--dry-run=server")
        self.kubectl(*words, given=yaml.safe_dump_all(objects))

    def get(self, kind: str, name: str, namespace: str) -> Object:
        """One object; empty where there is none."""
        done = self.try_kubectl("get", kind, name, "--namespace", namespace, "--output", "json", "--ignore-not-found")
        assert done.returncode == 0, done.stderr
        found: Object = json.loads(done.stdout) if done.stdout else {}
        return found

    def list(self, kind: str, namespace: str, selector: str = "") -> list[Object]:
        """All objects of *kind* in *namespace* that *selector* selects."""
        text = self.kubectl("get", kind, "--namespace", namespace, "--selector", selector, "--output", "json")
        found: list[Object] = json.loads(text)["items"]
        return found

    def serving(self, namespace: str, selector: str) -> "collections.Counter[str]":
        """Model digests of the pods that are ready, and how many have each."""
        found: collections.Counter[str] = collections.Counter()
        for pod in self.list("pods", namespace, selector):
            if is_ready(pod) and "deletionTimestamp" not in pod["metadata"]:
                found[pod["metadata"]["annotations"]["argosy.dev/model-digest"]] += 1
        return found

    def evict(self, pod: str, namespace: str) -> "subprocess.CompletedProcess[str]":
        """Ask for the eviction of *pod*, as a drain does."""
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
        return self.try_kubectl("create", "--raw", path, "--filename", "-", given=json.dumps(body))

    def step_pod(self, namespace: str, run: str, part: str = "") -> str | None:
        """A pod of the workflow *run* that runs, of a node whose name contains *part*.

        The controller has noted that it does: one that goes before that it just makes anew, as the same attempt.
        """
        found = self.get("workflow", run, namespace).get("status", {}).get("nodes", {})
        noted = {node["name"] for node in found.values() if node["type"] == "Pod" and node["phase"] == "Running"}
        for pod in self.list("pods", namespace, f"workflows.argoproj.io/workflow={run}"):
            name = pod["metadata"]["annotations"]["workflows.argoproj.io/node-name"]
            if pod["status"]["phase"] == "Running" and name in noted and part in name:
                return str(pod["metadata"]["name"])
        return None

    def wait(
        self, what: str, holds: Callable[[], Any], seconds: float = 180, every: float = 2.0, namespace: str = ""
    ) -> Any:
        """What *holds* returns once it is true; fails the test after *seconds*. *what*: for the message.

        *namespace*: whose containers that cannot start are named by the message too.
        """
        until = time.monotonic() + seconds
        while True:
            if found := holds():
                return found
            assert time.monotonic() < until, f"{what}: not within {seconds:.0f} s{self._stuck(namespace)}"
            time.sleep(every)

    def _stuck(self, namespace: str) -> str:
        """The containers of *namespace* that cannot start, and why; empty where there is none."""
        pods = self.list("pods", namespace) if namespace else []
        statuses = [
            (pod["metadata"]["name"], container)
            for pod in pods
            for kind in ("initContainerStatuses", "containerStatuses")
            for container in pod["status"].get(kind, [])
        ]
        return "".join(
            f"; {pod}/{container['name']}: {waiting['message']}"
            for pod, container in statuses
            if (waiting := container["state"].get("waiting", {})).get("message")
        )

    @contextlib.contextmanager
    def namespace(self, name: str) -> Iterator[None]:
        """The namespace *name*, which enforces the restricted profile, as ours do."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        try:
            yield
        finally:
            if os.environ.get("ARGOSY_E2E_KEEP") != "1":
                self.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def is_ready(pod: Object) -> bool:
    """True where *pod* says that it is ready."""
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
    return conditions.get("Ready") == "True"


CONTROLLERS = {
    "argo-workflows": ("argo", "app=workflow-controller"),
    "argo-rollouts": ("argo-rollouts", "app.kubernetes.io/name=argo-rollouts"),
}
"""The namespace of each controller's pods and what selects them, as their projects install them."""


def kill_controller(cluster: Cluster, name: str) -> None:
    """Kill the controller *name* hard; something brings it back.

    Where it does not run as a pod, ARGOSY_E2E_RESTART names a command that does both, given the name.
    """
    if command := os.environ.get("ARGOSY_E2E_RESTART"):
        subprocess.run([*shlex.split(command), name], check=True, timeout=300)
        return
    namespace, selector = CONTROLLERS[name]
    if not cluster.list("pods", namespace, selector):
        pytest.skip(f"{name} has no pods in {namespace}, and ARGOSY_E2E_RESTART is not set")
    cluster.kubectl("delete", "pods", "--namespace", namespace, "--selector", selector, "--grace-period=0", "--force")


def helm(*words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run helm."""
    done = subprocess.run(["helm", *words], capture_output=True, text=True, check=False, timeout=300)
    assert not check or done.returncode == 0, f"helm {' '.join(words)}: {done.stderr}"
    return done


ROOT = Path(__file__).parents[2]
