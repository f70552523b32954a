"""A model released with charts/inference, as a test drives it: install a version, watch its Rollout, send it requests."""

import collections
import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from e2e import access_kit, load_kit
from e2e.cluster import ROOT, Cluster, Object, helm
from e2e.load_kit import Load, LocalLoad
from e2e.versions import MODEL, Version, requests

CHART = ROOT / "charts" / "inference"
GRPC_PROGRAM = Path(__file__).with_name("grpc_load.py")
ROWS = 48
"""Rows a request."""
TIMING = {"intervalSeconds": 5, "windowSeconds": 20, "minimumRequests": 25}
VALUES: dict[str, Any] = {
    "model": MODEL,
    "environment": "staging",
    "replicas": 3,
    "resources": {"requests": {"cpu": "50m", "memory": "160Mi"}, "limits": {"cpu": "1", "memory": "768Mi"}},
    "canary": {"steps": [25, 50, 100], "stepSeconds": 30},
    "latency": {"p95Milliseconds": 100},
    "storage": {"credentialsSecret": "store"},
    "predictionLog": {"enabled": False},
}
"""As gitops-env's, but small and quick."""


@dataclass(frozen=True)
class Store:
    """A bucket that the cluster reaches, and its keys."""

    url: str
    """``http://host:port/bucket``."""
    access_key: str
    secret_key: str

    def upload(self, version: Version, prefix: str) -> str:
        """Copy *version*'s bundle into the bucket; returns its ``s3://`` address."""
        import boto3

        parts = urlsplit(self.url)
        bucket = parts.path.strip("/")
        client = boto3.client(
            "s3",
            endpoint_url=f"{parts.scheme}://{parts.netloc}",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
        )
        for file in sorted(version.folder.iterdir()):
            client.put_object(Bucket=bucket, Key=f"{prefix}/{version.folder.name}/{file.name}", Body=file.read_bytes())
            # A neighbour whose name only begins alike: an address that does not end in a slash would bring it too.
            neighbour = f"{prefix}/{version.folder.name}1/{file.name}"
            client.put_object(Bucket=bucket, Key=neighbour, Body=b"of another version")
        return f"s3://{bucket}/{prefix}/{version.folder.name}/"

    def secret(self, namespace: str) -> Object:
        """The keys as KServe reads them."""
        parts = urlsplit(self.url)
        annotations = {
            "serving.kserve.io/s3-endpoint": parts.netloc,
            "serving.kserve.io/s3-usehttps": str(int(parts.scheme == "https")),
            "serving.kserve.io/s3-region": "us-east-1",
        }
        keys = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        metadata = {"name": "store", "namespace": namespace, "annotations": annotations}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": keys}


@dataclass(frozen=True)
class Release:
    """One Helm release of the chart, in a namespace of its own."""

    cluster: Cluster
    namespace: str
    store: Store
    folder: Path
    """For files of values."""
    verifying_key: str
    image: str
    prometheus: str

    def prepare(self) -> None:
        """Make what an environment has before its first model."""
        self.cluster.apply(self.store.secret(self.namespace), access_kit.secret(self.namespace))

    def install(
        self,
        version: Version,
        *,
        image: str | None = None,
        start_seconds: int = 240,
        over: Mapping[str, Any] | None = None,
    ) -> None:
        """Make *version* what is asked for, as a merge does.

        *image*: in place of the usual one; *start_seconds*: how long a pod may take; *over*: values in place of the usual ones.
        """
        given = {
            **VALUES,
            "version": version.number,
            "modelDigest": version.digest,
            "storageUri": self.store.upload(version, self.namespace),
            "signature": version.signature,
            "verifyingKey": self.verifying_key,
            "server": {
                "image": self.image,
                "pullPolicy": "IfNotPresent",
                "drainSeconds": 10,
                "startSeconds": start_seconds,
            },
            "analysis": {
                **TIMING,
                "prometheus": self.prometheus,
                "errors": {"maximumRatio": 0.05},
                "latency": {"tolerance": 3},
            },
            **(over or {}),
        }
        if image is not None:
            given["image"] = image
        path = self.folder / "values.json"
        path.write_text(json.dumps(given), encoding="utf-8")
        helm("upgrade", "--install", MODEL, str(CHART), "--namespace", self.namespace, "--values", str(path))

    def rollout(self) -> Object:
        """The Rollout as it is now."""
        return self.cluster.get("rollout", MODEL, self.namespace)

    def phase(self) -> str:
        """Its health: Progressing, Paused, Healthy or Degraded."""
        return str(self.rollout().get("status", {}).get("phase", ""))

    def live_digest(self) -> str:
        """Blue/green: the model digest of the version that the active Service selects; empty while there is none."""
        return self._digest_of(self.rollout().get("status", {}).get("blueGreen", {}).get("activeSelector", ""))

    def _digest_of(self, template_hash: str) -> str:
        sets = self.cluster.list("replicasets", self.namespace, f"rollouts-pod-template-hash={template_hash}")
        return str(sets[0]["spec"]["template"]["metadata"]["annotations"]["argosy.dev/model-digest"]) if sets else ""

    def serving(self) -> collections.Counter[str]:
        """Model digests of the pods that are ready, and how many have each."""
        return self.cluster.serving(self.namespace, f"app=isvc.{MODEL}-predictor")

    def wait_live(self, version: Version, seconds: float = 420) -> None:
        """Wait until every pod is of *version* and the Rollout is Healthy."""

        def live() -> bool:
            return self.phase() == "Healthy" and self.serving() == {version.digest: VALUES["replicas"]}

        self.cluster.wait(f"version {version.number} live", live, seconds)

    def wait_aborted(self, version: Version, seconds: float = 420) -> str:
        """Wait until the Rollout has aborted its update to *version*; returns its message."""

        def aborted() -> str:
            status = self.rollout()["status"]
            over = status.get("abort") and status["phase"] == "Degraded"
            asked = over and self._digest_of(status["currentPodHash"]) == version.digest
            return str(status["message"]) if asked else ""

        return str(self.cluster.wait("abort", aborted, seconds))

    def load(self, name: str = "load", key: str = access_kit.KEY) -> Load:
        """Requests to what callers are given, with *key* where it is not empty; to be started."""
        url = f"http://{MODEL}-live.{self.namespace}/v1/models/{MODEL}:predict"
        return Load(self.cluster, self.namespace, self.image, url, requests(ROWS, 20), name, key)

    @contextlib.contextmanager
    def grpc_load(self, key: str) -> Iterator[LocalLoad]:
        """The same over gRPC, from here: servers have no gRPC client."""
        service = self.cluster.get("service", f"{MODEL}-live", self.namespace)
        url = f"{service['spec']['clusterIP']}:9000/{MODEL}"
        with load_kit.here(self.cluster, self.folder, GRPC_PROGRAM, url, requests(ROWS, 20), key) as load:
            yield load

    def measured(self) -> dict[str, str]:
        """The phases of the metrics of the last AnalysisRun, by name."""
        runs = self.cluster.list("analysisruns", self.namespace)
        last = max(runs, key=lambda run: str(run["metadata"]["creationTimestamp"]))
        return {metric["name"]: metric["phase"] for metric in last["status"]["metricResults"]}


def steps(analysis_runs: Iterable[Object]) -> list[tuple[int, str, str]]:
    """When each step was measured: index, begin and end as Kubernetes writes times, oldest first."""
    found = []
    for run in analysis_runs:
        index = int(run["metadata"]["labels"]["step-index"])
        found.append((index, str(run["status"]["startedAt"]), str(run["status"].get("completedAt", ""))))
    return sorted(found, key=lambda each: each[1])
