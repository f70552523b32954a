"""The table of parts, what each renders to, and what becomes of a part that is there, that fails, or that nobody has heard of."""

import json
import string
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy import errors, wiring
from argosy.domain import access_rules, diagnosis, prerequisites
from argosy.domain.access_rules import AccessRules
from argosy_kind import controllers, delivery, install, parts, pipelines, services, site
from argosy_kind.kube import Kubectl
from argosy_kind.ledger import Ledger
from argosy_kind.parts import PARTS, Part
from argosy_kind.pins import FOLDER, Pins
from argosy_kind.site import Choices, Site
from kind_cluster.conftest import FakeCluster, namespace
from kit import platform_chart

ROOT = FOLDER.parent
DIGEST = "sha256:" + "d" * 64
HELD = dict.fromkeys(
    (*site.RANDOM, "hash-key", site.CALLERS_KEY, site.SIGNING, site.VERIFYING, "forge-token", "forge-reader-token"), "x"
)
FILLED = {
    "image": "registry.example/toy@" + DIGEST,
    "pull_policy": "IfNotPresent",
    "disk": "emptyDir: {}",
    "password": "x",
    "access_key": "x",
    "secret_key": "x",
    "database": "postgresql.argosy-services.svc:5432",
    "objects": "objects.argosy-services.svc:7070",
    "buckets": "/data/models",
    "alertmanager": "alertmanager.monitoring.svc:9093",
    "token": "x",
    "webhook": "argosy-alerts-eventsource-svc.argosy.svc:12000",
    "prometheus": "prometheus.monitoring.svc:9090",
}
OWN = sorted(path.stem for path in (FOLDER / "parts").glob("*.yaml"))


def a_site(folder: Path, **choices: Any) -> Site:
    """A site of the cluster that KUBECONFIG names."""
    return Site(Kubectl(""), Pins.read(), Choices(**choices), Ledger(folder / "ledger.json"))


@pytest.fixture(autouse=True)
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our images, as if `make images` had built them."""
    lock = tmp_path / "images.lock"
    targets = ("tracking", "promote", "serve")
    lock.write_text(json.dumps({"repository": "argosy", "images": {name: {"digest": DIGEST} for name in targets}}))
    monkeypatch.setattr(services, "LOCK", lock)


def test_what_a_part_needs_comes_before_it() -> None:
    """In the one order that there is."""
    names = [part.name for part in PARTS]
    assert len(set(names)) == len(names)
    for part in PARTS:
        assert set(part.needs) <= set(names[: names.index(part.name)]), part.name


def test_every_part_can_be_had() -> None:
    """Controllers from a pinned file, our own from a file of parts/ and a pinned image."""
    pinned = Pins.read()
    names = {part.name for part in PARTS}
    assert set(controllers.CONTROLLERS) == set(pinned.files)
    assert set(OWN) == {*services.PORTS, *services.MONITORS}
    assert names == {*controllers.CONTROLLERS, *OWN, "platform", "delivery", "check"}
    assert set(OWN) - {"mlflow"} | {"node"} == set(pinned.images)


@pytest.mark.parametrize("name", OWN)
def test_own_parts_are_restricted_and_bounded(name: str) -> None:
    """Their pods fit the profile that their namespaces enforce, ask for little, and say when they are ready."""
    objects = services.render(name, FILLED)
    deployments = [one for one in objects if one["kind"] == "Deployment"]
    assert [one["metadata"]["name"] for one in deployments] == [name]
    pod = deployments[0]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod.get("automountServiceAccountToken") is False or pod["serviceAccountName"] == "prometheus"
    for container in (*pod.get("initContainers", []), *pod["containers"]):
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert "memory" in container["resources"]["limits"]
        assert container["image"] == FILLED["image"]
    assert all("readinessProbe" in container for container in pod["containers"])
    (service,) = [one for one in objects if one["kind"] == "Service"]
    assert service["spec"]["selector"].items() <= deployments[0]["spec"]["template"]["metadata"]["labels"].items()
    assert service["spec"]["ports"][0]["port"] == {**services.PORTS, **services.MONITORS}[name]
    where = services.MONITORING if name in services.MONITORS else services.SERVICES
    cluster_wide = {"ClusterRole", "ClusterRoleBinding"}
    assert {one["metadata"].get("namespace") for one in objects if one["kind"] not in cluster_wide} == {where}


@pytest.mark.parametrize("name", OWN)
def test_a_part_is_filled_in_whole(name: str) -> None:
    """Nothing is left open, and nothing that is filled in is missing."""
    template = string.Template((FOLDER / "parts" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert set(template.get_identifiers()) <= {*FILLED, "checksum"}
    rendered = json.dumps(services.render(name, FILLED))
    assert "${" not in rendered.replace("${1}:80", "")  # of Prometheus' own


def test_a_changed_file_starts_pods_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A dashboard that changed is read by nobody until Grafana starts again."""

    def template() -> Any:
        (found,) = [one for one in services.render("grafana", FILLED) if one["kind"] == "Deployment"]
        return found["spec"]["template"]

    before = template()
    monkeypatch.setattr(services, "DASHBOARDS", tmp_path)
    assert template() != before
    assert template() == template()


def test_prometheus_judges_the_rules_as_the_chart_renders_them(fake_cluster: FakeCluster, tmp_path: Path) -> None:
    """And starts anew with them; somebody else's is left alone."""
    rules = {"data": {"argosy.yaml": "groups: []"}}
    ready = {"metadata": {"generation": 1}, "spec": {}, "status": {"observedGeneration": 1}}
    ready["status"] |= dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas"), 1)
    fake_cluster.answers("get configmap argosy-rules --namespace argosy", rules)
    fake_cluster.answers("get deployment prometheus", ready)
    pipelines.bring_rules(a_site(tmp_path), 1)
    assert not any("patch" in line for line in fake_cluster.asked())
    fake_cluster.answers("get namespace monitoring", namespace("monitoring", {site.OURS: site.OWNER}))
    pipelines.bring_rules(a_site(tmp_path), 1)
    assert any(line.startswith("patch deployment prometheus --namespace monitoring") for line in fake_cluster.asked())
    assert yaml.safe_load(fake_cluster.given())["data"] == rules["data"]


def test_its_values_make_every_account() -> None:
    """Through the chart, so that no list of accounts stands twice; and events can come in."""
    objects = platform_chart.render(pipelines.values())
    made = {one["metadata"]["name"] for one in objects if one["kind"] == "ServiceAccount"}
    assert made >= prerequisites.USUAL_ACCOUNTS
    assert {one["kind"] for one in objects} >= {"EventSource", "Sensor", "CronJob", "Deployment"}
    assert services.WEBHOOK.startswith("argosy-alerts-eventsource-svc.argosy.svc:")


def test_its_secrets_are_what_steps_need() -> None:
    """`argosy doctor` would find each with its keys."""
    made = {name: sorted(content) for where, name, content in pipelines.secrets_of(HELD) if where == site.PIPELINES}
    endpoints = {"ARGOSY_FORGE_URI": "gitea:http://x/y/z", "ARGOSY_STORE_URI": "s3://models/store"}
    executors: dict[str, list[str]] = {"argosy-executor.service-account-token": ["token"]}
    forge = wiring.forge_keys(endpoints["ARGOSY_FORGE_URI"])
    found = prerequisites.secrets(prerequisites.USUAL, endpoints, {**made, **executors}.get, forge)
    wrong = [one.said for one in found if one.state is not diagnosis.CheckState.OK]
    assert wrong == []


def test_callers_have_the_key_that_servers_know() -> None:
    """In each environment: the rules hold its digest, and the callers' Secret the key itself."""
    text, _ = access_rules.new_key("callers", ["*"])
    made = {(where, name): content for where, name, content in pipelines.secrets_of({**HELD, site.CALLERS_KEY: text})}
    for served in site.ENVIRONMENTS.values():
        rules = AccessRules.model_validate(yaml.safe_load(made[served, "argosy-access"]["access.yaml"]))
        assert [key.digest for key in rules.keys] == [access_rules.key_digest(text)]
        assert made[served, pipelines.CALLERS] == {"KEY": text}


def test_its_namespace_takes_the_pods_of_runs() -> None:
    """It enforces the profile, and Argo's own containers are given what the profile asks for."""
    restricted, _ = diagnosis.restricted({site.PIPELINES: site.RESTRICTED}, pipelines=site.PIPELINES)
    over = yaml.safe_load((FOLDER / "controller.yaml").read_text(encoding="utf-8"))
    context = yaml.safe_load(over["data"]["executor"])["securityContext"]
    assert restricted == [site.PIPELINES]
    assert diagnosis.executor(restricted, {"argo": context}).state is diagnosis.CheckState.OK


def test_what_argo_cd_is_told_has_this_clusters_addresses() -> None:
    """No address of the example is left, and the chart is pinned by commit."""
    for path, content in delivery.files(delivery.GITOPS).items():
        if path.startswith("clusters/"):
            text = delivery.addressed(content.decode(), "abc123")
            assert "example/" not in text, path
            assert "0.1.0" not in text.replace("version: 0.1.0", ""), path


def test_requests_are_checked_where_nobody_does_it_by_hand() -> None:
    """Gitea merges what has the status; the job that sets it has the public key, the forge's token and no right in the cluster."""
    config, job = delivery.checks("-----BEGIN\nof: yaml\n")
    assert config["data"]["signing.pub.pem"] == "-----BEGIN\nof: yaml\n"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert '"$number" --report || test $? = 10' in container["command"][-1]
    assert [next(iter(one.values()))["name"] for one in container["envFrom"]] == [
        "argosy-endpoints",
        "argosy-forge",
        "argosy-store",
    ]


def test_a_controller_that_is_there_is_left_alone(fake_cluster: FakeCluster, tmp_path: Path) -> None:
    """Known by its resource type, where its namespace is not ours; then nobody needs cert-manager either."""
    definition = {"spec": {"versions": [{"name": "v1beta1", "served": True}]}}
    fake_cluster.answers("get customresourcedefinition inferenceservices.serving.kserve.io", definition)
    at = a_site(tmp_path)
    assert controllers.found(at, "kserve").startswith("found, left alone (inferenceservices.serving.kserve.io v1beta1")
    assert controllers.found(at, "cert-manager").startswith("not needed, KServe is found")
    assert controllers.found(at, "argo-cd") == ""


def test_a_controller_that_we_installed_is_brought_up_to_date(fake_cluster: FakeCluster, tmp_path: Path) -> None:
    """Its resource types are there then, too."""
    fake_cluster.answers("get customresourcedefinition rollouts.argoproj.io", {"spec": {"versions": []}})
    fake_cluster.answers("get namespace argo-rollouts", namespace("argo-rollouts", {site.OURS: site.OWNER}))
    assert controllers.found(a_site(tmp_path), "argo-rollouts") == ""


def test_a_namespace_of_somebody_else_keeps_its_labels(fake_cluster: FakeCluster, tmp_path: Path) -> None:
    """It is used as it is."""
    fake_cluster.answers("get namespace monitoring", namespace("monitoring", {}))
    a_site(tmp_path).make_namespace("monitoring")
    assert not any("apply" in line for line in fake_cluster.asked())


def test_a_part_that_fails_names_the_command_that_goes_on(tmp_path: Path) -> None:
    """And the ledger holds it."""

    def fails(_at: Site, _name: str, _seconds: float) -> None:
        raise errors.TryAgain("deployment argosy-services/toy is not ready")

    at = a_site(tmp_path)
    with pytest.raises(
        errors.TryAgain, match=r"toy: .*; once that is mended, go on with: make kind-install ARGUMENTS='--from toy'"
    ):
        parts.install_all(at, [Part("toy", "a toy", fails)])
    assert json.loads((tmp_path / "ledger.json").read_text(encoding="utf-8"))["parts"][0]["outcome"] == "failed"


def test_a_ledger_that_goes_on_keeps_what_was_done(tmp_path: Path) -> None:
    """Each part once, as it was last; what comes after is written anew."""
    first = Ledger(tmp_path / "ledger.json")
    for name, seconds in (("argo-workflows", 5), ("postgresql", 1), ("postgresql", 7), ("objects", 300)):
        first.add(name, "done", seconds)
    second = Ledger(first.file)
    second.go_on(parts.before("objects"))
    second.add("objects", "done", 2)
    assert [(line["part"], line["seconds"]) for line in second.lines] == [
        ("argo-workflows", 5),
        ("postgresql", 7),
        ("objects", 2),
    ]
    assert json.loads(first.file.read_text(encoding="utf-8"))["seconds"] == 14


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--from", "mlfow"], "there is no part mlfow; there are argo-workflows, ", id="from"),
        pytest.param(["--only", "grafana", "kibana"], "there is no part kibana", id="only"),
        pytest.param(
            ["--without", "mlflow"],
            "platform is told where our mlflow is, which is left out; leave platform",
            id="needed",
        ),
        pytest.param(["--without", "x"], "there is no part x", id="without"),
        pytest.param(["--settings", "/nowhere.yaml"], "--settings /nowhere.yaml: No such file", id="no-settings"),
    ],
)
def test_wrong_words(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, before any cluster is asked."""
    assert install.main(words) == errors.UsageError.exit_code
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("image: {}", "there is no setting image; there are images, ", id="unknown"),
        pytest.param("images: {mlfow: x}", "there is no image mlfow; there are postgresql, ", id="image"),
        pytest.param("- images", "expected a mapping, found a list", id="list"),
        pytest.param("images: [", "is no YAML", id="no-yaml"),
        pytest.param("without: grafana", "without has to be a list", id="kind"),
    ],
)
def test_wrong_settings(text: str, said: str, tmp_path: Path) -> None:
    """Refused with what there is."""
    path = tmp_path / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(errors.UsageError, match=said):
        Choices.read(path)


def test_the_list_needs_no_cluster(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """All parts in order."""
    monkeypatch.setenv("PATH", "")
    assert install.main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [part.name for part in PARTS]
