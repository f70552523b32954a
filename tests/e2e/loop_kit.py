"""What stands between a served model and its retraining on a cluster: rules, Alertmanager, Argo Events' address and token; and customers
who change."""

import contextlib
import csv
import datetime
import json
import os
import random
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster import ROOT, Cluster, is_ready
from e2e.pipeline_kit import MODEL
from kit import prometheus_stack

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
