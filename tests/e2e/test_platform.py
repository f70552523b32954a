"""The platform on an empty namespace of a cluster, as an engineer installs it: `argosy platform` and `argosy doctor`."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from argosy.cli import main
from e2e.cluster import Cluster

pytestmark = [pytest.mark.needs("argo-workflows", "argo-rollouts"), pytest.mark.timeout(300)]


@pytest.fixture
def values(cluster: Cluster, tmp_path: Path) -> Iterator[Path]:
    """Values for namespaces of the test's own, which go at the end."""
    name = f"e2e-{secrets.token_hex(3)}"
    path = tmp_path / "values.yaml"
    given = {
        "endpoints": {"trackingUri": "http://mlflow:5000", "storeUri": "s3://models/p", "forgeUri": "github:o/n"},
        "serving": {"environments": [{"name": "staging", "namespace": f"{name}-staging"}]},
        "submitters": [{"kind": "User", "name": "ada"}],
        # Nothing of it runs: the schedule is another day's.
        "exporter": {"enabled": False},
        "converge": {"schedule": "0 0 1 1 *", "image": f"registry.example/argosy/promote@sha256:{'0' * 64}"},
    }
    path.write_text(yaml.safe_dump(given), encoding="utf-8")
    yield path
    for namespace in (name, f"{name}-staging"):
        cluster.try_kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")


def namespace(values: Path) -> str:
    """Where the pipelines of *values* run."""
    serving = yaml.safe_load(values.read_text(encoding="utf-8"))["serving"]["environments"][0]["namespace"]
    return str(serving).removesuffix("-staging")


def test_from_nothing(cluster: Cluster, values: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Installed, nothing differs; a value changes, the difference is seen, the upgrade brings it; a refused upgrade changes nothing."""
    where = ["--namespace", namespace(values), "--values", str(values)]
    assert main.run(["platform", "install", *where]) == 0
    assert main.run(["platform", "install", *where]) == 2
    capsys.readouterr()
    assert main.run(["platform", "diff", *where]) == 0
    assert capsys.readouterr().out == "no differences\n"
    values.write_text(values.read_text(encoding="utf-8").replace("s3://models/p", "s3://models/q"), encoding="utf-8")
    assert main.run(["platform", "diff", *where]) == 0
    assert "+  ARGOSY_STORE_URI: s3://models/q" in capsys.readouterr().out
    assert main.run(["platform", "upgrade", *where]) == 0
    endpoints = cluster.get("configmap", "argosy-endpoints", namespace(values))
    assert endpoints["data"]["ARGOSY_STORE_URI"] == "s3://models/q"
    wrong = values.with_name("wrong.yaml")
    wrong.write_text("endpoint: {}\n", encoding="utf-8")
    assert main.run(["platform", "upgrade", "--namespace", namespace(values), "--values", str(wrong)]) == 78
    assert "additional properties 'endpoint' not allowed" in capsys.readouterr().err


def test_rights(cluster: Cluster, values: Path) -> None:
    """On the cluster's own word: a submitter may submit and not install, a step may nothing, converge may look and not touch."""
    assert main.run(["platform", "install", "--namespace", namespace(values), "--values", str(values)]) == 0
    here = namespace(values)

    def may(who: str, *what: str) -> bool:
        return cluster.try_kubectl("auth", "can-i", *what, "--as", who).stdout.strip() == "yes"

    step, converge = (f"system:serviceaccount:{here}:{name}" for name in ("argosy-step", "argosy-converge"))
    assert may("ada", "create", "workflows.argoproj.io", "-n", here)
    assert may("ada", "get", "pods", "--subresource=log", "-n", here)
    assert not may("ada", "create", "workflowtemplates.argoproj.io", "-n", here)
    assert not may("ada", "get", "secrets", "-n", here)
    assert not may("ada", "create", "workflows.argoproj.io", "-n", "default")
    assert not may(step, "get", "pods", "-n", here)
    assert may(converge, "list", "rollouts.argoproj.io", "-n", f"{here}-staging")
    assert not may(converge, "patch", "rollouts.argoproj.io", "-n", f"{here}-staging")
    assert not may(converge, "list", "rollouts.argoproj.io", "-n", here)


def test_doctor(
    cluster: Cluster,
    values: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before: what is missing, each with its fix. After: what is left is what only the engineer has."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path))
    monkeypatch.setenv("ARGOSY_STORE_URI", f"file://{tmp_path}/store")
    monkeypatch.setenv("ARGOSY_FORGE_URI", f"local:{tmp_path}/environment.git")
    monkeypatch.setenv("ARGOSY_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    before = looked(namespace(values), capsys)
    assert {"accounts", "argosy-endpoints", "secrets"} <= before.keys()
    main.run(["platform", "install", "--namespace", namespace(values), "--values", str(values)])
    capsys.readouterr()
    after = looked(namespace(values), capsys)
    assert {"secrets"} <= set(after) <= {"secrets", "artifact store"}
    assert all("chart-platform.md" in fix or "the chart platform" in fix for fix in after.values())


def looked(where: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What doctor finds wrong, and the fix; only of controllers that this cluster has."""
    assert main.run(["doctor", "--json", "--namespace", where]) == 78
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["name"]: one["state"] for one in found}["kubernetes"] == "ok"
    optional = {"argo-cd", "kserve"}
    return {one["name"]: one["fix"] for one in found if one["state"] == "wrong" and one["name"] not in optional}
