"""What charts/platform makes: what compiled pipelines name, the least rights, and nothing a value did not ask for."""

import argparse
import json
from typing import Any

import pytest

from argosy.cli import main, notices, online, predictions, ui
from argosy.domain import diagnosis, environment_layout, prerequisites
from argosy.exporter import command
from argosy.settings import Settings
from argosy.steps.converge.spec import SPEC
from kit import prometheus_stack, quick_yaml
from kit.platform_chart import CHART, ROOT, Objects, named, render, template

EXECUTOR_TOKEN = "argosy-executor.service-account-token"
PIPELINES = sorted(ROOT.glob("workflows/*/pipeline.yaml"))


@pytest.fixture(scope="module")
def objects() -> Objects:
    """What the chart makes where nothing is set."""
    return render()


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda path: path.parent.name)
def test_pipelines_find_what_they_name(objects: Objects, pipeline: Any) -> None:
    """Every account and ConfigMap of the committed manifests is made; their Secrets are in the chart's page."""
    spec = quick_yaml.load(pipeline.read_text(encoding="utf-8"))["spec"]
    accounts = {template.get("serviceAccountName", spec["serviceAccountName"]) for template in spec["templates"]}
    accounts.add(spec["executor"]["serviceAccountName"])
    made = {one["metadata"]["name"] for one in objects if one["kind"] == "ServiceAccount"}
    assert accounts <= made
    sources = [one for template in spec["templates"] for one in template.get("container", {}).get("envFrom", [])]
    maps = {one["configMapRef"]["name"] for one in sources if "configMapRef" in one}
    assert maps == {diagnosis.ENDPOINTS}
    page = (CHART / "reference.md").read_text(encoding="utf-8")
    secrets = {one["secretRef"]["name"] for one in sources if "secretRef" in one}
    assert [name for name in secrets if f"`{name}`" not in page] == []


def test_doctor_looks_for_what_is_made(objects: Objects) -> None:
    """The accounts and the token that doctor wants are those that the chart makes."""
    made = {(one["kind"], one["metadata"]["name"]) for one in objects}
    assert {("ServiceAccount", name) for name in prerequisites.USUAL_ACCOUNTS} <= made
    assert {("Secret", EXECUTOR_TOKEN), ("ConfigMap", diagnosis.ENDPOINTS)} <= made


def test_submitters_get_what_doctor_asks_for(objects: Objects) -> None:
    """Neither more nor less than submitting, watching, retrying and stopping take."""
    rules = named(objects, "Role", "argosy-submitter")["rules"]
    granted = {
        (verb, group, resource)
        for rule in rules
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    wanted = {
        (one.verb, one.group, f"{one.resource}{f'/{one.subresource}' if one.subresource else ''}")
        for one in diagnosis.SUBMITTER
    }
    assert wanted <= granted
    assert not any(verb == "*" for verb, _, _ in granted)


def test_steps_may_do_nothing(objects: Objects) -> None:
    """No step's account is bound to anything, and none of their pods is given a token; Argo's own container reports results, no more."""
    bound = {one["name"] for binding in objects if binding["kind"] == "RoleBinding" for one in binding["subjects"]}
    assert bound == {"argosy-executor", "argosy-converge", "argosy-exporter"}
    accounts = [one for one in objects if one["kind"] == "ServiceAccount"]
    assert all(one["automountServiceAccountToken"] is False for one in accounts)
    assert named(objects, "Role", "argosy-executor")["rules"] == [
        {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    ]
    assert not [one for one in objects if one["kind"].startswith("Cluster")]


@pytest.mark.parametrize("environment", environment_layout.ENVIRONMENTS)
def test_canaries_are_read_and_not_touched(objects: Objects, environment: str) -> None:
    """What looks after the canaries of an environment may look, there only."""
    rules = named(objects, "Role", "argosy-converge", f"argosy-{environment}")["rules"]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list"}
    assert {one for rule in rules for one in rule["resources"]} == {"rollouts", "analysisruns", "replicasets"}


@pytest.mark.parametrize("environment", environment_layout.ENVIRONMENTS)
def test_the_look_at_canaries(objects: Objects, environment: str) -> None:
    """One at a time, restricted, as the step's own command line has it."""
    job = named(objects, "CronJob", f"argosy-converge-{environment}")["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["command"][-1] == SPEC.module
    assert container["args"][::2] == [f"--{one.name}" for one in SPEC.parameters]
    assert container["args"][1] == environment


def test_the_exporter_looks_and_touches_nothing(objects: Objects) -> None:
    """It reads runs where pipelines are and canaries where models are, in a restricted pod, by the command that the code has."""
    granted = [
        one for one in objects if one["kind"] == "Role" and one["metadata"]["name"].startswith("argosy-exporter")
    ]
    assert {one["metadata"].get("namespace") for one in granted} == {None, "argosy-staging", "argosy-production"}
    assert {verb for one in granted for rule in one["rules"] for verb in rule["verbs"]} == {"get", "list"}
    pod = named(objects, "Deployment", "argosy-exporter")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["command"] == ["python", "-m", "argosy.exporter"]
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    arguments = parser.parse_args(container["args"])
    assert arguments.namespace == ["ml"]
    assert dict(arguments.canaries) == {"staging": "argosy-staging", "production": "argosy-production"}
    assert arguments.port == container["ports"][0]["containerPort"]
    given = {one["secretRef"]["name"] for one in container["envFrom"] if "secretRef" in one}
    assert given == {"argosy-forge-reader", "argosy-loop", "argosy-predictions"}


def test_the_exporter_can_be_scraped(objects: Objects) -> None:
    """Although nobody may connect to a pod of the namespace: monitoring may to this one, at this port, and nobody else."""
    labels = named(objects, "Deployment", "argosy-exporter")["spec"]["template"]["metadata"]["labels"]
    policy = named(objects, "NetworkPolicy", "argosy-exporter")["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    (rule,) = policy["ingress"]
    assert [port["port"] for port in rule["ports"]] == [8000]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    closed = render({"networkPolicy": {"monitoring": []}})
    assert named(closed, "NetworkPolicy", "argosy-exporter")["spec"]["ingress"] == []
    monitor = render({"exporter": {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}}})
    found = named(monitor, "ServiceMonitor", "argosy-exporter")
    service = named(monitor, "Service", "argosy-exporter")
    assert found["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert found["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    assert found["metadata"]["labels"]["release"] == "prometheus"


def test_the_pages_look_and_touch_nothing() -> None:
    """They read, in a restricted pod, by the command that the code has; nobody reaches them but through the cluster's own door."""
    made = render({"ui": {"enabled": True}})
    granted = [one for one in made if one["kind"] == "Role" and one["metadata"]["name"].startswith("argosy-ui")]
    assert {one["metadata"].get("namespace") for one in granted} == {None, "argosy-staging", "argosy-production"}
    assert {verb for one in granted for rule in one["rules"] for verb in rule["verbs"]} == {"get", "list"}
    assert "secrets" not in {kind for one in granted for rule in one["rules"] for kind in rule["resources"]}
    assert [one["kind"] for one in made if one["metadata"]["name"] == "argosy-ui"] == [
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "Deployment",
    ]
    pod = named(made, "Deployment", "argosy-ui")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    verb, *words = container["args"]
    assert (container["command"], verb) == (["python", "-m", "argosy.cli.main"], "ui")
    parser = argparse.ArgumentParser()
    ui.add_arguments(parser)
    arguments = parser.parse_args(words)
    assert (arguments.namespace, arguments.port) == ("ml", 8100)
    assert dict(arguments.canaries) == {"staging": "argosy-staging", "production": "argosy-production"}
    assert "127.0.0.1:8100/healthz" in container["readinessProbe"]["exec"]["command"][-1]


def test_no_pages_unless_they_are_wanted(objects: Objects) -> None:
    """Nothing of them is there, their rights neither."""
    assert not [one for one in objects if one["metadata"]["name"].startswith("argosy-ui")]


def test_no_exporter_where_none_is_wanted() -> None:
    """Nothing of it is left, its rights neither."""
    made = render({"exporter": {"enabled": False}})
    assert not [one for one in made if one["metadata"]["name"].startswith("argosy-exporter")]


def test_the_rules_are_those_that_are_tested(objects: Objects) -> None:
    """As a file for Prometheus or as the operator's object: the same, and what the values say of traffic besides."""
    source = prometheus_stack.rules()
    assert quick_yaml.load(named(objects, "ConfigMap", "argosy-rules")["data"]["argosy.yaml"]) == source
    runbook = "https://docs.example.com/runbook.md"
    traffic = [{"model": "churn", "environment": "production", "perSecond": 0.5}]
    features = [{"model": "churn", "environment": "production", "days": 7.5}]
    alerts = {"labels": {"a": "b"}, "runbook": runbook, "traffic": traffic, "features": features}
    made = render({"alerts": {"as": "PrometheusRule", **alerts}})
    rule = named(made, "PrometheusRule", "argosy")
    assert rule["metadata"]["labels"]["a"] == "b"
    *groups, expected = rule["spec"]["groups"]
    text = json.dumps(source["groups"]).replace("docs/runbook.md", runbook)
    assert json.dumps(groups) == text
    labels = {"model": "churn", "environment": "production"}
    assert expected["rules"] == [
        {"record": "argosy:predictions:expected", "expr": "vector(0.5)", "labels": labels},
        {"record": "argosy:features_age:allowed", "expr": "vector(648000)", "labels": labels},
    ]
    assert not [one for one in made if one["metadata"]["name"] == "argosy-rules"]
    assert not [
        one for one in render({"alerts": {"as": "none"}}) if one["metadata"]["name"] in {"argosy", "argosy-rules"}
    ]


def test_dashboards(objects: Objects) -> None:
    """As they are tested, where Grafana's sidecar looks for them."""
    for name in ("fleet", "model"):
        made = named(objects, "ConfigMap", f"argosy-dashboard-{name}")
        assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert json.loads(made["data"][f"argosy-{name}.json"]) == json.loads(
            (CHART / "files" / "dashboards" / f"{name}.json").read_text(encoding="utf-8")
        )
    none = render({"dashboards": {"enabled": False}})
    assert not [one for one in none if one["metadata"]["name"].startswith("argosy-dashboard")]


def test_features_nobody_needs_are_dropped_where_that_is_asked_for(objects: Objects) -> None:
    """By an account without rights and a pod without a token, that reads the environment repo and writes to one database."""
    assert "argosy-online-prune" not in {one["metadata"]["name"] for one in objects}
    made = render({"onlinePrune": {"enabled": True}})
    job = named(made, "CronJob", "argosy-online-prune")["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    assert (pod["automountServiceAccountToken"], pod["securityContext"]["runAsNonRoot"]) == (False, True)
    (container,) = pod["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert {one["secretRef"]["name"] for one in container["envFrom"] if "secretRef" in one} == {
        "argosy-forge-reader",
        "argosy-online",
    }
    assert container["command"] == ["python", "-m", main.__name__]
    parser = argparse.ArgumentParser()
    online.add_arguments(parser)
    assert container["args"][0] in main.VERBS
    assert parser.parse_args(container["args"][1:]).dry_run is False


def test_old_predictions_are_deleted_where_that_is_asked_for(objects: Objects) -> None:
    """After as many days as somebody decided, by an account that sees the buckets of predictions and nothing else."""
    assert "argosy-predictions-prune" not in {one["metadata"]["name"] for one in objects}
    with_place = {"endpoints": {"predictionsUri": "s3://logs/predictions"}}
    made = render({"predictionsPrune": {"enabled": True, "days": 30}, **with_place})
    pod = named(made, "CronJob", "argosy-predictions-prune")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert (pod["automountServiceAccountToken"], pod["serviceAccountName"]) == (False, "argosy-predictions")
    (container,) = pod["containers"]
    assert {one["secretRef"]["name"] for one in container["envFrom"] if "secretRef" in one} == {"argosy-predictions"}
    parser = argparse.ArgumentParser()
    predictions.add_arguments(parser)
    assert container["args"][0] in main.VERBS
    assert parser.parse_args(container["args"][1:]).days == 30


def test_old_notices_are_forgotten_where_that_is_asked_for(objects: Objects) -> None:
    """By an account that sees the monitoring store, with the verb that the code has; not where that store is nowhere."""
    assert "argosy-notices-prune" not in {one["metadata"]["name"] for one in objects}
    wanted = {"noticesPrune": {"enabled": True, "days": 30}}
    made = render({**wanted, "endpoints": {"monitoringUri": "s3://logs/monitoring"}})
    pod = named(made, "CronJob", "argosy-notices-prune")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {one["secretRef"]["name"] for one in container["envFrom"] if "secretRef" in one} == {"argosy-predictions"}
    parser = argparse.ArgumentParser()
    notices.add_arguments(parser)
    assert container["args"][0] in main.VERBS
    assert parser.parse_args(container["args"][1:]).days == 30
    assert "endpoints.monitoringUri does not say where notices are" in template(wanted).stderr


def test_endpoints_are_settings(objects: Objects) -> None:
    """What the chart sets is what settings read; what is not set is left out, so that a default is a default."""
    given = {
        "endpoints": {
            "trackingUri": "http://mlflow:5000",
            "storeUri": "s3://b/p",
            "forgeUri": "github:o/n",
            "extra": {"HTTPS_PROXY": "http://proxy"},
        }
    }
    data = named(render(given), "ConfigMap", diagnosis.ENDPOINTS)["data"]
    settings = Settings.from_environment(data)
    assert (settings.tracking_uri, settings.store_uri, settings.forge_uri) == (
        "http://mlflow:5000",
        "s3://b/p",
        "github:o/n",
    )
    assert settings.next_on_merge is False
    assert data["HTTPS_PROXY"] == "http://proxy"
    assert set(named(objects, "ConfigMap", diagnosis.ENDPOINTS)["data"]) == {"ARGOSY_HOME", "ARGOSY_NEXT_REQUEST"}


PEM = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"


def test_one_value_for_certificates_and_one_for_the_proxy() -> None:
    """Every step and job is told by the ConfigMap that it reads anyway; what is in the cluster is reached without the proxy."""
    given = {"certificates": PEM, "proxy": {"url": "http://proxy.example:3128", "except": "mlflow.example"}}
    data = named(render(given), "ConfigMap", diagnosis.ENDPOINTS)["data"]
    assert data["ARGOSY_CA_CERTIFICATES"] == PEM
    assert {data[name] for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy")} == {
        "http://proxy.example:3128"
    }
    assert data["NO_PROXY"] == data["no_proxy"] == "localhost,127.0.0.1,.svc,.cluster.local,mlflow.example"


@pytest.mark.parametrize(
    ("given", "named_value"),
    [
        pytest.param({"proxy": {"url": "http://ada:secret@proxy:3128"}}, "/proxy/url", id="a-password-for-everybody"),
        pytest.param({"proxy": {"url": "proxy:3128"}}, "/proxy/url", id="no-address"),
        pytest.param({"certificates": "/etc/ssl/company.pem"}, "/certificates", id="a-path"),
    ],
)
def test_no_password_and_no_path_in_what_everybody_reads(given: dict[str, Any], named_value: str) -> None:
    """The schema refuses it, by its name."""
    told = template(given)
    assert told.returncode != 0
    assert named_value.replace("/", ".").strip(".") in told.stderr.replace("/", ".")


def test_no_secret_by_default(objects: Objects) -> None:
    """No password comes with the chart; what is given for a try is made."""
    secrets = [one for one in objects if one["kind"] == "Secret"]
    assert [one["metadata"]["name"] for one in secrets] == [EXECUTOR_TOKEN]
    made = render({"secrets": {"argosy-forge": {"ARGOSY_FORGE_TOKEN": "t"}}})
    assert named(made, "Secret", "argosy-forge")["stringData"] == {"ARGOSY_FORGE_TOKEN": "t"}


def test_artifacts() -> None:
    """The repository that Argo finds by its name, logs kept; without a bucket there is none."""
    made = named(render({"artifacts": {"bucket": "b", "secret": ""}}), "ConfigMap", "artifact-repositories")
    assert made["metadata"]["annotations"] == {"workflows.argoproj.io/default-artifact-repository": "default"}
    repository = quick_yaml.load(made["data"]["default"])
    assert repository["archiveLogs"] is True
    assert repository["s3"] == {"bucket": "b", "endpoint": "s3.amazonaws.com", "insecure": False, "useSDKCreds": True}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        pytest.param({"endpoint": {}}, "endpoint", id="nobody-knows-it"),
        pytest.param({"endpoints": {"storeUri": "models"}}, "storeUri", id="no-address"),
        pytest.param({"endpoints": {"extra": {"a b": "c"}}}, "extra", id="no-variable"),
        pytest.param({"secrets": {"another": {"a": "b"}}}, "another", id="a-secret-nobody-reads"),
        pytest.param({"secrets": {"argosy-events": {"push": " \n"}}}, "push", id="a-key-that-holds-nothing"),
        pytest.param({"nextRequest": "never"}, "nextRequest", id="another-word"),
        pytest.param(
            {"submitters": [{"kind": "ServiceAccount", "name": "ci"}]}, "needs a namespace", id="account-of-nowhere"
        ),
        pytest.param(
            {"endpoints": {"forgeUri": "local:/repo"}}, "no endpoint of a cluster", id="a-repository-of-a-machine"
        ),
    ],
)
def test_refusals(values: dict[str, Any], why: str) -> None:
    """A value that cannot be meant is refused, by name."""
    done = template(values)
    assert done.returncode != 0
    assert why in done.stderr
