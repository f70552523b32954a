"""What stands between a served model and its retraining on a cluster: rules, Alertmanager, Argo Events' address and token."""

import contextlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster import Cluster, is_ready
from kit import prometheus_stack

TOKEN = "a-token-of-this-test"


def events(bus: str) -> dict[str, Any]:
    """Values of the chart `platform` under which alerts come in; *bus*: the address of NATS."""
    return {"enabled": True, "bus": {"url": bus}, "models": [{"name": "churn"}]}


def bus() -> str:
    """The NATS server with JetStream that sensors and event sources reach."""
    return os.environ.get("ARGOSY_E2E_BUS") or pytest.skip("set ARGOSY_E2E_BUS, such as nats://host:4222")


def webhook(cluster: Cluster, namespace: str) -> str:
    """The address that Alertmanager posts to, once its pod is ready."""
    selectors = ("eventsource-name=argosy-alerts", "sensor-name=retrain-churn")

    def ready() -> bool:
        pods = [pod for selector in selectors for pod in cluster.list("pods", namespace, selector)]
        return len(pods) == len(selectors) and all(map(is_ready, pods))

    cluster.wait("the event source and the sensor", ready, 180, namespace=namespace)
    found = cluster.get("service", "argosy-alerts-eventsource-svc", namespace)
    return f"http://{found['spec']['clusterIP']}:12000/alerts"


def receivers(url: str) -> dict[str, Any]:
    """Alertmanager's configuration, by which what asks for a retraining is posted to *url*, as docs/cluster.md says, but sooner."""
    hook = {"url": url, "send_resolved": False, "http_config": {"authorization": {"credentials": TOKEN}}}
    route = {
        "receiver": "argosy",
        "matchers": ['retrain = "true"'],
        "group_by": ["model", "environment"],
        "group_wait": "1s",
        "group_interval": "5s",
        "repeat_interval": "10s",
    }
    return {
        "route": {"receiver": "nobody", "routes": [route]},
        "receivers": [{"name": "nobody"}, {"name": "argosy", "webhook_configs": [hook]}],
    }


@contextlib.contextmanager
def alertmanager(folder: Path, host: str) -> Iterator["Alertmanager"]:
    """Alertmanager on a free port of *host*, which tells nobody until it is told whom."""
    with prometheus_stack.alertmanager(folder, receivers("http://127.0.0.1:9/"), host) as address:
        yield Alertmanager(address, folder / "alertmanager.json")


@dataclass(frozen=True)
class Alertmanager:
    """One that runs."""

    url: str
    config: Path

    @property
    def address(self) -> str:
        """Its ``host:port``."""
        return self.url.removeprefix("http://")

    def tell(self, url: str) -> None:
        """Have it post to *url* from now on."""
        self.config.write_text(json.dumps(receivers(url)), encoding="utf-8")
        asked = urllib.request.Request(f"{self.url}/-/reload", method="POST")  # noqa: S310 - our own server
        urllib.request.urlopen(asked, timeout=10).close()  # noqa: S310 - our own server


def firing(prometheus: str) -> dict[str, dict[str, str]]:
    """The alerts that fire in *prometheus*: name to the labels of the first."""
    return {name: found[0]["labels"] for name, found in prometheus_stack.firing(prometheus).items()}


def rules(folder: Path) -> Path:
    """The rules of the chart, asked every two seconds."""
    written = prometheus_stack.rules()
    for group in written["groups"]:
        group["interval"] = "2s"
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    return path
