"""From a merge to pods and back, with the real Argo CD and Argo Rollouts: one story, each test from where the one before ended.

The environment repo is served by git itself over HTTP; a chart of a few lines stands in for the models.
"""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from argosy.adapters.cluster.rollouts import ClusterRollouts
from argosy.adapters.local_forge.forge import LocalForge
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.domain.promotion_requests import State
from argosy.steps.converge import run
from e2e.cluster import Cluster
from e2e.gitops_kit import Environment, digest, git

pytestmark = [pytest.mark.needs("argo-cd", "argo-rollouts"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Environment]:
    """An environment of its own on the cluster, with nothing in it."""
    made = Environment(cluster, tmp_path_factory.mktemp("gitops"), f"e2e-{secrets.token_hex(3)}")
    made.start()
    yield made
    made.stop()


def converge(staging: Environment) -> list[str]:
    """One run of the step on this environment."""

    return run.run(
        environment="staging",
        rollouts=ClusterRollouts(staging.namespace),
        forge=LocalForge(staging.repository, {}),
        registry=MemoryRegistry(),
        report=print,
    )


def test_a_merge_is_synced(staging: Environment) -> None:
    """A version that main names is an Application, its pods run, and it is synced and healthy."""
    assert staging.application() == {}
    staging.merge("one")
    staging.cluster.wait("the first version serves", lambda: staging.serves("one"), 180)


def test_adding_a_model_is_adding_a_folder(staging: Environment) -> None:
    """Nobody touches the ApplicationSet; the first merge of the new folder is an Application."""
    staging.add_model("other")
    staging.merge("first", model="other")
    staging.cluster.wait("the other model serves", lambda: staging.serves("first", "other"), 180)


@pytest.mark.parametrize(
    ("kind", "patch", "path"),
    [
        pytest.param("rollout", '{"spec":{"replicas":1}}', "{.spec.replicas}", id="replicas"),
        pytest.param("service", '{"spec":{"selector":{"app":"another"}}}', "{.spec.selector.app}", id="selector"),
    ],
)
def test_a_hand_edit_is_healed(staging: Environment, kind: str, patch: str, path: str) -> None:
    """What somebody changes in the cluster goes back to what main says."""
    name = "toy" if kind == "rollout" else "toy-stable"

    def value() -> str:
        return staging.cluster.kubectl("get", kind, name, "--namespace", staging.namespace, f"--output=jsonpath={path}")

    before = value()
    staging.cluster.kubectl("patch", kind, name, "--namespace", staging.namespace, "--type=merge", f"--patch={patch}")
    staging.cluster.wait("git's value is back", lambda: value() == before, 60)


def test_a_good_version_goes_to_all(staging: Environment) -> None:
    """The analysis passes, so the new one takes over; and staging being healthy opens production's request, once."""
    staging.merge("two")
    staging.cluster.wait("the second version serves", lambda: staging.serves("two"), 180)
    converge(staging)
    converge(staging)
    waiting = [request for request in staging.forge.requests() if request.state is State.OPEN]
    assert [(one.subject.model, one.subject.environment) for one in waiting] == [
        ("other", "production"),
        ("toy", "production"),
    ]


def test_a_revert_by_hand(staging: Environment, tmp_path: Path) -> None:
    """`git revert` of the merge, pushed to the git server, takes the cluster back."""
    clone = tmp_path / "clone"
    git("clone", "--quiet", f"{staging.server.address}/environment.git", str(clone), at=tmp_path)
    newest = git("log", "--first-parent", "--format=%H", "-1", "--", "models/toy/staging/version.yaml", at=clone)
    git("revert", "--no-edit", "-m", "1", newest.strip(), at=clone)
    git("push", "--quiet", "origin", "HEAD:main", at=clone)
    staging.refresh()
    staging.cluster.wait("the version before serves", lambda: staging.serves("one"), 180)


def test_an_abort_is_one_revert_request(staging: Environment) -> None:
    """A version whose errors are too many is aborted and the old one serves; whoever looks, and however often, there is one request to
    revert it; merged, main and cluster agree again."""
    staging.monitor.errors = 0.4
    staging.merge("three")
    staging.cluster.wait("the rollout is aborted", lambda: staging.rollout()["status"].get("abort"), 180)
    staging.cluster.wait("only the old version serves", lambda: staging.serving() == {digest("one"): 2}, 60)
    staging.cluster.wait(
        "Argo CD says so", lambda: staging.application()["status"]["health"]["status"] == "Degraded", 60
    )
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: converge(staging), range(2)))
    converge(staging)
    reverts = [request for request in staging.forge.requests() if request.subject.reverts]
    assert [(one.state, one.subject.model_digest, one.subject.reverts) for one in reverts] == [
        (State.OPEN, digest("one"), digest("three"))
    ]
    assert "| errors | Failed | 0.4 |" in staging.forge.request(reverts[0].number).body
    staging.monitor.errors = 0.0
    staging.accept(reverts[0])
    staging.cluster.wait("the old version is what main says, and healthy", lambda: staging.serves("one"), 120)
    converge(staging)
    assert len([request for request in staging.forge.requests() if request.subject.reverts]) == 1
