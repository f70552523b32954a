"""What stands between a served model and its retraining on a cluster: rules, Alertmanager, Argo Events' address and token; and customers
who change."""

import contextlib
import csv
import datetime
import json
import os
import random
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster import ROOT, Cluster
from e2e.pipeline_kit import MODEL

PROGRAMS = ("prometheus-alertmanager", "alertmanager")
"""Alertmanager, as Debian calls it and as its makers do."""
RULES = ROOT / "charts" / "platform" / "files" / "rules.yaml"
TOKEN = "a-token-of-this-test"
TIME = "recorded"
"""The column that says when a customer was known."""
MORE = 40
"""Dollars a month that customers pay more once they have changed."""


def events(bus: str) -> dict[str, Any]:
    """Values of the chart `platform` under which alerts come in; *bus*: the address of NATS."""
    return {"enabled": True, "bus": {"url": bus}, "models": [{"name": "churn"}]}


def bus() -> str:
    """The NATS server with JetStream that sensors and event sources reach."""
    return os.environ.get("ARGOSY_E2E_BUS") or pytest.skip("set ARGOSY_E2E_BUS, such as nats://host:4222")


def webhook(cluster: Cluster, namespace: str) -> str:
    """The address that Alertmanager posts to, once its pod is ready."""
    selector = "eventsource-name=argosy-alerts"

    def ready() -> bool:
        pods = cluster.list("pods", namespace, selector) + cluster.list("pods", namespace, "sensor-name=retrain-churn")
        return len(pods) == 2 and all(
            {"type": "Ready", "status": "True"}.items() <= each.items()
            for pod in pods
            for each in pod["status"].get("conditions", [])
            if each["type"] == "Ready"
        )

    cluster.wait("the event source and the sensor", ready, 180, namespace=namespace)
    found = cluster.get("service", "argosy-alerts-eventsource-svc", namespace)
    return f"http://{found['spec']['clusterIP']}:12000/alerts"


@contextlib.contextmanager
def alertmanager(folder: Path, host: str) -> Iterator["Alertmanager"]:
    """Alertmanager on a free port of *host*, which tells nobody until it is told whom."""
    command = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if command is None:
        pytest.skip("prometheus-alertmanager is not installed")
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    found = Alertmanager(f"{host}:{port}", folder / "alertmanager.json")
    found.tell("http://127.0.0.1:9/")
    words = [
        command,
        f"--config.file={found.config}",
        f"--storage.path={folder}/alertmanager",
        f"--web.listen-address={found.address}",
        "--cluster.listen-address=",
    ]
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
        try:
            found.wait()
            yield found
        finally:
            process.terminate()
            process.wait(timeout=30)


class Alertmanager:
    """One that runs, at ``host:port``."""

    def __init__(self, address: str, config: Path) -> None:
        self.address = address
        self.config = config

    def tell(self, url: str) -> None:
        """Have it post what asks for a retraining to *url*, as docs/cluster.md says, but sooner; :meth:`reload` makes it so."""
        receiver = {
            "name": "argosy",
            "webhook_configs": [
                {"url": url, "send_resolved": False, "http_config": {"authorization": {"credentials": TOKEN}}}
            ],
        }
        route = {
            "receiver": "nobody",
            "routes": [
                {
                    "receiver": "argosy",
                    "matchers": ['retrain = "true"'],
                    "group_by": ["model", "environment"],
                    "group_wait": "1s",
                    "group_interval": "5s",
                    "repeat_interval": "10s",
                }
            ],
        }
        written = {"route": route, "receivers": [{"name": "nobody"}, receiver]}
        self.config.write_text(json.dumps(written), encoding="utf-8")

    def reload(self) -> None:
        """Let it read its configuration again."""
        asked = urllib.request.Request(f"http://{self.address}/-/reload", method="POST")
        urllib.request.urlopen(asked, timeout=10).close()  # noqa: S310 - our own server

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5).close()
                return
            time.sleep(0.3)
        raise AssertionError("alertmanager did not start")


def firing(prometheus: str) -> dict[str, dict[str, str]]:
    """The alerts that fire in *prometheus*: name to labels."""
    with urllib.request.urlopen(f"{prometheus}/api/v1/alerts", timeout=10) as answer:  # noqa: S310 - our own server
        alerts = json.load(answer)["data"]["alerts"]
    return {each["labels"]["alertname"]: each["labels"] for each in alerts if each["state"] == "firing"}


def rules(folder: Path) -> Path:
    """The rules of the chart, asked every two seconds."""
    written = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    for group in written["groups"]:
        group["interval"] = "2s"
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    return path


def settings() -> dict[str, Any]:
    """The model's settings with customers of whom it is said when they were known, so that the newest can be kept for judging."""
    (source,) = yaml.safe_load((MODEL / "model.yaml").read_text(encoding="utf-8"))["sources"]
    del source["observed_at"]
    recorded = {"name": TIME, "type": "timestamp", "meaning": "When it was known whether the customer left."}
    return {
        "sources": [{**source, "timestamp": TIME, "columns": [*source["columns"], recorded]}],
        "evaluation": {"recent": "20d"},
        "monitor": {"window": "1h", "every": "15m", "minimum_rows": 200},
        "retraining": {"minimum_rows": 200, "enter": {"looks": 1, "of": 1}},
    }


def name_the_time(project: Path) -> None:
    """Have the features of *project* go by it."""
    file = project / "workflows" / MODEL.name / "features.py"
    text = file.read_text(encoding="utf-8")
    assert '"event_timestamp"' in text
    file.write_text(text.replace('"event_timestamp"', f'"{TIME}"'), encoding="utf-8")


def write_customers(path: Path, *, changed: bool) -> None:
    """Write the customers of half a year to *path*; where they have *changed*, two more months of others besides.

    Those pay more, and most who pay by cheque leave.
    """
    with (ROOT / "data" / MODEL.name / path.name).open(encoding="utf-8", newline="") as stream:
        customers = list(csv.DictReader(stream))
    chance = random.Random(7)
    written = [{**each, TIME: _moment(chance, 0, 150)} for each in customers]
    billed = [each for each in customers if each["total_charges"] and int(each["tenure"]) > 0]
    others = [_changed(chance, number, each) for number, each in enumerate(chance.sample(billed, 3000))]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(written[0]))
        writer.writeheader()
        writer.writerows(written + others if changed else written)


def usual(like: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Customers as a caller describes them, with the features that *like*, one of them, has."""
    with (ROOT / "data" / MODEL.name / "customers.csv").open(encoding="utf-8", newline="") as stream:
        customers = [each for each in csv.DictReader(stream) if each["total_charges"]]
    chosen = random.Random(8).sample(customers, 1500)
    return [
        {name: each[name] if isinstance(value, str) else float(each[name]) for name, value in like.items()}
        for each in chosen
    ]


def pay_more(features: dict[str, Any]) -> dict[str, Any]:
    """A row of *features* as it is of customers who have changed."""
    more = {"monthly_charges": features["monthly_charges"] + MORE}
    if features["total_charges"] is not None:
        more["total_charges"] = features["total_charges"] + MORE * features["tenure"]
    return {**features, **more}


def _changed(chance: random.Random, number: int, customer: dict[str, str]) -> dict[str, str]:
    by_cheque = customer["payment_method"] == "Mailed check"
    leaves = ("Yes" if chance.random() < 0.7 else "No") if by_cheque else customer["churn"]
    return {
        **customer,
        "customer_id": f"C{20000 + number}",
        "monthly_charges": f"{float(customer['monthly_charges']) + MORE:.2f}",
        "total_charges": f"{float(customer['total_charges']) + MORE * int(customer['tenure']):.2f}",
        "churn": leaves,
        TIME: _moment(chance, 150, 210),
    }


def _moment(chance: random.Random, first: int, last: int) -> str:
    moment = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(days=chance.uniform(first, last))
    return moment.isoformat(timespec="seconds")
