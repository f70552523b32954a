"""Executors as pods beside the step's: what Spark's own scheduler is told of them, and what is asked so that nobody waits for nothing.

The driver is the step. Executors are its image with its addresses and its keys, as an account that may do nothing; they go with the
step's pod. Spark alone starts, counts and replaces them.
"""

import json
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.domain import executor_names

SECONDS = 30.0
"""How long the API server may take to answer."""
START_SECONDS = 600.0
"""How long the first executor may take to start: nodes are made, and images of gigabytes pulled, in minutes."""
CONTAINER = "executor"
DEFAULTS = {
    # What Python has of the rows, and XGBoost of their bins, is outside of the heap: as much again. Spark's own share, a tenth, is a JVM's.
    "spark.executor.memoryOverheadFactor": "1.0",
    "spark.executor.memory": "1g",
    "spark.executor.cores": "1",
    # Why a pod could not be made, and why it went, is a warning of Spark's.
    "spark.log.level": "WARN",
    # Spark's own ten seconds include the name server's: where an answer of that is lost, they are over before it is asked again.
    "spark.kubernetes.driver.connectionTimeout": str(round(SECONDS * 1000)),
    "spark.kubernetes.driver.requestTimeout": str(round(SECONDS * 1000)),
}
"""What a model's options may say otherwise."""


@dataclass(frozen=True)
class ExecutorPods:
    """Executors of the step that runs in *pod* of *namespace*."""

    namespace: str
    pod: str
    image: str
    token: str = field(repr=False)
    authority: str = field(repr=False)
    """The certificate (PEM) that the API server's own is signed with."""
    secrets: Sequence[str]
    """Secrets of the step, which executors are handed, too."""
    instances: int
    """How many, unless the model's options say."""
    placement: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the step's pod that say where it may run and what goes before it: of executors, too."""

    def settings(self, options: Mapping[str, str], folder: Path) -> dict[str, str]:
        """All that Spark is told, with a model's own *options*. Writes to *folder* what it reads from files."""
        files = {name: folder / name for name in ("token", "authority.pem", "executor.json")}
        template = self._template()
        for file, content in zip(files.values(), (self.token, self.authority, json.dumps(template)), strict=True):
            file.touch(mode=0o600)
            file.write_text(content, encoding="utf-8")
        chosen = {**DEFAULTS, "spark.executor.instances": str(self.instances), **options}
        return {
            "spark.kubernetes.executor.limit.cores": chosen["spark.executor.cores"],
            **chosen,
            "spark.driver.host": socket.gethostbyname(socket.gethostname()),
            "spark.kubernetes.namespace": self.namespace,
            "spark.kubernetes.container.image": self.image,
            "spark.kubernetes.container.image.pullPolicy": self._pull_policy,
            "spark.kubernetes.driver.pod.name": self.pod,
            "spark.kubernetes.authenticate.oauthTokenFile": str(files["token"]),
            "spark.kubernetes.authenticate.caCertFile": str(files["authority.pem"]),
            "spark.kubernetes.authenticate.executor.serviceAccountName": executor_names.ACCOUNT,
            "spark.kubernetes.executor.podTemplateFile": str(files["executor.json"]),
            "spark.kubernetes.executor.podTemplateContainerName": CONTAINER,
            # It owns neither, and has no right to remove what it does not own.
            "spark.kubernetes.driver.service.deleteOnTermination": "false",
            "spark.kubernetes.driver.ownPersistentVolumeClaim": "false",
            # Its one file is the driver's own logging, and without it no right to ConfigMaps is needed.
            "spark.kubernetes.executor.disableConfigMap": "true",
        }

    def demand_right(self, server: str) -> None:
        """Have the API *server* check a pod as executors are, and keep none. Raises Misconfigured with what it says against one.

        Spark would write that to its log, and try again for ever.
        """
        self._asked(server, "pods?dryRun=All", "executors cannot be pods here", self.sample())

    def demand_one(self, server: str, application: str, has_one: Callable[[], bool]) -> None:
        """Wait until *has_one* says that an executor of *application* is there. Raises TryAgain, which says why none is."""
        until = time.monotonic() + START_SECONDS
        while not has_one():
            if time.monotonic() > until:
                selector = urllib.parse.quote(f"spark-app-selector={application}")
                found = self._asked(server, f"pods?labelSelector={selector}", "executors cannot be seen")["items"]
                raise errors.TryAgain(f"no executor started within {START_SECONDS:.0f} s: {why_waiting(found)}")
            time.sleep(0.5)

    @property
    def _pull_policy(self) -> str:
        """As the step's own pod has it: a tag is of this node or of nobody."""
        return "IfNotPresent" if "@sha256:" in self.image else "Never"

    def _template(self) -> dict[str, Any]:
        """What Spark makes its pods of."""
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"labels": {executor_names.LABEL: executor_names.EXECUTOR}},
            "spec": {
                "automountServiceAccountToken": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 10001,
                    "fsGroup": 10001,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": CONTAINER,
                        "command": ["python", "-m", executor_names.MODULE],
                        "envFrom": [
                            {"configMapRef": {"name": "argosy-endpoints", "optional": True}},
                            *({"secretRef": {"name": name, "optional": True}} for name in self.secrets),
                        ],
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108 - a volume of the pod's own
                    }
                ],
                "volumes": [{"name": "scratch", "emptyDir": {}}],
                **self.placement,
            },
        }

    def sample(self) -> dict[str, Any]:
        """A pod as Spark would make it, as far as anybody has rules for it."""
        pod = self._template()
        pod["metadata"]["generateName"] = "argosy-executor-"
        pod["spec"] |= {"serviceAccountName": executor_names.ACCOUNT, "restartPolicy": "Never"}
        amounts = {"cpu": "1", "memory": "1Gi"}
        own = {"image": self.image, "args": [CONTAINER], "resources": {"requests": amounts, "limits": amounts}}
        pod["spec"]["containers"][0] |= own
        return pod

    def _asked(self, server: str, what: str, subject: str, content: object = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the scheme is the master's
            f"{server}/api/v1/namespaces/{self.namespace}/{what}",
            data=None if content is None else json.dumps(content).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        trusted = ssl.create_default_context(cadata=self.authority)
        # No proxy: the API server is the cluster's own.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
        )
        try:
            with opener.open(request, timeout=SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            said = _message(error.read()) or error.reason
            kind = errors.TryAgain if error.code == 429 or error.code >= 500 else errors.Misconfigured
            raise kind(f"{subject}: the API server says {error.code}: {said}") from None
        except OSError as error:
            raise errors.TryAgain(f"{subject}: the API server does not answer at {server}: {error}") from None


def why_waiting(pods: Sequence[Mapping[str, Any]]) -> str:
    """Why none of *pods*, as the API server has them, runs yet: the first reason that one of them gives."""
    for pod in pods:
        states = [each["state"].get("waiting") or {} for each in pod["status"].get("containerStatuses", [])]
        conditions = [each for each in pod["status"].get("conditions", []) if each["status"] == "False"]
        for each in (*states, *conditions):
            if said := each.get("message") or each.get("reason"):
                return f"pod {pod['metadata']['name']}: {said}"
    return (
        f"{len(pods)} pods were made, and none says why"
        if pods
        else "no pod was made; the step's log has Spark's reason"
    )


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["message"])
    except (ValueError, LookupError, TypeError):
        return ""
