"""A Prometheus for tests where the cluster has none: this machine's program, told by us which pods there are.

Distributions build it without the discovery of pods, so a thread asks the API server and writes what it finds to a file that Prometheus
follows, with the labels that a ServiceMonitor of the chart gives.
"""

import contextlib
import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from e2e.cluster import Cluster, Object

PODS = "serving.kserve.io/inferenceservice"
"""The label that KServe gives the pods of a model."""
EXPORTER = "app.kubernetes.io/component=exporter"
PORTS = {PODS: 8081, EXPORTER: 8000}
"""Where the pods that a selector finds show their metrics: those of a model at the port that callers have no part in."""
HASH = "rollouts-pod-template-hash"


@contextlib.contextmanager
def running(
    cluster: Cluster, folder: Path, host: str, *, rules: Sequence[Path] = (), alertmanager: str = ""
) -> Iterator[str]:
    """Prometheus on a free port of *host*, its data in *folder*; yields its address.

    *rules*: files of rules. *alertmanager*: ``host:port`` of the one that is told what fires.
    """
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    targets, config = folder / "targets.json", folder / "prometheus.json"  # JSON is YAML
    job = {"job_name": "models", "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "5s"}]}
    written = {
        "global": {"scrape_interval": "2s", "evaluation_interval": "2s"},
        "scrape_configs": [job],
        "rule_files": [str(path) for path in rules],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}] if alertmanager else []},
    }
    config.write_text(json.dumps(written), encoding="utf-8")
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("wb") as log, _following(cluster, targets):
        process = subprocess.Popen([*command, f"--web.listen-address={host}:{port}"], stdout=log, stderr=log)
        try:
            _wait_ready(f"http://{host}:{port}", process, folder / "log")
            yield f"http://{host}:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextlib.contextmanager
def _following(cluster: Cluster, targets: Path) -> Iterator[None]:
    """Keep *targets* the pods that there are."""
    stop = threading.Event()

    def follow() -> None:
        while not stop.wait(2.0):
            found = []
            for selector, port in PORTS.items():
                done = cluster.try_kubectl(
                    "get", "pods", "--all-namespaces", "--selector", selector, "--output", "json"
                )
                if done.returncode != 0:
                    break
                found += [_target(pod, port) for pod in _running(done.stdout)]
            else:
                partial = targets.with_suffix(".partial")
                partial.write_text(json.dumps(found), encoding="utf-8")
                partial.replace(targets)

    thread = threading.Thread(target=follow, name="targets")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _running(text: str) -> list[Object]:
    return [pod for pod in json.loads(text)["items"] if pod["status"].get("podIP")]


def _target(pod: Object, port: int) -> dict[str, Any]:
    metadata = pod["metadata"]
    labels = {"namespace": metadata["namespace"], "pod": metadata["name"]}
    if HASH in metadata["labels"]:
        labels[HASH.replace("-", "_")] = metadata["labels"][HASH]
    return {"targets": [f"{pod['status']['podIP']}:{port}"], "labels": labels}


def _wait_ready(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"{address}/-/ready", timeout=5).close()  # noqa: S310 - our own server
            return
        time.sleep(0.3)
    raise AssertionError(f"prometheus did not start: {log.read_text(encoding='utf-8')[-1000:]}")
