"""The bench of many pipelines on a cluster, as far as none is needed: what it submits, and what it makes of the answers."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from argosy.cli import main
from kit.web_server import Answer, web_server

METRICS = """
# HELP argo_workflows_k8s_request_total Total number of kubernetes requests executed.
# TYPE argo_workflows_k8s_request_total counter
argo_workflows_k8s_request_total{kind="pods",status_code="201",verb="Create"} 12
argo_workflows_k8s_request_total{kind="workflows",status_code="429",verb="Update"} 3
argo_workflows_queue_depth_gauge{queue_name="workflow_queue"} 50
argo_workflows_queue_depth_gauge{queue_name="cron_wf_queue"} 0
process_resident_memory_bytes 1.5e+08
"""


@pytest.fixture(scope="module")
def bench(root: Path) -> ModuleType:
    """The program."""
    spec = importlib.util.spec_from_file_location("cluster_fleet", root / "tests" / "bench" / "cluster_fleet.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["cluster_fleet"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def submitted(bench: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Two of them."""
    found: list[dict[str, Any]] = bench.workflows(tmp_path_factory.mktemp("fleet") / "project", 2, "shell/sh:1")
    return found


def test_pipelines_with_nothing_in_their_steps(submitted: list[dict[str, Any]]) -> None:
    """One a model, each with its own lock; every container is the shell, and small."""
    assert [one["metadata"]["generateName"] for one in submitted] == ["fleet-00-", "fleet-01-"]
    texts = [json.dumps(one["spec"]) for one in submitted]
    assert [f"argosy-fleet_0{number}" in text for number, text in enumerate(texts)] == [True, True]
    containers = [step["container"] for one in submitted for step in one["spec"]["templates"] if "container" in step]
    assert len(containers) > 20
    assert {one["image"] for one in containers} == {"shell/sh:1"}
    assert not any("argosy.steps" in json.dumps(one) for one in containers)


def test_one_runs_to_its_end(submitted: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On this machine, by the same manifest: every step finds its inputs and leaves its outputs."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    manifest = tmp_path / "one.yaml"
    manifest.write_text(yaml.safe_dump(submitted[0]), encoding="utf-8")
    assert main.run(["run", "--file", str(manifest), "--local-image", "shell/*"]) == 0


def test_what_the_controller_says(bench: ModuleType) -> None:
    """Requests are counted from the beginning of the watch, gauges by their peak, and a 429 is a request that was throttled."""
    with web_server({"/metrics": Answer(METRICS.encode())}) as server:
        controller = bench.Controller(f"{server.url}/metrics", None)
        controller.look()
        with controller.watched():
            pass
    assert sum(controller.asked.values()) == 0
    assert controller.peaks["queue_depth_gauge workflow_queue"] == 50
    controller.asked = bench.requests_of(bench.samples(METRICS))
    said = "\n".join(controller.lines(3))
    assert "15 requests to the API server, 5 a pipeline" in said
    assert "throttled: 3 requests" in said
    assert "process_resident_memory_bytes 150,000,000" in said


def test_a_controller_whose_metrics_nobody_named(bench: ModuleType) -> None:
    """Nothing is made up."""
    assert list(bench.Controller(None, None).lines(3)) == ["controller: nobody named its metrics (--metrics)"]


def test_the_memory_of_a_process(bench: ModuleType) -> None:
    """As Linux tells it; of a kernel thread, which has none, nothing."""
    assert bench.memory("VmHWM:\t  200000 kB\nVmRSS:\t  150000 kB\n") == "its memory: 150 MB now, 200 MB at its peak"
    assert bench.memory("Name: kthreadd\n") is None


def test_what_is_said_of_workflows(bench: ModuleType) -> None:
    """How they ended, when, and of how many pods."""
    found = [
        {
            "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"},
            "status": {
                "phase": phase,
                "startedAt": "2026-01-01T00:00:02Z",
                "finishedAt": f"2026-01-01T00:01:0{end}Z",
                "nodes": {"a": {"type": "Pod"}, "b": {"type": "DAG"}},
            },
        }
        for end, phase in enumerate(("Succeeded", "Failed"))
    ]
    said = list(bench.times(found))
    assert said == [
        "1 Succeeded, 1 Failed",
        "all ended 61 s after the first was submitted",
        "submitted to begun: 2 s [2-2]",
        "begun to ended: 58 s [58-59]",
        "2 pods, 0 of them again",
    ]
