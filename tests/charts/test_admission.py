"""The admission policies of charts/platform: what our own pipelines are made of passes, each way round a rule is refused with what to do.

Evaluated here without a cluster; `tests/e2e/test_teams.py` has an API server do it.
"""

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

from argosy import steps
from argosy.domain import executor_names
from argosy.domain.compute_settings import SPARK_STEPS
from kit import admission, inference_chart, quick_yaml, team_manifests
from kit.platform_chart import CHART, Objects, named, render, template
from kit.team_manifests import Bad, Manifest

ADMISSION = {"registries": [team_manifests.REGISTRY]}


@pytest.fixture(scope="module")
def objects() -> Objects:
    """What the chart makes for two teams."""
    return render({"teams": [{"name": "credit"}, {"name": "growth"}], "admission": ADMISSION})


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """What the project's models compile to."""
    return team_manifests.compiled(tmp_path_factory.mktemp("project"))


def policy(objects: Objects, name: str) -> dict[str, Any]:
    """The policy *name* of the release."""
    return named(objects, "ValidatingAdmissionPolicy", f"ml-{name}")


def test_they_hold_where_teams_are_and_nowhere_else(objects: Objects) -> None:
    """By the names of namespaces, which nobody but their owner chooses; an error of a policy lets nothing pass."""
    bindings = [one for one in objects if one["kind"] == "ValidatingAdmissionPolicyBinding"]
    policies = [one for one in objects if one["kind"] == "ValidatingAdmissionPolicy"]
    assert {one["spec"]["policyName"] for one in bindings} == {one["metadata"]["name"] for one in policies}
    assert {one["spec"]["failurePolicy"] for one in policies} == {"Fail"}
    assert {tuple(one["spec"]["validationActions"]) for one in bindings} == {("Deny",)}
    held = named(objects, "ValidatingAdmissionPolicyBinding", "ml-pipelines")["spec"]["matchResources"]
    assert held["namespaceSelector"]["matchExpressions"] == [
        {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["team-credit", "team-growth"]}
    ]
    assert not [one for one in render() if one["kind"].startswith("ValidatingAdmission")]


def test_policies_know_the_variables_of_steps_with_keys() -> None:
    """Of every committed pipeline; read as text, so that it holds where there is no Helm to render them with."""
    written = (CHART / "templates" / "_admission.tpl").read_text(encoding="utf-8")
    (known,) = re.findall(r'define "admission.variables" -}}\n(.+)\n', written)
    unknown = {
        (template["name"], variable["name"])
        for manifest in team_manifests.committed()
        for template in manifest["spec"]["templates"]
        if template.get("serviceAccountName", "argosy-step") != "argosy-step"
        for variable in template.get("container", {}).get("env", [])
        if not re.fullmatch(known, variable["name"])
    }
    assert unknown == set()


def test_our_own_pipelines_pass(objects: Objects, pipelines: list[Manifest]) -> None:
    """Pipeline, retraining, schedule and watch of every model, as they are compiled."""
    assert len(pipelines) >= 8
    refused = {
        f"{one['kind']} {one['metadata']['name']}": admission.refusals(policy(objects, "pipelines"), one)
        for one in pipelines
    }
    assert {name: said for name, said in refused.items() if said} == {}


@pytest.mark.parametrize("bad", team_manifests.TEMPLATES, ids=lambda bad: bad.name)
def test_templates_that_are_refused(objects: Objects, pipelines: list[Manifest], bad: Bad) -> None:
    """Each in a line that names the place and says what to do."""
    said = admission.refusals(policy(objects, "pipelines"), bad.of(pipelines[0]))
    assert any(bad.said in one for one in said), said


def test_a_cron_workflow_is_looked_into(objects: Objects, pipelines: list[Manifest]) -> None:
    """One that carries templates of its own is held to the same."""
    (cron,) = (
        one for one in pipelines if one["metadata"]["name"] == "churn-watch-drift" and one["kind"] == "CronWorkflow"
    )
    bad = {**cron, "spec": {**cron["spec"], "workflowSpec": {**cron["spec"]["workflowSpec"], "podSpecPatch": "{}"}}}
    assert admission.refusals(policy(objects, "pipelines"), bad)[0].startswith("spec.podSpecPatch")


@pytest.mark.parametrize("template", ["churn", "churn-retrain"])
def test_runs_of_installed_templates_pass(objects: Objects, template: str) -> None:
    """As `argo submit --from`, `argosy submit`, a sensor and a CronWorkflow make them; stopped and suspended later."""
    run = team_manifests.run_of(template)
    assert admission.refusals(policy(objects, "runs"), run) == []
    stopped = {**run, "spec": {**run["spec"], "shutdown": "Stop", "suspend": True}}
    assert admission.refusals(policy(objects, "runs"), stopped, before=run) == []


@pytest.mark.parametrize("bad", team_manifests.RUNS, ids=lambda bad: bad.name)
def test_runs_that_are_refused(objects: Objects, bad: Bad) -> None:
    """When they are made, and when one that was let in is changed."""
    good = team_manifests.run_of("churn")
    for before in (None, good):
        said = admission.refusals(policy(objects, "runs"), bad.of(good), before=before)
        assert any(bad.said in one for one in said), said


def test_what_the_controller_writes_is_not_looked_at(objects: Objects) -> None:
    """A run of before there were policies ends as it would have."""
    old = team_manifests.RUNS[0].of(team_manifests.run_of("churn"))
    assert admission.refusals(policy(objects, "runs"), {**old, "status": {"phase": "Running"}}, before=old) == []


def test_whoever_installs_says_where_a_run_comes_from(objects: Objects) -> None:
    """A CronWorkflow's own stamp is its publisher's, and the controller hands it on."""
    (bad,) = (one for one in team_manifests.RUNS if one.name == "provenance")
    assert admission.refusals(policy(objects, "runs"), bad.of(team_manifests.run_of("churn")), publisher=True) == []


def test_the_pod_of_a_step_passes(objects: Objects) -> None:
    """With Argo's own containers, whose image is the controller's."""
    assert admission.refusals(policy(objects, "pods"), team_manifests.step_pod()) == []


def test_what_opens_an_artifact_repository_is_in_every_pod() -> None:
    """The namespace's own, a team's, or the controller's; not of steps, which never name it."""
    values = {
        "teams": [{"name": "credit", "artifacts": {"secret": "credit-artifacts"}}],
        "admission": {**ADMISSION, "artifactSecrets": ["of-the-controller"]},
    }
    made = policy(render(values), "pods")
    for name in ("argosy-artifacts", "credit-artifacts", "of-the-controller"):
        pod = team_manifests.step_pod()
        pod["spec"]["volumes"].append({"name": "a", "secret": {"secretName": name}})
        assert admission.refusals(made, pod) == []


@pytest.mark.parametrize("bad", team_manifests.PODS, ids=lambda bad: bad.name)
def test_pods_that_are_refused(objects: Objects, bad: Bad) -> None:
    """Whatever made them."""
    said = admission.refusals(policy(objects, "pods"), bad.of(team_manifests.step_pod()))
    assert any(bad.said in one for one in said), said


SERVED = {
    "kserve": {},
    "blue-green": {"strategy": "blueGreen"},
    "plain": {"mode": "plain", "storage": {"uri": "s3://models"}},
    "rolling": {"mode": "plain", "strategy": "rolling", "storage": {"uri": "s3://models"}},
}


def served(over: dict[str, Any]) -> Manifest:
    """The object of the chart inference that has the pods."""
    kinds = ("InferenceService", "Rollout", "Deployment")
    made = [one for one in inference_chart.render(over) if one["kind"] in kinds]
    (found,) = (one for one in made if one["kind"] == "InferenceService" or "template" in one["spec"])
    return found


@pytest.mark.parametrize("over", SERVED.values(), ids=SERVED)
def test_what_the_chart_serves_passes(objects: Objects, over: dict[str, Any]) -> None:
    """In each of its forms."""
    assert admission.refusals(policy(objects, "models"), served(over)) == []


@pytest.mark.parametrize("form", ["kserve", "rolling"])
@pytest.mark.parametrize("bad", team_manifests.MODELS, ids=lambda bad: bad.name)
def test_models_that_are_refused(objects: Objects, form: str, bad: Bad) -> None:
    """The server verifies anyway; here the message reaches whoever applies it."""
    said = admission.refusals(policy(objects, "models"), bad.of(served(SERVED[form])))
    assert any(bad.said in one for one in said), said


def test_a_model_by_other_means_is_refused(objects: Objects) -> None:
    """KServe would serve it without a question."""
    said = admission.refusals(policy(objects, "models"), team_manifests.SOMEBODY_S)
    assert any("nothing is served here that was not signed" in one for one in said), said


def test_unsigned_where_that_is_allowed() -> None:
    """Staging, if the values say so; production cannot be named."""
    tries = {**ADMISSION, "unsigned": ["staging"]}
    made = policy(render({"teams": [{"name": "credit"}], "admission": tries}), "models")
    bare = served({"unsigned": True})
    assert admission.refusals(made, bare, namespace="argosy-staging") == []
    assert admission.refusals(made, bare, namespace="argosy-production") != []
    done = template({"admission": {"unsigned": ["production"]}})
    assert "must be" in done.stderr


def test_keys_of_this_cluster() -> None:
    """A signature counts by the keys that the cluster knows; a file may hold two of them while one is changed, and words about each."""
    old, new, other = (
        f"-----BEGIN PUBLIC KEY-----\n{name}+/=\n{name}\n-----END PUBLIC KEY-----\n" for name in ("old", "new", "x")
    )
    keys = {**ADMISSION, "verifyingKeys": [f"# expires 2027-01-01\n{old}", new]}
    made = policy(render({"teams": [{"name": "credit"}], "admission": keys}), "models")
    for good in (old, new, f"# expires 2027-01-01\n{old}{new}", new.replace("\n", "\r\n")):
        assert admission.refusals(made, served({"verifyingKey": good})) == []
    for bad in (other, f"{old}{other}"):
        (said,) = admission.refusals(made, served({"verifyingKey": bad}))
        assert said.startswith("argosy.dev/verifying-key: one of its keys is not this cluster's")


def test_controllers_are_let_work(objects: Objects) -> None:
    """A Rollout over KServe's Deployment, and whatever is only scaled or written to by a controller."""
    (rollout,) = (one for one in inference_chart.render() if one["kind"] == "Rollout")
    assert admission.refusals(policy(objects, "models"), rollout) == []
    old = team_manifests.MODELS[2].of(served({}))
    assert admission.refusals(policy(objects, "models"), {**old, "status": {}}, before=old) == []


def test_accounts_secrets_and_modules_are_those_of_the_steps() -> None:
    """The chart's table is what the steps' specs say, so that a step that is added is not refused and one that goes is."""
    wanted: dict[str, dict[str, list[str]]] = {}
    for found in pkgutil.iter_modules(steps.__path__):
        if not found.ispkg or found.name == "converge":  # the platform's own job
            continue
        spec = importlib.import_module(f"argosy.steps.{found.name}.spec").SPEC
        row = wanted.setdefault(f"argosy-{spec.keys[0] if spec.keys else 'step'}", {"secrets": [], "modules": []})
        row["secrets"] = sorted({*row["secrets"], *(f"argosy-{key}" for key in spec.keys)})
        row["modules"] = sorted({*row["modules"], spec.module})
    # Settings of a model let some of them ask Spark: as another account, but for those that have one.
    for step in SPARK_STEPS:
        spec = importlib.import_module(f"argosy.steps.{step.replace('-', '_')}.spec").SPEC
        row = wanted.setdefault(f"argosy-{(*spec.keys, 'spark')[0]}", {"secrets": [], "modules": []})
        account = f"argosy-{(*spec.keys, 'spark')[0]}"
        row["secrets"] = sorted({*row["secrets"], "argosy-spark", executor_names.token_secret(account)})
        row["modules"] = sorted({*row["modules"], spec.module})
    assert quick_yaml.load((Path(CHART) / "files" / "steps.yaml").read_text(encoding="utf-8")) == wanted
