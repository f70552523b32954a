"""An environment repo behind a real git server, and the ApplicationSet of gitops-env/ that reads it."""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from argosy.adapters.local_forge.forge import LocalForge
from argosy.domain.promotion_requests import Request
from argosy.testing.forge_contract import digest, merge, proposal
from e2e.cluster import ROOT, Cluster, Object
from e2e.git_server import GitServer

CHART = Path(__file__).parent / "charts" / "stand-in"
ADDRESSES = {
    "https://github.com/example/environment.git": "environment",
    "oci://ghcr.io/example/charts/inference": "chart",
}
IMAGE = os.environ.get("ARGOSY_E2E_IMAGE", "docker.io/library/python:3.11-slim")
"""An image with Python that the cluster has or can pull."""


def own_address() -> str:
    """This machine as the cluster sees it: ARGOSY_E2E_HOST, or the address that the way to the API server has."""
    if given := os.environ.get("ARGOSY_E2E_HOST"):
        return given
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; says which address packets would leave by
        return str(probe.getsockname()[0])


class Monitor:
    """What the analysis asks: the share of errors, as the test wants it to be."""

    def __init__(self, host: str) -> None:
        self.errors = 0.0
        monitor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = json.dumps({"errors": monitor.errors}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((host, 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.address = f"http://{host}:{self._server.server_port}/"

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


class Delivery:
    """What a platform engineer applies once for *environment*: its repo is *address*/environment.git, its names are a test's own."""

    def __init__(self, cluster: Cluster, address: str, prefix: str, environment: str = "staging") -> None:
        self.cluster = cluster
        self.environment = environment
        self.namespace = f"{prefix}-{environment}"
        self._address = address
        self._prefix = prefix

    def start(self) -> None:
        """Apply it."""
        for name in ("project", "applicationset"):
            file = ROOT / f"gitops-env/clusters/{self.environment}/{name}.yaml"
            self.cluster.kubectl("apply", "--filename=-", given=self.addressed(file.read_text(encoding="utf-8")))

    def stop(self) -> None:
        """Take everything away again."""
        self.cluster.kubectl("delete", "applicationset", self.namespace, "--namespace=argocd", "--ignore-not-found")
        self.cluster.wait(
            "its Applications are gone",
            lambda: (
                not self.cluster.kubectl("get", "applications", "--namespace=argocd", self._selector, "--output=name")
            ),
        )
        self.cluster.kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=false")
        self.cluster.kubectl("delete", "appproject", self.namespace, "--namespace=argocd", "--ignore-not-found")

    def refresh(self) -> None:
        """Tell Argo CD that main has changed, as a webhook would."""
        at = ("--namespace=argocd", "--overwrite")
        flag = "argocd.argoproj.io/application-set-refresh=true"
        self.cluster.kubectl("annotate", "applicationset", self.namespace, *at, flag)
        self.cluster.kubectl("annotate", "applications", *at, self._selector, "argocd.argoproj.io/refresh=normal")

    def application(self, model: str) -> Object:
        """Argo CD's view of *model*."""
        return self.cluster.get("application", f"{model}-{self.namespace}", "argocd")

    def is_settled(self, model: str) -> bool:
        """Whether Argo CD has nothing left to do for *model*, and calls it healthy."""
        status = self.application(model).get("status", {})
        found = (status.get("sync", {}).get("status"), status.get("health", {}).get("status"))
        return found == ("Synced", "Healthy")

    def rollout(self, model: str) -> Object:
        """Argo Rollouts' view of *model*."""
        return self.cluster.get("rollout", model, self.namespace)

    def addressed(self, text: str) -> str:
        """*text* of gitops-env/ with the addresses and names of this test."""
        for address, name in ADDRESSES.items():
            text = text.replace(address, f"{self._address}/{name}.git")
        text = text.replace(f"argosy-{self.environment}", self.namespace)
        text = text.replace(f"""_" "-" }}}}-{self.environment}'""", f"""_" "-" }}}}-{self.namespace}'""")
        label = f"argosy.dev/environment: {self.environment}\n"
        return text.replace(f"{label}      finalizers", f"{label}        e2e: {self._prefix}\n      finalizers")

    @property
    def _selector(self) -> str:
        return f"--selector=e2e={self._prefix},argosy.dev/environment={self.environment}"


def serve_chart(folder: Path, chart: Path) -> None:
    """Make *folder*/chart.git a repository that holds *chart*."""
    work = folder / "chart"
    subprocess.run(["cp", "-r", str(chart), str(work)], check=True)
    git("init", "--quiet", "--initial-branch=main", at=work)
    git("add", ".", at=work)
    git("commit", "--quiet", "--message=chart", at=work)
    git("clone", "--quiet", "--bare", str(work), str(folder / "chart.git"), at=folder)


def git(*arguments: str, at: Path) -> str:
    """Git, as a person uses it."""
    command = ["git", "-c", "user.name=ada", "-c", "user.email=ada@example.com", "-c", "safe.directory=*", *arguments]
    return subprocess.run(command, cwd=at, capture_output=True, text=True, check=True, timeout=60).stdout


class Environment:
    """One environment, staging, of a repo of its own, whose models a chart of a few lines stands in for."""

    def __init__(self, cluster: Cluster, folder: Path, prefix: str) -> None:
        self.cluster = cluster
        host = own_address()
        self.monitor = Monitor(host)
        self.server = GitServer(folder, host)
        self._delivery = Delivery(cluster, self.server.address, prefix)
        self.namespace = self._delivery.namespace
        serve_chart(folder, CHART)
        self.repository = folder / "environment.git"
        self.forge = LocalForge(self.repository, self._template())

    def start(self) -> None:
        """Apply what a platform engineer applies once."""
        self._delivery.start()

    def stop(self) -> None:
        """Take everything away again."""
        self._delivery.stop()
        self.server.stop()
        self.monitor.stop()

    def merge(self, name: str, model: str = "toy") -> Request:
        """Propose the model that *name* stands for, and merge it."""
        request = self.forge.propose(proposal(name, model=model, **{"bundle.sig": f"signature of {name}"}))
        assert request is not None
        return self.accept(request)

    def accept(self, request: Request) -> Request:
        """Merge *request*, and tell Argo CD, as a webhook would."""
        merged = merge(self.forge, request.number)
        self.refresh()
        return merged

    def refresh(self) -> None:
        """Tell Argo CD that main has changed."""
        self._delivery.refresh()

    def application(self, model: str = "toy") -> Object:
        """Argo CD's view of *model*."""
        return self._delivery.application(model)

    def rollout(self, model: str = "toy") -> Object:
        """Argo Rollouts' view of *model*."""
        return self._delivery.rollout(model)

    def serving(self, model: str = "toy") -> dict[str, int]:
        """Model digest to the number of pods that are ready with it."""
        return self.cluster.serving(self.namespace, f"app={model}")

    def serves(self, name: str, model: str = "toy") -> bool:
        """Whether *model* is healthy with the bundle that *name* stands for, and Argo CD agrees."""
        settled = self._delivery.is_settled(model) and self.serving(model) == {digest(name): 2}
        return settled and self.rollout(model)["status"]["phase"] == "Healthy"

    def _template(self) -> dict[str, bytes]:
        values = f"model: toy\nimage: {IMAGE}\nerrors: {self.monitor.address}\n"
        chart = (ROOT / "gitops-env/clusters/staging/chart.yaml").read_text(encoding="utf-8")
        chart = chart.replace("revision: 0.1.0", "revision: main")
        files = {
            "clusters/staging/chart.yaml": self._delivery.addressed(chart),
            "clusters/staging/server.yaml": (ROOT / "gitops-env/clusters/staging/server.yaml").read_text(
                encoding="utf-8"
            ),
            "keys/signing.pub.pem": "a key\n",
            "policies/toy.yaml": "model: toy\n",
            "models/toy/values.yaml": values,
        }
        return {path: text.encode() for path, text in files.items()}

    def add_model(self, model: str) -> None:
        """What a data scientist's first commit brings: a folder, and the gates."""
        clone = self.repository.parent / f"clone-{model}"
        git("clone", "--quiet", f"{self.server.address}/environment.git", str(clone), at=self.repository.parent)
        values = f"model: {model}\nimage: {IMAGE}\nerrors: {self.monitor.address}\n"
        files: Mapping[str, str] = {
            f"models/{model}/values.yaml": values,
            f"policies/{model}.yaml": f"model: {model}\n",
        }
        for path, text in files.items():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).write_text(text, encoding="utf-8")
        git("add", ".", at=clone)
        git("commit", "--quiet", "--message", f"Add {model}", at=clone)
        git("push", "--quiet", "origin", "HEAD:main", at=clone)
