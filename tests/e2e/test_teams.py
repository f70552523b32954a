"""Teams on a cluster: what the API server lets a team do, and what it refuses with which words.

Every case of `tests/charts/test_admission.py` again, by the API server itself.
"""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy import errors
from argosy.cli import main
from e2e import pinned
from e2e.cluster import Cluster
from kit import inference_chart, team_manifests
from kit.team_manifests import Bad, Manifest

pytestmark = [pytest.mark.needs("argo-workflows"), pytest.mark.timeout(600)]

TEAMS = ("credit", "growth")
ADA = ("--as=ada", "--as-group=credit-people")


@pytest.fixture(scope="module")
def base(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The namespace of a platform with two teams, whose own are called `<base>-credit` and `<base>-growth`."""
    name = f"teams-{secrets.token_hex(3)}"
    values = tmp_path_factory.mktemp("values") / "values.yaml"
    values.write_text(yaml.safe_dump(_values(name)), encoding="utf-8")
    assert main.run(["platform", "install", "--namespace", name, "--values", str(values)]) == errors.DONE
    try:
        bad = team_manifests.RUNS[0].of(team_manifests.run_of("churn", f"{name}-credit"))
        # An API server takes a new policy into account some moments after it has it.
        cluster.wait("the policies to hold", lambda: _refusal(cluster, bad), seconds=60, every=1.0)
        yield name
    finally:
        for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
            found = [f"{name}-{one}" for one in ("pipelines", "runs", "pods", "models")]
            cluster.try_kubectl("delete", kind, *found, "--ignore-not-found")
        for namespace in (name, f"{name}-staging", *(f"{name}-{team}" for team in TEAMS)):
            cluster.try_kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")


def _values(name: str) -> dict[str, Any]:
    people = {team: [{"kind": "Group", "name": f"{team}-people"}] for team in TEAMS}
    return {
        "endpoints": {"trackingUri": "http://mlflow:5000", "storeUri": "s3://models/p", "forgeUri": "github:o/n"},
        "serving": {"environments": [{"name": "staging", "namespace": f"{name}-staging"}]},
        "exporter": {"enabled": False},
        "converge": {"enabled": False},
        "publishers": [{"kind": "User", "name": "ci"}],
        "teams": [{"name": team, "namespace": f"{name}-{team}", "submitters": people[team]} for team in TEAMS],
        "admission": {
            "registries": [team_manifests.REGISTRY, "docker.io/argosy/"],
            # The last is for a cluster whose executor was built and brought to the nodes.
            "argo": ["quay.io/argoproj/argoexec:", "quay.io/argoproj/argoexec@", "localhost/argoexec:"],
        },
    }


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """What the project's models compile to, with pinned images."""
    return team_manifests.compiled(tmp_path_factory.mktemp("project"))


def _put(cluster: Cluster, manifest: Manifest, *words: str, verb: str = "create") -> "tuple[int, str]":
    """What the API server says of *manifest*, of which it keeps nothing."""
    done = cluster.try_kubectl(verb, "--dry-run=server", "--filename", "-", *words, given=json.dumps(manifest))
    return done.returncode, done.stdout + done.stderr


def _refusal(cluster: Cluster, manifest: Manifest, *words: str) -> str:
    """The words with which *manifest* is refused; empty where it is let in."""
    code, said = _put(cluster, manifest, *words)
    return said if code else ""


def _in(namespace: str, manifest: Manifest) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


def test_our_own_pipelines_are_installed(cluster: Cluster, base: str, pipelines: list[Manifest]) -> None:
    """Pipeline, retraining, schedule and watch of every model; by CI, which may, and by nobody of the team."""
    for manifest in pipelines:
        given = _in(f"{base}-credit", manifest)
        assert _refusal(cluster, given, "--as=ci") == "", manifest["metadata"]["name"]
        assert "forbidden" in _refusal(cluster, given, "--as=ada", "--as-group=credit-people")


@pytest.mark.parametrize("bad", team_manifests.TEMPLATES, ids=lambda bad: bad.name)
def test_templates_that_are_refused(cluster: Cluster, base: str, pipelines: list[Manifest], bad: Bad) -> None:
    """Whoever installs them."""
    said = _refusal(cluster, _in(f"{base}-credit", bad.of(pipelines[0])), "--as=ci")
    assert bad.said in said
    assert f"ValidatingAdmissionPolicy '{base}-pipelines'" in said


def test_a_team_submits_what_is_installed(cluster: Cluster, base: str) -> None:
    """In its own namespace, and nowhere else."""
    assert _refusal(cluster, team_manifests.run_of("churn", f"{base}-credit"), *ADA) == ""
    assert "forbidden" in _refusal(cluster, team_manifests.run_of("churn", f"{base}-growth"), *ADA)
    assert "forbidden" in _refusal(cluster, team_manifests.run_of("churn", base), *ADA)


@pytest.mark.parametrize("bad", team_manifests.RUNS, ids=lambda bad: bad.name)
def test_runs_that_are_refused(cluster: Cluster, base: str, bad: Bad) -> None:
    """Although RBAC lets the team make runs."""
    given = bad.of(team_manifests.run_of("churn", f"{base}-credit"))
    assert bad.said in _refusal(cluster, given, "--as=ada", "--as-group=credit-people")


def test_whoever_installs_says_where_a_run_comes_from(cluster: Cluster, base: str) -> None:
    """The controller hands on what a CronWorkflow says; it may change those, and a team may not."""
    (bad,) = (one for one in team_manifests.RUNS if one.name == "provenance")
    assert _refusal(cluster, bad.of(team_manifests.run_of("churn", f"{base}-credit"))) == ""


@pytest.mark.parametrize("bad", team_manifests.PODS, ids=lambda bad: bad.name)
def test_pods_that_are_refused(cluster: Cluster, base: str, bad: Bad) -> None:
    """Whatever made them, an administrator too; restricted by Pod Security besides."""
    said = _refusal(cluster, _in(f"{base}-credit", bad.of(_restricted(team_manifests.step_pod()))))
    assert bad.said in said or "violates PodSecurity" in said


def test_the_pod_of_a_step_is_let_in(cluster: Cluster, base: str) -> None:
    """In a namespace that is restricted, has a quota and gives limits to what says none."""
    assert _refusal(cluster, _in(f"{base}-credit", _restricted(team_manifests.step_pod()))) == ""


def _restricted(pod: Manifest) -> Manifest:
    """*pod* with what Argo and our templates say of security."""
    context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    spec = pod["spec"]
    for one in (*spec["containers"], *spec["initContainers"]):
        one["securityContext"] = context
    spec["securityContext"] = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    return pod


def _served(namespace: str) -> Manifest:
    """The InferenceService that the chart makes of churn."""
    over = {"networkPolicy": {"enabled": False}}
    (found,) = (one for one in inference_chart.render(over) if one["kind"] == "InferenceService")
    return _in(namespace, found)


@pytest.mark.needs("kserve")
def test_what_the_chart_serves_is_let_in(cluster: Cluster, base: str) -> None:
    """Where models are served."""
    assert _refusal(cluster, _served(f"{base}-staging")) == ""


@pytest.mark.needs("kserve")
@pytest.mark.parametrize("bad", team_manifests.MODELS, ids=lambda bad: bad.name)
def test_models_that_are_refused(cluster: Cluster, base: str, bad: Bad) -> None:
    """Whoever brings them there: Argo CD shows the words as its error."""
    assert bad.said in _refusal(cluster, bad.of(_served(f"{base}-staging")))


@pytest.mark.needs("kserve")
def test_a_model_by_other_means_is_refused(cluster: Cluster, base: str) -> None:
    """KServe would serve it without a question."""
    said = _refusal(cluster, _in(f"{base}-staging", team_manifests.SOMEBODY_S))
    assert "nothing is served here that was not signed" in said


def test_a_run_has_its_pods(cluster: Cluster, base: str) -> None:
    """Under quota, limits, Pod Security and policies the controller makes the pods of a step without keys and of one with keys.

    The latter ends badly, for want of a model; that it ran is what counts.
    """
    namespace = f"{base}-credit"
    template = _two_steps(namespace)
    assert cluster.try_kubectl("create", "--filename", "-", "--as=ci", given=json.dumps(template)).returncode == 0
    done = cluster.try_kubectl(
        "create", "--filename", "-", "--output=name", *ADA, given=json.dumps(team_manifests.run_of("two", namespace))
    )
    assert done.returncode == 0, done.stderr
    run = done.stdout.strip().rpartition("/")[2]

    def ended() -> dict[str, Any]:
        nodes = cluster.get("workflow", run, namespace).get("status", {}).get("nodes", {})
        pods = {one["templateName"]: one for one in nodes.values() if one["type"] == "Pod"}
        over = all(one["phase"] in ("Succeeded", "Failed", "Error") for one in pods.values())
        return pods if over and len(pods) == 2 else {}

    pods = cluster.wait("both steps to end", ended, seconds=200, namespace=namespace)
    assert pods["plain"]["phase"] == "Succeeded", pods["plain"]["message"]
    assert (pods["sign"]["phase"], "exit code" in pods["sign"]["message"]) == ("Failed", True), pods


def _two_steps(namespace: str) -> Manifest:
    """A pipeline of a step of the team's own and the step `sign`, as they would be compiled."""
    model = next(iter(team_manifests.ROOT.glob("workflows/churn/pipeline.yaml")))
    manifest: Manifest = yaml.safe_load(model.read_text(encoding="utf-8"))
    (sign,) = (one for one in manifest["spec"]["templates"] if one["name"] == "sign")
    sign["container"] |= {"image": pinned.image("promote"), "imagePullPolicy": "IfNotPresent", "resources": {}}
    sign["inputs"], sign["outputs"] = {}, {}
    sign["container"]["env"] = [one for one in sign["container"]["env"] if "{{" not in one["value"]]
    plain = {
        "name": "plain",
        "container": {**sign["container"], "command": ["python", "-c", "print('plain')"], "envFrom": []},
    }
    (turns,) = (one["synchronization"] for one in manifest["spec"]["templates"] if one["name"] == "main")
    main = {
        "name": "main",
        "synchronization": turns,
        "dag": {"tasks": [{"name": name, "template": name} for name in ("plain", "sign")]},
    }
    kept = {
        key: manifest["spec"][key]
        for key in ("automountServiceAccountToken", "executor", "securityContext", "serviceAccountName", "volumes")
    }
    arguments = {"parameters": [{"name": "data", "value": ""}]}
    spec = {**kept, "entrypoint": "main", "arguments": arguments, "templates": [main, sign, plain]}
    return {**manifest, "metadata": {"name": "two", "namespace": namespace}, "spec": spec}


def test_doctor_knows_a_team(cluster: Cluster, base: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By what the cluster says: the quota and how much of it is used, the policies that hold, the controller's restriction."""

    def found(namespace: str) -> dict[str, dict[str, str]]:
        capsys.readouterr()
        main.run(["doctor", "--json", "--namespace", namespace])
        return {one["name"]: one for one in map(json.loads, capsys.readouterr().out.splitlines())}

    team = found(f"{base}-growth")
    assert (team["quota"]["state"], team["admission policies"]["said"]) == ("ok", f"3 hold in {base}-growth")
    assert "template referencing" in team
    assert "quota" not in found(base)
    full = '{"spec":{"hard":{"count/configmaps":"2"}}}'
    cluster.kubectl(
        "patch", "resourcequota", "argosy", "--namespace", f"{base}-growth", "--type=merge", f"--patch={full}"
    )
    cluster.wait("the quota to be counted", lambda: found(f"{base}-growth")["quota"]["state"] == "wrong", seconds=60)
    assert "count/configmaps" in found(f"{base}-growth")["quota"]["said"]


def test_other_namespaces_are_left_alone(
    cluster: Cluster, base: str, pipelines: list[Manifest], tmp_path: Path
) -> None:
    """The policies of teams are nobody else's."""
    (bad,) = (one for one in team_manifests.TEMPLATES if one.name == "tag")
    assert _refusal(cluster, _in(base, bad.of(pipelines[0]))) == ""
