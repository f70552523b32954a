"""The teams of charts/platform: each has what pipelines need in a namespace of its own, what others do not, and nothing more."""

import fnmatch
from typing import Any
from urllib.parse import urlsplit

import pytest

from argosy.domain import prerequisites
from kit import quick_yaml
from kit.platform_chart import ROOT, Objects, named, render, template

ADDRESSES = {
    "trackingUri": "http://mlflow.mlops.svc:5000",
    "storeUri": "s3://models/prod",
    "forgeUri": "gitea:https://git.example.com:8443/acme/environment",
    "s3Endpoint": "http://minio.storage:9000",
    "extra": {"HTTPS_PROXY": "http://proxy.example.com:3128"},
}
CREDIT: dict[str, Any] = {
    "name": "credit",
    "submitters": [{"kind": "Group", "name": "credit"}],
    "publishers": [{"kind": "User", "name": "credit-ci"}],
    "semaphores": {"pipelines": 2},
    "quota": {"pods": 20, "limits.memory": "none", "requests.nvidia.com/gpu": 2},
    "egress": [{"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}]}],
}
GROWTH = {"name": "growth", "namespace": "ml-growth", "endpoints": {"storeUri": "s3://growth/prod"}}
VALUES: dict[str, Any] = {
    "endpoints": ADDRESSES,
    "artifacts": {"bucket": "artifacts"},
    "publishers": [{"kind": "ServiceAccount", "name": "argocd-application-controller", "namespace": "argocd"}],
    "shared": 8,
    "teams": [CREDIT, GROWTH],
}


@pytest.fixture(scope="module")
def objects() -> Objects:
    """What the chart makes for two teams."""
    return render(VALUES)


def of(objects: Objects, namespace: str | None) -> set[tuple[str, str]]:
    """Kind and name of the objects of *namespace*."""
    return {(one["kind"], one["metadata"]["name"]) for one in objects if one["metadata"].get("namespace") == namespace}


@pytest.mark.parametrize("namespace", ["team-credit", "ml-growth"])
def test_a_team_has_what_pipelines_name(objects: Objects, namespace: str) -> None:
    """As the namespace of the release has it: accounts, the executor's token and Role, addresses, artifacts, semaphores, people's Roles."""
    accounts = {("ServiceAccount", name) for name in prerequisites.USUAL_ACCOUNTS}
    shared = {
        ("Secret", "argosy-executor.service-account-token"),
        ("Role", "argosy-executor"),
        ("ConfigMap", "argosy-endpoints"),
        ("ConfigMap", "argosy-semaphores"),
        ("ConfigMap", "artifact-repositories"),
        ("Role", "argosy-submitter"),
        ("RoleBinding", "argosy-publisher"),
    }
    assert accounts | shared <= of(objects, namespace) & of(objects, None)
    own = {("ResourceQuota", "argosy"), ("LimitRange", "argosy"), ("NetworkPolicy", "argosy-steps")}
    assert own <= of(objects, namespace)
    bound = named(objects, "RoleBinding", "argosy-executor", namespace)["subjects"]
    assert bound == [{"kind": "ServiceAccount", "name": "argosy-executor", "namespace": namespace}]


def test_a_namespace_outlives_its_entry(objects: Objects) -> None:
    """It is restricted, says whose it is, and stays when its team is taken out of the list; one that is there already is left alone."""
    made = named(objects, "Namespace", "team-credit")["metadata"]
    assert made["annotations"]["helm.sh/resource-policy"] == "keep"
    assert made["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert made["labels"]["argosy.dev/team"] == "credit"
    given = render({"teams": [{"name": "credit", "createNamespace": False}]})
    assert ("Namespace", "team-credit") not in of(given, None)
    assert ("ResourceQuota", "argosy") in of(given, "team-credit")


def test_what_a_team_says_otherwise(objects: Objects) -> None:
    """One value replaces one value, for this team only."""
    stores = {
        name: named(objects, "ConfigMap", "argosy-endpoints", name)["data"]
        for name in (None, "team-credit", "ml-growth")
    }
    assert [data["ARGOSY_STORE_URI"] for data in stores.values()] == [
        "s3://models/prod",
        "s3://models/prod",
        "s3://growth/prod",
    ]
    assert {data["ARGOSY_TRACKING_URI"] for data in stores.values()} == {ADDRESSES["trackingUri"]}
    places = {
        name: named(objects, "ConfigMap", "argosy-semaphores", name)["data"]
        for name in (None, "team-credit", "ml-growth")
    }
    assert [one["pipelines"] for one in places.values()] == ["4", "2", "4"]
    assert named(objects, "ConfigMap", "argosy-shared")["data"] == {"slots": "8"}


def test_quota(objects: Objects) -> None:
    """A team's own numbers over those of all, ``none`` takes one away; Argo's own containers are given what a quota asks for."""
    hard = named(objects, "ResourceQuota", "argosy", "team-credit")["spec"]["hard"]
    assert (hard["pods"], hard["requests.nvidia.com/gpu"], hard["requests.cpu"]) == ("20", "2", "32")
    assert "limits.memory" not in hard
    assert named(objects, "ResourceQuota", "argosy", "ml-growth")["spec"]["hard"]["limits.memory"] == "256Gi"
    (limits,) = named(objects, "LimitRange", "argosy", "ml-growth")["spec"]["limits"]
    assert {"cpu", "memory"} == set(limits["default"]) == set(limits["defaultRequest"])


@pytest.mark.parametrize("source", sorted(ROOT.glob("workflows/*/pipeline.yaml")), ids=lambda path: path.parent.name)
def test_the_steps_of_our_pipelines_fit_the_limits(objects: Objects, source: Any) -> None:
    """No step asks for more than a container of a team may have."""
    (limits,) = named(objects, "LimitRange", "argosy", "ml-growth")["spec"]["limits"]
    templates = quick_yaml.load(source.read_text(encoding="utf-8"))["spec"]["templates"]
    asked = [one["container"]["resources"]["limits"] for one in templates if "container" in one]
    assert asked
    assert all(float(one["cpu"]) <= float(limits["max"]["cpu"]) for one in asked)


def test_who_may_do_what(objects: Objects) -> None:
    """A team's people submit in its namespace; what installs for all installs there too; neither is bound anywhere else."""

    def subjects(role: str, namespace: str | None) -> list[str]:
        bound = [one for one in objects if one["kind"] == "RoleBinding" and one["metadata"]["name"] == role]
        return [s["name"] for one in bound if one["metadata"].get("namespace") == namespace for s in one["subjects"]]

    assert subjects("argosy-submitter", "team-credit") == ["credit"]
    assert subjects("argosy-submitter", "ml-growth") == subjects("argosy-submitter", None) == []
    assert subjects("argosy-publisher", "team-credit") == ["argocd-application-controller", "credit-ci"]
    assert subjects("argosy-publisher", "ml-growth") == ["argocd-application-controller"]
    for namespace in (None, "team-credit"):
        rules = named(objects, "Role", "argosy-submitter", namespace)["rules"]
        changed = {(one, verb) for rule in rules for one in rule["resources"] for verb in rule["verbs"]}
        assert (
            not {("workflowtemplates", "create"), ("configmaps", "update"), ("secrets", "get"), ("pods", "create")}
            & changed
        )


def test_runs_of_two_teams_keep_apart_in_one_bucket(objects: Objects) -> None:
    """A retraining is named after what happened, so two teams may have runs of one name."""
    keys = [
        quick_yaml.load(named(objects, "ConfigMap", "artifact-repositories", name)["data"]["default"])["s3"].get(
            "keyFormat"
        )
        for name in (None, "team-credit", "ml-growth")
    ]
    assert keys == [
        None,
        "team-credit/{{workflow.name}}/{{pod.name}}",
        "ml-growth/{{workflow.name}}/{{pod.name}}",
    ]


def reached(policy: dict[str, Any], host: str, port: int) -> bool:
    """Whether pods under *policy* reach *port* at *host*: a name of this cluster (``service.namespace``), or an address outside."""
    inside = (
        host.split(".")[1]
        if fnmatch.fnmatch(host, "*.*") and not host[0].isdigit() and host.count(".") in (1, 2)
        else None
    )
    for rule in policy["spec"]["egress"]:
        if "ports" in rule and port not in [one["port"] for one in rule["ports"]]:
            continue
        for peer in rule["to"]:
            names = peer.get("namespaceSelector", {}).get("matchLabels", {}).values()
            if inside in names or ("ipBlock" in peer and inside is None):
                return True
    return False


def test_steps_reach_the_endpoints_and_nothing_beside(objects: Objects) -> None:
    """Nobody connects to a step; it connects to names, to the API server and to what the values say."""
    policy = named(objects, "NetworkPolicy", "argosy-steps", "ml-growth")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy["spec"]
    for url in (
        "http://mlflow.mlops:5000",
        "http://minio.storage:9000",
        "https://git.example.com:8443",
        "http://proxy.example.com:3128",
    ):
        parts = urlsplit(url)
        host = parts.hostname or ""
        assert reached(policy, "203.0.113.7" if host.endswith("example.com") else host, parts.port or 0), url
    assert reached(policy, "203.0.113.7", 443)
    assert not reached(policy, "203.0.113.7", 22)
    assert not reached(policy, "argosy-exporter.argosy", 443)
    blocked = [
        peer["ipBlock"]["except"] for rule in policy["spec"]["egress"] for peer in rule["to"] if "ipBlock" in peer
    ]
    assert blocked == [["169.254.0.0/16"]]
    assert CREDIT["egress"][0] in named(objects, "NetworkPolicy", "argosy-steps", "team-credit")["spec"]["egress"]


def test_nothing_outside_where_that_is_said() -> None:
    """An air-gapped cluster: names, and what is in the cluster."""
    made = render({**VALUES, "networkPolicy": {"outside": False}})
    policy = named(made, "NetworkPolicy", "argosy-steps", "ml-growth")
    assert not reached(policy, "203.0.113.7", 443)
    assert reached(policy, "mlflow.mlops", 5000)


@pytest.mark.parametrize(
    ("teams", "said"),
    [
        pytest.param(
            [{"name": "a"}, {"name": "b", "namespace": "team-a"}],
            "b is to have the namespace team-a, which is that of the team a",
            id="twice",
        ),
        pytest.param([{"name": "a", "namespace": "ml"}], "which is that of the release", id="the-release-s"),
        pytest.param(
            [{"name": "a", "namespace": "argosy-staging"}],
            "which is that of the environment staging",
            id="an-environment-s",
        ),
        pytest.param([{"name": "A team"}], "does not match pattern", id="no-name"),
        pytest.param([{"name": "a", "quotas": {}}], "additional properties 'quotas' not allowed", id="slip"),
        pytest.param(
            [{"name": "a", "submitters": [{"kind": "Person", "name": "x"}]}], "must be one of", id="no-subject"
        ),
    ],
)
def test_teams_that_are_refused(teams: list[Any], said: str) -> None:
    """Before anything is installed, with what is wrong."""
    done = template({"teams": teams})
    assert done.returncode != 0
    assert said in done.stderr


def test_the_exporter_sees_all_teams(objects: Objects) -> None:
    """It may read what runs in each namespace of pipelines, and is told of each."""
    (container,) = named(objects, "Deployment", "argosy-exporter")["spec"]["template"]["spec"]["containers"]
    told = {one for one in container["args"] if one.startswith("--namespace=")}
    assert told == {"--namespace=ml", "--namespace=team-credit", "--namespace=ml-growth"}
    for namespace in ("team-credit", "ml-growth"):
        (subject,) = named(objects, "RoleBinding", "argosy-exporter", namespace)["subjects"]
        assert subject == {"kind": "ServiceAccount", "name": "argosy-exporter", "namespace": "ml"}


def test_events_start_a_retraining_where_the_team_is() -> None:
    """The sensor may create runs there, and nowhere that no model of the list is."""
    events = {"enabled": True, "models": [{"name": "churn", "team": "credit"}, {"name": "fares"}]}
    made = render({**VALUES, "events": events})
    where = {
        one["metadata"]["name"]: one["spec"]["triggers"][0]["template"]["k8s"]["source"]["resource"]["metadata"].get(
            "namespace"
        )
        for one in made
        if one["kind"] == "Sensor" and "k8s" in one["spec"]["triggers"][0]["template"]
    }
    assert where == {"retrain-churn": "team-credit", "retrain-fares": None}
    assert ("Role", "argosy-sensor") in of(made, "team-credit") & of(made, None)
    assert ("Role", "argosy-sensor") not in of(made, "ml-growth")
    wrong = template({**VALUES, "events": {"enabled": True, "models": [{"name": "churn", "team": "credti"}]}})
    assert 'there is no team "credti"' in wrong.stderr


def test_without_teams_nothing_changes() -> None:
    """A platform of one namespace has no object elsewhere but in its environments."""
    made = render()
    assert {one["metadata"].get("namespace") for one in made} == {None, "argosy-staging", "argosy-production"}
    kinds = {one["kind"] for one in made}
    assert not {"ValidatingAdmissionPolicy", "ResourceQuota", "LimitRange"} & kinds
