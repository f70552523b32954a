"""Tests on a running cluster: opt-in twice, so that nobody's production is ever drained by `make test`.

They need `--e2e` and a cluster whose namespace kube-system carries the label argosy.dev/disposable=true; without either, each skips by
name. A test says with `@pytest.mark.needs("kserve", …)` what else must be there, and skips by the name of what is missing.
"""

import json
import shutil
import uuid
from collections.abc import Iterator

import pytest
from cluster import Cluster

NEEDS = {
    "argo-workflows": "workflows.argoproj.io",
    "argo-rollouts": "rollouts.argoproj.io",
    "argo-cd": "applications.argoproj.io",
    "argo-events": "sensors.argoproj.io",
    "kserve": "inferenceservices.serving.kserve.io",
}
"""Controllers that a test may need, by the definition that tells that they are there."""
LABEL = "argosy.dev/disposable"


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


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of this test's own, removed at the end; ARGOSY_E2E_KEEP=1 keeps it for a look."""
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    with cluster.namespace(name):
        yield name
