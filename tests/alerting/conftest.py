"""Real Prometheus and Alertmanager, which scrape real servers and the real exporter, of a small world with a bit of everything in it."""

import contextlib
import datetime
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from argosy import wiring
from argosy.adapters import keys
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.domain import bundle, looks
from argosy.domain.performance_report import MeasuredScore
from argosy.domain.retraining_admission import RetrainingLedger
from argosy.promotion.desk import Desk
from argosy.settings import Settings
from kit import faulty_server, looked, model_server, offered, prometheus_stack, serving_kit, toy
from kit.web_server import Answer, listed, web_server

ROOT = Path(__file__).parents[2]
WORKFLOW_API = "/apis/argoproj.io/v1alpha1/namespaces/ml"
CANARY_API = "/apis/argoproj.io/v1alpha1/namespaces/argosy-production"
EXPECTED = {"record": "argosy:predictions:expected", "expr": "vector(10)",
            "labels": {"model": "leaving", "environment": "production"}}  # fmt: skip


HOLDS = MeasuredScore(metric="auc", value=0.9, low=0.88, high=0.92, at_least=0.8, standing="holds")


@dataclass(frozen=True)
class RunningStack:
    """Addresses of what runs, and what the receiver of Alertmanager's webhook was sent."""

    prometheus: str
    faulty: str
    """A server of production whose model is at fault for some rows."""
    bodies: list[bytes]
    objects: Any
    """The monitoring store."""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """All of it, for one session."""
    prometheus_stack.program("prometheus")
    prometheus_stack.program(*prometheus_stack.ALERTMANAGER)
    folder = tmp_path_factory.mktemp("world")
    settings = _state(folder)
    model = folder / "bundle"
    _write_bundle(model)
    with contextlib.ExitStack() as stack:
        faulty = _started(stack, [str(faulty_server.__file__), str(model), "production"], settings)
        words = ["-m", "argosy.serving", "--bundle", str(model), "--digest", bundle.digest(model), "--unsigned"]
        sound = _started(stack, [*words, "--port", "0", "--environment", "staging"], settings)
        exporter = _exporter(stack, folder, settings)
        hook, bodies = stack.enter_context(prometheus_stack.webhook())
        alertmanager = stack.enter_context(prometheus_stack.alertmanager(folder, _routes(hook)))
        rules = prometheus_stack.hasty_rules(folder, more=[EXPECTED])
        jobs = {"models": [faulty, sound], "exporter": [exporter]}
        prometheus = stack.enter_context(
            prometheus_stack.prometheus(folder, jobs, rule_files=[rules], alertmanager=alertmanager)
        )
        yield RunningStack(prometheus, faulty, bodies, wiring.objects(settings, settings.monitoring_uri))


def _state(folder: Path) -> Settings:
    """A state folder with a model in production, an open request, a look with labels, and a ledger."""
    project = folder / "project"
    for name, content in toy.TEMPLATE.items():
        (project / "gitops-env" / name).parent.mkdir(parents=True, exist_ok=True)
        (project / "gitops-env" / name).write_bytes(content)
    settings = Settings.from_environment({"ARGOSY_HOME": str(folder / "home"), "ARGOSY_DATA_ROOT": str(project)})
    keys.ensure_signing_pair(settings.signing_key, settings.verifying_key)
    settings.hash_key.write_bytes(b"secret")
    registry = MemoryRegistry(datetime.datetime.now(datetime.UTC))
    offered.offer(toy.make_toy(folder / "toy"), settings, registry)
    Desk(wiring.forge(settings), wiring.artifacts(settings), wiring.verifier(settings)).merge(1, by="Ada", override=[])
    offered.offer(toy.make_toy(folder / "another", "another model"), settings, registry)
    keep(settings, "no drift")
    ledger = RetrainingLedger(model="leaving", admitted=1, refused={"cooldown": 2})
    wiring.admission_state(settings).take_turn("leaving", lambda _: (None, ledger))
    return settings


def keep(settings: Settings, verdict: Any) -> None:
    """Keep a look of now with *verdict*."""
    now = datetime.datetime.now(datetime.UTC)
    look = looked.look(
        verdict, model="leaving", since=now - datetime.timedelta(hours=1), until=now, looked=now,
        performance=looked.performance(verdict="holds", scores=[HOLDS]),
    )  # fmt: skip
    store = wiring.objects(settings, settings.monitoring_uri)
    store.put(looks.latest_key(look.model, look.environment), look.canonical_json().encode())


def _write_bundle(folder: Path) -> None:
    """The small model, with what it says of its holdout: as if all of that were rows of long tenure."""
    serving_kit.write_bundle(folder)
    held = [{**row, "tenure": 60.0} for row in serving_kit.rows(400, seed=3)]
    scores = serving_kit.Predictor.load(folder, bundle.digest(folder)).predict(held)
    moments = bundle.Moments(
        count=len(held),
        total=sum(round(float(score) * bundle.SCALE) for score in scores),
        squares=sum(round(float(score) ** 2 * bundle.SCALE) for score in scores),
    )
    serving_kit.bins(held).model_copy(update={"scores": moments}).write(folder / bundle.BINS)


def _environment(settings: Settings, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "ARGOSY_HOME": str(settings.home),
        "ARGOSY_DATA_ROOT": str(settings.data_root),
        "PYTHONPATH": str(ROOT / "tests"),
        **more,
    }


def _started(stack: contextlib.ExitStack, words: Sequence[str], settings: Settings, **more: str) -> str:
    """A program of ours that says its address once it is ready; ended at the end."""
    command = [sys.executable, *words]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment(settings, **more)
    )
    stack.enter_context(process)
    stack.callback(process.kill)
    return model_server.ready(process)[1].removesuffix("/metrics")


def _exporter(stack: contextlib.ExitStack, folder: Path, settings: Settings) -> str:
    """The exporter as the chart runs it, at a cluster that is a table of answers."""
    cluster = stack.enter_context(web_server(_cluster()))
    one = {"clusters": [{"name": "c", "cluster": {"server": cluster.url}}], "users": [{"name": "u", "user": {}}]}
    here = {"contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}], "current-context": "here"}
    path = folder / "kubeconfig"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **one, **here}), encoding="utf-8")
    words = ["-m", "argosy.exporter", "--port", "0", "--interval", "1", "--namespace", "ml"]
    words += ["--canaries", "production=argosy-production"]
    return _started(stack, words, settings, KUBECONFIG=str(path))


def _cluster() -> dict[str, Answer]:
    """A pipeline with a schedule and two runs, and a canary that was given up."""
    model = {"argosy.dev/model": "leaving"}
    template = {"metadata": {"name": "leaving", "annotations": model}, "spec": {}}
    cron = {
        "metadata": {"name": "leaving", "annotations": model, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"schedules": ["0 * * * *"], "workflowSpec": {"workflowTemplateRef": {"name": "leaving"}}},
    }
    runs = [
        {
            "metadata": {"name": f"leaving-{phase}", "creationTimestamp": f"2026-01-0{day}T00:00:00Z"},
            "spec": {"workflowTemplateRef": {"name": "leaving"}},
            "status": {
                "phase": phase,
                "startedAt": f"2026-01-0{day}T00:00:00Z",
                "finishedAt": f"2026-01-0{day}T00:10:00Z",
            },
        }
        for day, phase in ((1, "Succeeded"), (2, "Failed"))
    ]
    labels = {"argosy.dev/model": "leaving", "argosy.dev/environment": "production"}
    canary = {
        "metadata": {"name": "leaving", "labels": labels},
        "status": {"phase": "Degraded", "abort": True, "currentPodHash": "b", "stableRS": "a"},
    }
    selector = "labelSelector=argosy.dev/model%2Cargosy.dev/environment%3Dproduction"
    pods = "labelSelector=rollouts-pod-template-hash"
    return {
        f"{WORKFLOW_API}/workflowtemplates": listed(template),
        f"{WORKFLOW_API}/cronworkflows": listed(cron),
        f"{WORKFLOW_API}/workflows": listed(*runs),
        f"{CANARY_API}/rollouts?{selector}": listed(canary),
        f"{CANARY_API}/analysisruns?{pods}": listed(),
        f"/apis/apps/v1/namespaces/argosy-production/replicasets?{pods}": listed(),
    }


def _routes(hook: str) -> dict[str, Any]:
    """As docs/monitoring.md has them, without their patience."""
    return {
        "route": {
            "receiver": "people",
            "group_by": ["model", "environment"],
            "group_wait": "1s",
            "group_interval": "1s",
            "repeat_interval": "1h",
            "routes": [{"matchers": ['retrain="true"'], "receiver": "retraining", "continue": True}],
        },
        "receivers": [
            {"name": "people"},
            {"name": "retraining", "webhook_configs": [{"url": hook, "send_resolved": False, "max_alerts": 50}]},
        ],
    }
