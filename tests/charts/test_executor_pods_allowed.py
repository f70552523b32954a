"""Executors of Spark by charts/platform: where values ask for them, what a driver may make, and that it is nothing else."""

from typing import Any

import pytest

from argosy.adapters.spark import executor_pods
from argosy.domain import executor_names
from kit import admission, team_manifests
from kit.platform_chart import Objects, named, render
from kit.team_manifests import Manifest

ASKED = {
    "teams": [{"name": "credit"}],
    "spark": {"executors": True},
    "admission": {"registries": [team_manifests.REGISTRY]},
}
IMAGE = f"{team_manifests.REGISTRY}spark@sha256:{'b' * 64}"
TEAM = "team-credit"


@pytest.fixture(scope="module")
def objects() -> Objects:
    """What the chart makes for one team that has executors."""
    return render(ASKED)


def executor(secrets: list[str]) -> Manifest:
    """The pod that Spark makes for a step with *secrets*, in what matters here."""
    pods = executor_pods.ExecutorPods(TEAM, "churn-train", IMAGE, "t", "ca", secrets, 2)
    made = pods.sample()
    made["spec"]["volumes"].append({"name": "spark-local-dir-1", "emptyDir": {}})
    return {"apiVersion": "v1", "kind": "Pod", **made}


def refused(objects: Objects, pod: Manifest, account: str = "argosy-spark") -> list[str]:
    """What both policies of pods say to the driver that runs as *account*."""
    user = f"system:serviceaccount:{TEAM}:{account}"
    policies = [named(objects, "ValidatingAdmissionPolicy", f"ml-{name}") for name in ("executors", "pods")]
    return [said for policy in policies for said in admission.refusals(policy, pod, namespace=TEAM, user=user)]


def test_nothing_of_it_unless_asked() -> None:
    """No right to make pods, no token."""
    made = {(one["kind"], one["metadata"]["name"]) for one in render({"teams": [{"name": "credit"}]})}
    assert not [each for each in made if "executors" in each[1] or each == ("Role", "argosy-spark")]
    assert not [each for each in made if each[1].startswith("argosy-spark") and each[0] == "Secret"]


@pytest.mark.parametrize("namespace", [None, TEAM])
def test_who_may_make_pods(objects: Objects, namespace: str | None) -> None:
    """The two accounts that ask Spark, in their own namespace, pods alone; executors have an account with no right."""
    role = named(objects, "Role", "argosy-spark", namespace)
    assert [(rule["apiGroups"], rule["resources"]) for rule in role["rules"]] == [([""], ["pods"])]
    assert "patch" not in role["rules"][0]["verbs"]
    subjects = named(objects, "RoleBinding", "argosy-spark", namespace)["subjects"]
    assert {each["name"] for each in subjects} == {"argosy-scores", "argosy-spark"}
    assert {each["namespace"] for each in subjects} == {namespace or "ml"}
    for each in subjects:
        token = named(objects, "Secret", executor_names.token_secret(each["name"]), namespace)
        assert token["metadata"]["annotations"] == {"kubernetes.io/service-account.name": each["name"]}
    bound = [subject["name"] for one in objects if one["kind"] == "RoleBinding" for subject in one["subjects"]]
    assert executor_names.ACCOUNT not in bound


def test_who_speaks_to_whom(objects: Objects) -> None:
    """Pods with the label of drivers and executors, and nobody else; where what leaves is held, that too."""
    for namespace, kinds in ((None, ["Ingress"]), (TEAM, ["Ingress", "Egress"])):
        spec = named(objects, "NetworkPolicy", "argosy-spark", namespace)["spec"]
        assert spec["policyTypes"] == kinds
        held = spec["podSelector"]["matchExpressions"]
        assert held == [{"key": executor_names.LABEL, "operator": "In", "values": ["driver", "executor"]}]
        assert spec["ingress"] == [{"from": [{"podSelector": spec["podSelector"]}]}]


@pytest.mark.parametrize(
    ("account", "secrets"), [("argosy-spark", ["argosy-spark"]), ("argosy-scores", ["argosy-spark", "argosy-scores"])]
)
def test_executors_pass(objects: Objects, account: str, secrets: list[str]) -> None:
    """As Spark makes them of what it is told."""
    assert refused(objects, executor(secrets), account) == []


def _changed(path: str, value: Any) -> Manifest:
    pod = executor(["argosy-spark"])
    at, *more = [pod["spec"], *path.split(".")]
    for name in more[:-1]:
        at = at[int(name)] if name.isdigit() else at[name]
    at[more[-1]] = value
    return pod


BAD = {
    "account": ("serviceAccountName", "argosy-signing", "serviceAccountName argosy-signing: a step starts executors"),
    "token": ("automountServiceAccountToken", True, "an executor holds no token"),
    "program": ("containers.0.command", ["python", "-m", "argosy.steps.sign"], "an executor runs Spark's backend"),
    "secret": (
        "containers.0.envFrom",
        [{"secretRef": {"name": "argosy-signing"}}],
        "Secret argosy-signing: an executor",
    ),
    "other-step's": ("containers.0.envFrom", [{"secretRef": {"name": "argosy-scores"}}], "Secret argosy-scores"),
    "mounted": ("volumes", [{"name": "s", "secret": {"secretName": "argosy-forge"}}], "Secret argosy-forge"),
    "host": ("volumes", [{"name": "n", "hostPath": {"path": "/"}}], "volume n: an executor is not root"),
    "projected": ("volumes", [{"name": "t", "projected": {"sources": []}}], "volume t: an executor is not root"),
    "privileged": ("containers.0.securityContext", {"privileged": True}, "container executor: an executor is not root"),
    "image": ("containers.0.image", f"evil.example/x@sha256:{'b' * 64}", "images come from registry.example/argosy/"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_what_a_driver_may_not_make(objects: Objects, bad: tuple[str, Any, str]) -> None:
    """By the right to make pods nobody comes to another step's keys."""
    path, value, said = bad
    assert any(said in each for each in refused(objects, _changed(path, value)))


def test_what_a_driver_may_remove(objects: Objects) -> None:
    """Executors, and no step's pod; whoever else removes pods is not asked."""
    policy = named(objects, "ValidatingAdmissionPolicy", "ml-executors-removed")
    (rule,) = policy["spec"]["matchConstraints"]["resourceRules"]
    assert (rule["resources"], rule["operations"]) == (["pods"], ["DELETE"])
    binding = named(objects, "ValidatingAdmissionPolicyBinding", "ml-executors-removed")
    assert binding["spec"]["validationActions"] == ["Deny"]
    driver, other = f"system:serviceaccount:{TEAM}:argosy-spark", "system:serviceaccount:argo:argo"
    own = executor(["argosy-spark"])
    own["metadata"]["name"] = "churn-exec-1"
    step = {"metadata": {"name": "churn-sign"}, "spec": {"serviceAccountName": "argosy-signing"}}
    assert admission.refusals(policy, {}, before=own, namespace=TEAM, user=driver) == []
    (said,) = admission.refusals(policy, {}, before=step, namespace=TEAM, user=driver)
    assert said.startswith("pod churn-sign: a step that asks Spark removes executors")
    assert admission.refusals(policy, {}, before=step, namespace=TEAM, user=other) == []


def test_others_are_not_executors(objects: Objects) -> None:
    """Whoever else makes pods in a team's namespace may not use that account."""
    pods = named(objects, "ValidatingAdmissionPolicy", "ml-pods")
    (said,) = admission.refusals(pods, executor([]), namespace=TEAM, user="system:serviceaccount:argo:argo")
    assert said.startswith("serviceAccountName argosy-spark-executor: pods here are those of steps")


def test_a_manifest_of_a_step_that_asks_passes(objects: Objects, tmp_path_factory: pytest.TempPathFactory) -> None:
    """As it is compiled; with another image for executors than its own it is refused."""
    (pipeline,) = team_manifests.compiled(
        tmp_path_factory.mktemp("project"),
        models=("churn",),
        settings="compute: {engine: spark}\n",
        parts=("compiled",),
    )
    policy = named(objects, "ValidatingAdmissionPolicy", "ml-pipelines")
    assert admission.refusals(policy, pipeline) == []
    (train,) = (each for each in pipeline["spec"]["templates"] if each["name"] == "train")
    (image,) = (each for each in train["container"]["env"] if each["name"] == executor_names.IMAGE)
    image["value"] = f"{team_manifests.REGISTRY}other@sha256:{'c' * 64}"
    (said,) = admission.refusals(policy, pipeline)
    assert said.startswith("template train (argosy-spark): a variable or volume of its own")
