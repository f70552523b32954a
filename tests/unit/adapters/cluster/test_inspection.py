"""What a look at a cluster finds of the rules for pods, in the API server's own words."""

import json
from typing import Any

import pytest

from argosy import errors
from argosy.adapters.cluster.inspection import ClusterInspection
from kit.web_server import Answer, Web, listed

CONFIG_MAPS = "/api/v1/configmaps?fieldSelector=metadata.name%3Dworkflow-controller-configmap"
CONTAINERS = "/apis/serving.kserve.io/v1alpha1/clusterstoragecontainers"
CONTEXT = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
FORBIDDEN = Answer(b"{}", 403)


@pytest.fixture
def cluster(api: Web) -> ClusterInspection:
    """A look at it."""
    assert api
    return ClusterInspection()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param({"executor": json.dumps({"securityContext": CONTEXT})}, CONTEXT, id="by-name"),
        pytest.param({"config": f"executor:\n  securityContext: {json.dumps(CONTEXT)}\n"}, CONTEXT, id="all-in-one"),
        pytest.param({"executor": "resources: {}"}, {}, id="nothing-of-it"),
        pytest.param({"parallelism": "10"}, {}, id="no-executor"),
        pytest.param({"executor": "a: b: c"}, {}, id="no-yaml"),
        pytest.param({"config": "text"}, {}, id="no-mapping"),
        pytest.param(None, {}, id="empty"),
    ],
)
def test_what_the_controller_gives_its_containers(
    cluster: ClusterInspection, answers: dict[str, Answer], data: dict[str, str] | None, expected: dict[str, Any]
) -> None:
    """In both forms that its ConfigMap may have."""
    answers[CONFIG_MAPS] = listed({"metadata": {"namespace": "argo", "name": "x"}, "data": data})
    assert cluster.executors() == {"argo": expected}


def test_storage_containers_and_namespaces(cluster: ClusterInspection, answers: dict[str, Answer]) -> None:
    """With what each says, or does not."""
    answers[CONTAINERS] = listed(
        {"metadata": {"name": "default"}, "spec": {"container": {"name": "storage-initializer"}}},
        {"metadata": {"name": "confined"}, "spec": {"container": {"securityContext": CONTEXT}}},
    )
    answers["/api/v1/namespaces"] = listed(
        {"metadata": {"name": "a", "labels": {"x": "y"}}}, {"metadata": {"name": "b"}}
    )
    assert cluster.initializers() == {"default": {}, "confined": CONTEXT}
    assert cluster.namespaces() == {"a": {"x": "y"}, "b": {}}


def test_what_serves_models(cluster: ClusterInspection, answers: dict[str, Answer]) -> None:
    """By model, with the arguments of the container that serves it; beside it stand others."""
    path = "/api/v1/namespaces/argosy-staging/pods?labelSelector=argosy.dev/model"
    server = {"name": "kserve-container", "args": ["--access=/etc/argosy-access/access.yaml"]}
    labels = {"argosy.dev/model": "churn"}
    answers[path] = listed(
        {"metadata": {"name": "a", "labels": labels}, "spec": {"containers": [server, {"name": "proxy"}]}},
        {"metadata": {"name": "b", "labels": labels}, "spec": {"containers": [{"name": "kserve-container"}]}},
    )
    assert cluster.server_arguments("argosy-staging") == [("churn", server["args"]), ("churn", [])]
    answers[path] = FORBIDDEN
    assert cluster.server_arguments("argosy-staging") is None


def test_keys_of_a_secret_that_hold_something(cluster: ClusterInspection, answers: dict[str, Answer]) -> None:
    """Blanks and a line's end are nothing: who reads them takes them for no key at all."""
    content = {"full": "azEK", "empty": "", "newline": "Cg==", "blank": "ICAK"}
    answers["/api/v1/namespaces/argosy/secrets/s"] = Answer(json.dumps({"data": content}).encode())
    assert cluster.secret_keys("s", "argosy") == ["full"]
    assert cluster.secret_keys("other", "argosy") is None


def test_sources_of_events(cluster: ClusterInspection, answers: dict[str, Answer]) -> None:
    """None where the type is not installed; unknown where they may not be listed."""
    path = "/apis/argoproj.io/v1alpha1/namespaces/argosy/eventsources"
    assert cluster.event_sources("argosy") == []
    answers[path] = listed({"metadata": {"name": "argosy-push"}})
    assert cluster.event_sources("argosy") == [{"metadata": {"name": "argosy-push"}}]
    answers[path] = FORBIDDEN
    assert cluster.event_sources("argosy") is None


def test_what_may_not_be_listed_is_unknown(cluster: ClusterInspection, answers: dict[str, Answer]) -> None:
    """Most people may not look into other namespaces; that is no failure. A type that is not installed has no objects."""
    answers |= {CONFIG_MAPS: FORBIDDEN, "/api/v1/namespaces": FORBIDDEN}
    assert (cluster.executors(), cluster.namespaces(), cluster.initializers()) == (None, None, {})
    answers[CONTAINERS] = FORBIDDEN
    assert cluster.initializers() is None


def test_a_cluster_that_fails(cluster: ClusterInspection, answers: dict[str, Answer]) -> None:
    """It is worth another try."""
    answers["/api/v1/namespaces"] = Answer(b"{}", 500)
    with pytest.raises(errors.TryAgain, match="listing namespaces: the cluster fails"):
        cluster.namespaces()
