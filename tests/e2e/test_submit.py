"""Runs on a cluster: submitted, retried where that helps, killed in the middle, started by the clock, and shown as the engine shows them.

The steps are shell scripts in ARGOSY_E2E_IMAGE, with the pods, the accounts and the retry rule of compiled manifests; what our own steps
compute on a cluster is in test_pipeline.py.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from argosy import errors
from argosy.adapters.cluster.inspection import ClusterInspection
from argosy.cli import main
from argosy.domain import diagnosis
from argosy.templates.container_templates import RETRYABLE
from e2e.cluster import ROOT, Cluster, Object, helm, kill_controller
from e2e.gateway import Gateway
from e2e.gitops_kit import IMAGE, own_address
from e2e.serving_release import Store

pytestmark = [pytest.mark.needs("argo-workflows"), pytest.mark.timeout(900)]

BACKOFF = {"duration": "1s", "factor": 2}
OUTAGE_SECONDS = 300


@pytest.fixture
def pipelines(cluster: Cluster, namespace: str) -> str:
    """A namespace with what stands round pipelines."""
    _prepare(cluster, namespace, {})
    return namespace


def _prepare(cluster: Cluster, namespace: str, more: Mapping[str, Any]) -> None:
    """Install what stands round pipelines, with the values *more*."""
    values = {
        "serving": {"createNamespaces": False, "environments": []},
        "converge": {"enabled": False},
        "exporter": {"enabled": False},
        **more,
    }
    helm(
        *("upgrade", "--install", "platform", str(ROOT / "charts" / "platform"), "--namespace", namespace),
        *(word for key, value in values.items() for word in ("--set-json", f"{key}={json.dumps(value)}")),
    )
    # The namespace is restricted, as those of pipelines are; docs/cluster.md says what the controller's config has to hold for that.
    contexts = ClusterInspection().executors() or {}
    if not all(diagnosis.confined(context) for context in contexts.values()):
        pytest.skip("the controller gives its own containers no securityContext (docs/cluster.md, The controller)")


def _compiled_retries() -> Any:
    """The retry rule of the steps of compiled pipelines."""
    manifest = yaml.safe_load((ROOT / "workflows" / "churn" / "pipeline.yaml").read_text(encoding="utf-8"))
    (ingest,) = [template for template in manifest["spec"]["templates"] if template["name"] == "ingest"]
    return ingest["retryStrategy"]


def _artifacts(store: Store, address: str) -> dict[str, Any]:
    """Values by which Argo keeps artifacts in *store*, which it reaches at *address*."""
    return {
        "artifacts": {"bucket": urlsplit(store.url).path.strip("/"), "endpoint": address, "insecure": True},
        "secrets": {"argosy-artifacts": {"accesskey": store.access_key, "secretkey": store.secret_key}},
    }


def _template(namespace: str, name: str, script: str, **spec: Any) -> Object:
    """A WorkflowTemplate of one step that runs *script* as a step of ours would run."""
    step = {
        "name": "step",
        "inputs": {"parameters": [{"name": "value"}]},
        "serviceAccountName": "argosy-step",
        "retryStrategy": {"limit": 3, "expression": RETRYABLE, "backoff": BACKOFF},
        "container": {
            "image": IMAGE,
            "command": ["sh", "-c", script],
            "env": [{"name": "VALUE", "value": "{{inputs.parameters.value}}"}],
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        },
    }
    task = {
        "name": "step",
        "template": "step",
        "arguments": {"parameters": [{"name": "value", "value": "{{workflow.parameters.value}}"}]},
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "entrypoint": "main",
            "arguments": {"parameters": [{"name": "value", "value": ""}]},
            "templates": [{"name": "main", "dag": {"tasks": [task]}}, step],
            "serviceAccountName": "argosy-step",
            "automountServiceAccountToken": False,
            "executor": {"serviceAccountName": "argosy-executor"},
            "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
            **spec,
        },
    }


def _argosy(capsys: pytest.CaptureFixture[str], *words: str, namespace: str) -> tuple[int, str, str]:
    """What `argosy` ends with and says."""
    capsys.readouterr()
    code = main.run([*words, "--namespace", namespace])
    told = capsys.readouterr()
    return code, told.out, told.err


def _submitted(capsys: pytest.CaptureFixture[str], namespace: str, template: str, *words: str) -> str:
    code, out, err = _argosy(capsys, "submit", template, *words, namespace=namespace)
    assert code == errors.DONE, err
    return out.split()[1]


def _nodes(capsys: pytest.CaptureFixture[str], namespace: str, run: str) -> dict[str, Any]:
    _, out, _ = _argosy(capsys, "get", run, "--json", namespace=namespace)
    found: dict[str, Any] = json.loads(out)["nodes"]
    return found


@pytest.mark.parametrize(
    ("code", "attempts"),
    [pytest.param(75, 4, id="the-outside-world-failed"), pytest.param(10, 1, id="the-answer-is-no")],
)
def test_what_is_tried_again(
    cluster: Cluster, pipelines: str, capsys: pytest.CaptureFixture[str], code: int, attempts: int
) -> None:
    """A step that exits 75 is tried three times more, one that exits 10 never; `watch` leaves with that code, as a run here does."""
    cluster.apply(_template(pipelines, "fails", f"echo trying; exit {code}"))
    run = _submitted(capsys, pipelines, "fails")
    ended, out, _ = _argosy(capsys, "watch", run, namespace=pipelines)
    assert (ended, "Failed" in out) == (code, True)
    nodes = _nodes(capsys, pipelines, run)
    assert sorted(name for name in nodes if name.startswith("$.step(")) == [f"$.step({n})" for n in range(attempts)]
    _, out, _ = _argosy(capsys, "logs", run, namespace=pipelines)
    assert out.count("trying") == attempts


def test_a_value_stays_a_value(cluster: Cluster, pipelines: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What holds quotes and dollars arrives in the step byte for byte."""
    cluster.apply(_template(pipelines, "says", 'printf "<%s>\\n" "$VALUE"; sleep 600'))
    value = 'it\'s "data" $HOME %s \\n'
    run = _submitted(capsys, pipelines, "says", "-p", f"value={value}")
    shown = f"<{value}>\n"
    cluster.wait(
        "the step to say it",
        lambda: _argosy(capsys, "logs", run, "step(0)", namespace=pipelines)[1] == shown,
        seconds=400,
    )
    assert _argosy(capsys, "stop", run, namespace=pipelines)[0] == errors.DONE
    assert _argosy(capsys, "watch", run, namespace=pipelines)[0] != errors.DONE
    _, out, err = _argosy(capsys, "get", run, namespace=pipelines)
    assert "Phase:     Failed" in out
    assert f"# argo -n {pipelines} get {run}" in err


@pytest.mark.parametrize("how", ["deleted", "evicted"])
def test_a_pod_that_goes_in_the_middle(
    cluster: Cluster, pipelines: str, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    """A pod that is killed or evicted costs its attempt only: the next one does the work."""
    script = 'test "$POD_ATTEMPT" = 0 && sleep 600; echo done'
    template = _template(pipelines, "goes", script)
    template["spec"]["templates"][1]["container"]["env"].append({"name": "POD_ATTEMPT", "value": "{{retries}}"})
    cluster.apply(template)
    run = _submitted(capsys, pipelines, "goes")
    pod = cluster.wait("the first attempt to run", lambda: cluster.step_pod(pipelines, run))
    if how == "deleted":
        cluster.kubectl("delete", "pod", pod, "--namespace", pipelines, "--grace-period=0", "--force", "--wait=false")
    else:
        assert cluster.evict(pod, pipelines).returncode == 0
    ended, out, _ = _argosy(capsys, "watch", run, namespace=pipelines)
    assert ended == errors.DONE, out
    phases = {name: node["phase"] for name, node in _nodes(capsys, pipelines, run).items()}
    assert (phases["$.step"], phases["$.step(1)"]) == ("Succeeded", "Succeeded")
    assert phases["$.step(0)"] in ("Failed", "Error")


def test_the_artifact_store_is_down_for_five_minutes(
    cluster: Cluster, namespace: str, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """What could not be kept is done again until it can be, by the retry rule that pipelines are compiled with; nothing is lost.

    What the step did before its output could not be kept, it does again: that is why ours write nothing but outputs.
    """
    address = urlsplit(store.url)
    with Gateway(own_address(), (address.hostname or "", address.port or 80)) as gateway:
        _prepare(cluster, namespace, _artifacts(store, gateway.address))
        template = _template(namespace, "keeps", "sleep 20; echo kept > /tmp/out; echo made")
        main, step = template["spec"]["templates"]
        step["retryStrategy"] = _compiled_retries()
        step["outputs"] = {"artifacts": [{"name": "out", "path": "/tmp/out", "archive": {"none": {}}}]}
        reads = {**step, "name": "reads", "inputs": {"artifacts": [{"name": "out", "path": "/tmp/in"}]}, "outputs": {}}
        reads["container"] = {**step["container"], "command": ["cat", "/tmp/in"], "env": []}
        template["spec"]["templates"].append(reads)
        handed = {"artifacts": [{"name": "out", "from": "{{tasks.step.outputs.artifacts.out}}"}]}
        main["dag"]["tasks"].append({"name": "reads", "template": "reads", "depends": "step", "arguments": handed})
        cluster.apply(template)
        run = _submitted(capsys, namespace, "keeps")
        cluster.wait("the step to run", lambda: cluster.step_pod(namespace, run))
        gateway.close_for(OUTAGE_SECONDS)
        ended, out, _ = _argosy(capsys, "watch", run, namespace=namespace)
    assert ended == errors.DONE, out
    nodes = _nodes(capsys, namespace, run)
    failed = {
        name: node["message"] for name, node in nodes.items() if node["type"] == "Pod" and node["phase"] == "Error"
    }
    assert failed
    assert all(name.startswith("$.step(") and gateway.address in message for name, message in failed.items()), failed
    assert _argosy(capsys, "logs", run, "reads(0)", namespace=namespace)[1] == "kept\n"


def test_the_controller_is_killed_in_the_middle(
    cluster: Cluster, pipelines: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run goes on where it was: nothing is lost and nothing is done twice."""
    template = _template(pipelines, "chain", "sleep 15; echo done")
    first = template["spec"]["templates"][0]["dag"]["tasks"][0]
    following = [{**first, "name": f"step-{number}", "depends": "step"} for number in range(3)]
    template["spec"]["templates"][0]["dag"]["tasks"] += following
    cluster.apply(template)
    run = _submitted(capsys, pipelines, "chain")
    cluster.wait("the first step to run", lambda: cluster.step_pod(pipelines, run))
    kill_controller(cluster, "argo-workflows")
    ended, out, _ = _argosy(capsys, "watch", run, namespace=pipelines)
    assert ended == errors.DONE, out
    attempts = [name for name, node in _nodes(capsys, pipelines, run).items() if node["type"] == "Pod"]
    assert sorted(attempts) == ["$.step(0)", *(f"$.step-{number}(0)" for number in range(3))]
    _, out, _ = _argosy(capsys, "logs", run, namespace=pipelines)
    assert out.count("done") == 4


def test_suspended_and_resumed(cluster: Cluster, pipelines: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that waits for somebody says so, and goes on when it is told to."""
    template = _template(pipelines, "waits", "echo done")
    template["spec"]["templates"][0]["dag"]["tasks"][0]["depends"] = "approval"
    template["spec"]["templates"][0]["dag"]["tasks"].append({"name": "approval", "template": "approval"})
    template["spec"]["templates"].append({"name": "approval", "suspend": {}})
    cluster.apply(template)
    run = _submitted(capsys, pipelines, "waits")
    hint = f"waits: `argosy approve {run} '$.approval' --namespace {pipelines}`"
    cluster.wait("the run to wait", lambda: hint in _argosy(capsys, "status", run, namespace=pipelines)[1])
    assert _argosy(capsys, "approve", run, "$.approval", namespace=pipelines)[0] == errors.DONE
    assert _argosy(capsys, "watch", run, namespace=pipelines)[0] == errors.DONE


def test_a_schedule_starts_the_template(
    cluster: Cluster, pipelines: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The CronWorkflow that a model's schedule compiles to starts the installed pipeline, at its time."""
    from argosy.templates import schedule

    folder = tmp_path / "workflows" / "ticks"
    folder.mkdir(parents=True)
    settings = yaml.safe_load((ROOT / "workflows" / "churn" / "model.yaml").read_text(encoding="utf-8"))
    settings |= {"model": "ticks", "schedule": {"cron": "* * * * *"}}
    (folder / "model.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    text = schedule.compile_folder(folder)
    assert text is not None
    manifest = yaml.safe_load(text)
    manifest["metadata"]["namespace"] = pipelines
    cluster.apply(_template(pipelines, "ticks", "echo tick"), manifest)
    began = time.time()
    started = cluster.wait("the first start", lambda: cluster.list("workflows", pipelines), seconds=100)
    # Deleted, it would take what it started along.
    off = '{"spec":{"suspend":true}}'
    cluster.kubectl("patch", "cronworkflow", "ticks", "--namespace", pipelines, "--type=merge", f"--patch={off}")
    assert time.time() - began < 75
    assert _argosy(capsys, "watch", started[0]["metadata"]["name"], namespace=pipelines)[0] == errors.DONE


@pytest.mark.parametrize(
    ("change", "words", "told"),
    [
        pytest.param({}, ["submit", "nothing"], "has no WorkflowTemplate 'nothing'", id="no-template"),
        pytest.param({}, ["get", "nothing"], "has no workflows", id="no-run"),
        pytest.param({"KUBECONFIG": "/nonexistent"}, ["runs"], "no cluster can be used", id="no-kubeconfig"),
    ],
)
def test_what_is_not_there(
    pipelines: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, str],
    words: list[str],
    told: str,
) -> None:
    """One line that says what to do; never a traceback."""
    with monkeypatch.context() as changed:  # what is cleared up afterwards is on the cluster as it was
        for name, value in change.items():
            changed.setenv(name, value)
        code, _, err = _argosy(capsys, *words, namespace=pipelines)
    assert code in (2, 78)
    assert told in err
    assert "Traceback" not in err
