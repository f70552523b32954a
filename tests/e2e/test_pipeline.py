"""A model's whole pipeline on a cluster: submitted, every step in its own image, state in S3, PostgreSQL and MLflow.

What it stands on is named by the environment, and each that is missing skips by name:
ARGOSY_E2E_S3 (http://host:port/bucket) with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; ARGOSY_E2E_TRACKING, an MLflow server;
ARGOSY_E2E_SEARCH, a database URL; ARGOSY_E2E_FORGE, a folder of the node that user 10001 owns, for a repository of its own. The images
argosy/<target>:dev are on the node (`make images`).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from cluster import ROOT, Cluster, Object, helm

from argosy.adapters.s3 import client
from argosy.cli import main
from argosy.templates import compiler

pytestmark = [pytest.mark.needs("argo-workflows"), pytest.mark.timeout(1800)]

NEEDED = (
    "ARGOSY_E2E_S3",
    "ARGOSY_E2E_TRACKING",
    "ARGOSY_E2E_SEARCH",
    "ARGOSY_E2E_FORGE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)
MODEL = ROOT / "workflows" / "churn"


@pytest.fixture
def surroundings(cluster: Cluster) -> Mapping[str, str]:
    """Where the pipeline's state goes."""
    for name in NEEDED:
        if not os.environ.get(name):
            pytest.skip(f"set {name} to run a pipeline on the cluster")
    return {name: os.environ[name] for name in NEEDED}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a small search of the model: two rounds of five trials, each round in two tasks."""
    model = tmp_path / "workflows" / MODEL.name
    shutil.copytree(MODEL, model)
    settings = (model / "model.yaml").read_text(encoding="utf-8")
    for name, value in {"trials": 10, "per_round": 5, "per_task": 3}.items():
        settings, count = re.subn(rf"^  {name}: \d+$", f"  {name}: {value}", settings, flags=re.MULTILINE)
        assert count == 1
    (model / "model.yaml").write_text(settings, encoding="utf-8")
    (model / "pipeline.yaml").write_text(compiler.compile_folder(model), encoding="utf-8")
    shutil.copytree(ROOT / "gitops-env", tmp_path / "gitops-env")
    return tmp_path


def test_a_pipeline_ends_as_it_does_here(
    cluster: Cluster,
    namespace: str,
    surroundings: Mapping[str, str],
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Every step succeeds, a request is opened, and the model is the one the engine trains, byte for byte.

    A trial's pod is killed in the middle on the way: it costs that attempt, and every trial is recorded once.
    """
    forge = Path(surroundings["ARGOSY_E2E_FORGE"]) / uuid.uuid4().hex[:8]
    home = project / "home"
    _argosy(["setup"], home, project, ARGOSY_FORGE_URI=f"local:{forge}/environment.git")
    subprocess.run(["chown", "-R", "10001:10001", str(forge)], check=True)
    _install(cluster, namespace, surroundings, (home / "keys" / "signing.pem").read_text(), forge)
    cluster.apply(_template(project, namespace, forge))
    data = _upload(surroundings, namespace)

    assert main.run(["submit", MODEL.name, "--namespace", namespace, "-p", f"data={data}"]) == 0
    run = capfd.readouterr().out.split()[1]
    trial = cluster.wait("a trial", lambda: _running(cluster, namespace, run, "trial-"), seconds=900)
    cluster.kubectl("delete", "pod", trial, "--namespace", namespace, "--grace-period=0", "--force", "--wait=false")
    assert main.run(["watch", run, "--namespace", namespace]) == 0, capfd.readouterr().out
    capfd.readouterr()
    assert main.run(["get", run, "--json", "--namespace", namespace]) == 0
    there: dict[str, Any] = json.loads(capfd.readouterr().out)
    assert there["verdict"] == "promote"

    here = _here(project, home)
    assert there["model-digest"] == here["model_digest"]
    assert set(here["nodes"]) <= set(there["nodes"])  # there an attempt more: of the trial that was killed
    killed = [
        name for name, node in there["nodes"].items() if node["type"] == "Pod" and node["phase"] in ("Failed", "Error")
    ]
    assert len(killed) == 1
    assert "trial-" in killed[0]
    version = _git(forge / "environment.git", "for-each-ref", "refs/heads/promote")
    assert there["model-digest"].removeprefix("sha256:")[:12] in version


def _install(cluster: Cluster, namespace: str, around: Mapping[str, str], key: str, forge: Path) -> None:
    s3 = urlsplit(around["ARGOSY_E2E_S3"])
    keys = {name: around[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    values = {
        "endpoints": {
            "trackingUri": around["ARGOSY_E2E_TRACKING"],
            "storeUri": f"s3://{s3.path.strip('/')}/{namespace}/store",
            "forgeUri": "local:/forge/environment.git",
            "dataRoot": "/forge",
            "s3Endpoint": f"{s3.scheme}://{s3.netloc}",
            "s3Region": "us-east-1",
        },
        "secrets": {
            "argosy-signing": {"ARGOSY_SIGNING_KEY": key},
            "argosy-store": keys,
            "argosy-data": keys,
            "argosy-search": {"ARGOSY_SEARCH_STORAGE_URI": around["ARGOSY_E2E_SEARCH"]},
            "argosy-artifacts": {"accesskey": keys["AWS_ACCESS_KEY_ID"], "secretkey": keys["AWS_SECRET_ACCESS_KEY"]},
        },
        "artifacts": {"bucket": s3.path.strip("/"), "endpoint": s3.netloc, "insecure": s3.scheme == "http"},
        "serving": {"createNamespaces": False, "environments": []},
        "converge": {"enabled": False},
        "networkPolicy": {"enabled": False},
    }
    # A folder of the node stands for the forge; the restricted profile of the namespace would refuse it.
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=privileged", "--overwrite")
    file = forge.parent / f"{namespace}.values.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    try:
        chart = str(ROOT / "charts" / "platform")
        helm("upgrade", "--install", "platform", chart, "--namespace", namespace, "--values", str(file))
    finally:
        file.unlink()


def _template(project: Path, namespace: str, forge: Path) -> Object:
    """The compiled manifest; the forge's folder is mounted by a patch of pods, nothing else differs."""
    manifest: Object = yaml.safe_load(
        (project / "workflows" / MODEL.name / "pipeline.yaml").read_text(encoding="utf-8")
    )
    mount = {"name": "main", "volumeMounts": [{"name": "forge", "mountPath": "/forge"}]}
    patch = {"volumes": [{"name": "forge", "hostPath": {"path": str(forge)}}], "containers": [mount]}
    manifest["metadata"]["namespace"] = namespace
    manifest["spec"]["podSpecPatch"] = json.dumps(patch)
    return manifest


def _upload(around: Mapping[str, str], namespace: str) -> str:
    """The sources in the bucket."""
    s3 = urlsplit(around["ARGOSY_E2E_S3"])
    os.environ.setdefault("AWS_ENDPOINT_URL", f"{s3.scheme}://{s3.netloc}")
    bucket = s3.path.strip("/")
    for file in sorted((ROOT / "data" / MODEL.name).iterdir()):
        client.connect().upload_file(str(file), bucket, f"{namespace}/data/{file.name}")
    return f"s3://{bucket}/{namespace}/data"


def _running(cluster: Cluster, namespace: str, run: str, part: str) -> str | None:
    pods = cluster.list("pods", namespace, f"workflows.argoproj.io/workflow={run}")
    return next(
        (
            pod["metadata"]["name"]
            for pod in pods
            if pod["status"]["phase"] == "Running"
            and part in pod["metadata"]["annotations"]["workflows.argoproj.io/node-name"]
        ),
        None,
    )


def _here(project: Path, home: Path) -> dict[str, Any]:
    """The same manifest on this machine."""
    manifest = project / "workflows" / MODEL.name / "pipeline.yaml"
    data = ROOT / "data" / MODEL.name
    out = _argosy(["run", "--file", str(manifest), "-p", f"data={data}", "--json"], home, project)
    found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return found


def _argosy(words: list[str], home: Path, project: Path, **more: str) -> str:
    environment = {**os.environ, "ARGOSY_HOME": str(home), "ARGOSY_DATA_ROOT": str(project), **more}
    code = f"import sys; from argosy.cli import main; main.main({words!r})"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _git(repository: Path, *words: str) -> str:
    command = ["git", "-c", "safe.directory=*", "-C", str(repository), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
