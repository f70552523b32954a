"""A pod that sends requests to a model all the time, and what it saw."""

import collections
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy_kind.customers import PROGRAM
from e2e.cluster import Cluster, Object

RATE = 10.0
"""Requests a second."""


@dataclass(frozen=True)
class Seconds:
    """What the load saw, second by second."""

    lines: list[dict[str, Any]]

    def since(self, when: float) -> "Seconds":
        """The same from *when* on, seconds since 1970."""
        return Seconds([line for line in self.lines if line["at"] >= when])

    def total(self) -> collections.Counter[str]:
        """Outcomes over the whole time: ``<status> <digest>``, or ``failed …``."""
        found: collections.Counter[str] = collections.Counter()
        for line in self.lines:
            found.update(line["seen"])
        return found

    def failures(self) -> dict[str, int]:
        """Everything that was no 200."""
        return {outcome: count for outcome, count in self.total().items() if not outcome.startswith("200 ")}

    def share(self, digest: str, since: float, until: float) -> float:
        """Of the answers between two times (seconds since 1970), the share that the model *digest* gave."""
        counts: collections.Counter[str] = collections.Counter()
        for line in self.lines:
            if since <= line["at"] <= until:
                counts.update(line["seen"])
        assert counts.total() > 0, "nothing was answered in that time"
        return sum(count for outcome, count in counts.items() if digest in outcome) / counts.total()


@dataclass(frozen=True)
class Load:
    """Sends *bodies* in turn to *url* until its namespace goes; *image* has Python."""

    cluster: Cluster
    namespace: str
    image: str
    url: str
    bodies: Sequence[Any]
    name: str = "load"
    key: str = ""
    """What it proves with who it is; nothing where empty."""
    program: Path = PROGRAM
    """What it runs."""

    def start(self) -> None:
        """Start the pod and wait until the first second is reported."""
        files = {
            "load.py": self.program.read_text(encoding="utf-8"),
            "bodies.json": json.dumps(list(self.bodies)),
        }
        metadata = {"name": self.name, "namespace": self.namespace}
        self.cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": files})
        self.cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": self._pod()})
        self.cluster.wait("the first requests", lambda: self.seen().lines, 120)

    def seen(self) -> Seconds:
        """What it has seen until now."""
        done = self.cluster.try_kubectl("logs", self.name, "--namespace", self.namespace)
        return _read(done.stdout)

    def _pod(self) -> Object:
        environment = {"URL": self.url, "RATE": str(RATE), "BODIES": "/load/bodies.json", "KEY": self.key}
        container = {
            "name": "load",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python", "/load/load.py"],
            "env": [{"name": name, "value": value} for name, value in environment.items()],
            "volumeMounts": [{"name": "load", "mountPath": "/load"}],
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
        security = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
        return {
            "containers": [container],
            "volumes": [{"name": "load", "configMap": {"name": self.name}}],
            "securityContext": security,
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
        }


@dataclass(frozen=True)
class LocalLoad:
    """The same from this machine, which reaches Services as nodes do: for a client that the server's image does not hold."""

    out: Path
    """What the program has printed until now."""

    def seen(self) -> Seconds:
        """What it has seen until now."""
        return _read(self.out.read_text(encoding="utf-8"))


@contextlib.contextmanager
def here(
    cluster: Cluster, folder: Path, program: Path, url: str, bodies: Sequence[Any], key: str
) -> Iterator[LocalLoad]:
    """Run *program* with the packages of the tests; its first second is reported."""
    (folder / "bodies.json").write_text(json.dumps(list(bodies)), encoding="utf-8")
    environment = {"URL": url, "RATE": str(RATE), "BODIES": str(folder / "bodies.json"), "KEY": key}
    load = LocalLoad(folder / "load.jsonl")
    with load.out.open("wb") as out:
        process = subprocess.Popen([sys.executable, program], env={**os.environ, **environment}, stdout=out)
    try:
        cluster.wait("the first requests", lambda: load.seen().lines, 120)
        yield load
    finally:
        process.terminate()
        process.wait(30)


def _read(printed: str) -> Seconds:
    """The whole lines of *printed*; what is written at this moment has no end yet."""
    lines = printed.splitlines(keepends=True)
    return Seconds([json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")])
