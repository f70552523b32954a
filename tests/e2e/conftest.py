"""Tests on a running cluster: opt-in twice, so that nobody's production is ever drained by `make test`.

They need `--e2e` and a cluster whose namespace kube-system carries the label argosy.dev/disposable=true; without either, each skips by
name. A test says with `@pytest.mark.needs("kserve", …)` what else must be there, and skips by the name of what is missing
or, where its installation cannot run pods in a restricted namespace (docs/cluster.md, "The controller"), of what it has to say.

Tests that serve models need a bucket, ARGOSY_E2E_S3 (http://host:port/bucket, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), the image
`serve` of images/images.lock on the nodes (or another, ARGOSY_E2E_SERVE_IMAGE), and
ARGOSY_E2E_PROMETHEUS, or a `prometheus` here that controllers reach at ARGOSY_E2E_HOST.
"""

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argosy import wiring
from argosy.adapters import keys
from argosy.domain import diagnosis
from e2e import pinned
from e2e.cluster import Cluster
from e2e.prometheus import running
from e2e.serving_release import Release, Store

NEEDS = {
    "argo-workflows": "workflows.argoproj.io",
    "argo-rollouts": "rollouts.argoproj.io",
    "argo-cd": "applications.argoproj.io",
    "argo-events": "sensors.argoproj.io",
    "kserve": "inferenceservices.serving.kserve.io",
}
"""Controllers that a test may need, by the definition that tells that they are there."""
LABEL = "argosy.dev/disposable"

PREPARED: dict[str, Callable[[], diagnosis.CheckResult]] = {
    "argo-workflows": lambda: diagnosis.executor(["the tests' namespace"], wiring.inspection(None).executors()),
    "kserve": lambda: diagnosis.initializer(["the tests' namespace"], wiring.inspection(None).initializers()),
}
"""What `argosy doctor` asks of a controller whose pods run in namespaces of ours, which enforce the profile restricted."""


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Cluster:
    """The cluster that KUBECONFIG names, if tests may do to it what they like."""
    if not pytestconfig.getoption("--e2e"):
        pytest.skip("pass --e2e to run tests on the cluster that KUBECONFIG names")
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    found = Cluster()
    done = found.try_kubectl("get", "namespace", "kube-system", "--output", "json")
    if done.returncode != 0:
        pytest.skip(f"there is no cluster: {done.stderr.strip().splitlines()[-1]}")
    if json.loads(done.stdout)["metadata"].get("labels", {}).get(LABEL) != "true":
        pytest.skip(f"this cluster is not disposable: kube-system lacks the label {LABEL}=true")
    return found


@pytest.fixture(autouse=True)
def _what_is_needed(request: pytest.FixtureRequest) -> None:
    """Skip where a controller that the test names is not installed."""
    marks = list(request.node.iter_markers("needs"))
    if not marks:
        return
    cluster = request.getfixturevalue("cluster")
    for name in (name for mark in marks for name in mark.args):
        if cluster.try_kubectl("get", "crd", NEEDS[name]).returncode != 0:
            pytest.skip(f"{name} is not installed on this cluster")
        if name in PREPARED and (found := PREPARED[name]()).state is not diagnosis.CheckState.OK:
            pytest.skip(f"{name} is not prepared: {found.said}")


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of this test's own, removed at the end; ARGOSY_E2E_KEEP=1 keeps it for a look."""
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    with cluster.namespace(name):
        yield name


@pytest.fixture(scope="module")
def store() -> Store:
    """The bucket for bundles."""
    wanted = ("ARGOSY_E2E_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    if absent := [name for name in wanted if name not in os.environ]:
        pytest.skip(f"there is no object store for bundles: {absent[0]} is not set")
    return Store(*(os.environ[name] for name in wanted))


@pytest.fixture(scope="module")
def prometheus(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that scrapes the cluster's pods."""
    if given := os.environ.get("ARGOSY_E2E_PROMETHEUS"):
        yield given
        return
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is not installed, and ARGOSY_E2E_PROMETHEUS is not set")
    with running(
        cluster, tmp_path_factory.mktemp("prometheus"), os.environ.get("ARGOSY_E2E_HOST", "127.0.0.1")
    ) as address:
        yield address


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For bundles and keys."""
    path: Path = tmp_path_factory.mktemp("versions")
    keys.ensure_signing_pair(path / "signing.pem", path / "signing.pub.pem")
    return path


@pytest.fixture(scope="module")
def release(cluster: Cluster, store: Store, prometheus: str, folder: Path) -> Iterator[Release]:
    """A release in a namespace of its own."""
    image = os.environ.get("ARGOSY_E2E_SERVE_IMAGE") or pinned.image("serve")
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    with cluster.namespace(name):
        key = (folder / "signing.pub.pem").read_text(encoding="utf-8")
        made = Release(cluster, name, store, folder, key, image, prometheus)
        made.prepare()
        yield made
