"""What Argo CD and Argo Rollouts tell people by themselves: the ConfigMaps that the charts make, run by the engines' own programs."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from kit import inference_chart, quick_yaml
from kit.platform_chart import CHART, ROOT, named, render

CREATED = {"argocd": {"create": True}, "rollouts": {"create": True}, "services": {"slack": "token: $slack-token"}}
ENGINES = {
    "argocd": ("argocd-notifications-cm", "argocd", ["argocd", "admin", "notifications"]),
    "rollouts": ("argo-rollouts-notification-configmap", "argo-rollouts", ["kubectl-argo-rollouts", "notifications"]),
}
EVENTS = ["canary-aborted", "rollout-degraded", "rollout-completed"]


def data(which: str) -> dict[str, str]:
    """What the chart tells one of them."""
    found: dict[str, str] = quick_yaml.load(
        (CHART / "files" / "notifications" / f"{which}.yaml").read_text(encoding="utf-8")
    )
    return found


def test_neither_is_made_unasked() -> None:
    """Both come with a ConfigMap of their own as a rule, which is laid over and not replaced."""
    names = {one["metadata"]["name"] for one in render()}
    assert not names & {name for name, _, _ in ENGINES.values()}


@pytest.mark.parametrize("which", ENGINES)
def test_made_from_values(which: str) -> None:
    """In its owner's namespace, with the services that the values name, and no token."""
    name, namespace, _ = ENGINES[which]
    made = named(render({"notifications": CREATED}), "ConfigMap", name, namespace)["data"]
    assert made == {**data(which), "service.slack": "token: $slack-token"}


@pytest.mark.parametrize("which", ENGINES)
def test_what_is_laid_over_is_the_same(which: str) -> None:
    """The file of the environment repo, for who has such a ConfigMap already."""
    name, namespace, _ = ENGINES[which]
    laid = quick_yaml.load((ROOT / "gitops-env" / "clusters" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert laid["metadata"] == {"name": name, "namespace": namespace}
    assert laid["data"] == data(which)


@pytest.mark.parametrize("which", ENGINES)
def test_every_trigger_sends_what_is_there_once(which: str) -> None:
    """One template each, once for what it is about; names and states only."""
    told = data(which)
    triggers = {key.removeprefix("trigger."): quick_yaml.load(text) for key, text in told.items() if "trigger." in key}
    assert len(triggers) * 2 == len(told)
    for name, conditions in triggers.items():
        assert [set(condition) for condition in conditions] == [{"when", "oncePer", "send"}]
        assert conditions[0]["send"] == [name]
        message = quick_yaml.load(told[f"template.{name}"])["message"]
        assert "message" not in message
        assert "conditions" not in message


def rollout(**status: Any) -> dict[str, Any]:
    """A Rollout of a model."""
    metadata = {"name": "churn", "namespace": "argosy-production"}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "status": status}


def application(health: str = "Healthy", sync: str = "Synced", **operation: Any) -> dict[str, Any]:
    """An Application of a model."""
    operated = {"phase": "Succeeded", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:10Z"}
    metadata = {"name": "churn-production", "namespace": "argocd"}
    state = {"health": {"status": health}, "sync": {"status": sync}, "operationState": {**operated, **operation}}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "status": state}


BEFORE = {"currentPodHash": "b", "stableRS": "a"}
CASES = [
    pytest.param("rollouts", rollout(phase="Degraded", abort=True, **BEFORE), {"canary-aborted"}, id="given-up"),
    pytest.param("rollouts", rollout(phase="Degraded", **BEFORE), {"rollout-degraded"}, id="degraded"),
    pytest.param("rollouts", rollout(phase="Progressing", **BEFORE), set(), id="under-way"),
    pytest.param("rollouts", rollout(phase="Paused", **BEFORE), set(), id="tried"),
    pytest.param(
        "rollouts", rollout(phase="Healthy", currentPodHash="b", stableRS="b"), {"rollout-completed"}, id="through"
    ),
    pytest.param("rollouts", rollout(), set(), id="brand-new"),
    pytest.param("argocd", application(), {"synced"}, id="synced"),
    pytest.param("argocd", application(health="Degraded"), {"degraded"}, id="app-degraded"),
    pytest.param("argocd", application(health="Progressing", phase="Failed"), {"sync-failed"}, id="sync-failed"),
    pytest.param("argocd", application(health="Missing", sync="OutOfSync"), {"out-of-sync"}, id="out-of-sync"),
    pytest.param(
        "argocd",
        application(health="Missing", sync="OutOfSync", finishedAt="2999-01-01T00:00:00Z"),
        set(),
        id="just-merged",
    ),
]


@pytest.mark.parametrize(("which", "about", "tells"), CASES)
def test_the_engine_itself_tells(tmp_path: Path, which: str, about: dict[str, Any], tells: set[str]) -> None:
    """Every trigger and template is taken by the program that runs them; those that are meant hold, and say whom they are about."""
    name, namespace, words = ENGINES[which]
    if (program := shutil.which(words[0])) is None:
        pytest.skip(f"{words[0]} is not installed")
    described = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}
    (tmp_path / "map.yaml").write_text(yaml.safe_dump({**described, "data": data(which)}), encoding="utf-8")
    (tmp_path / "about.json").write_text(json.dumps(about), encoding="utf-8")
    nowhere = {"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}]}
    here = {"contexts": [{"name": "h", "context": {"cluster": "c"}}], "current-context": "h"}
    config = {"apiVersion": "v1", "kind": "Config", **nowhere, **here}
    (tmp_path / "kubeconfig").write_text(json.dumps(config), encoding="utf-8")

    def run(*more: str) -> str:
        known = ["--config-map", "map.yaml", "--secret", ":empty"]
        done = subprocess.run(
            [program, *words[1:], *more, *known], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
            env={**os.environ, "KUBECONFIG": str(tmp_path / "kubeconfig")},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    triggers = [key.removeprefix("trigger.") for key in data(which) if key.startswith("trigger.")]
    held = {each for each in triggers if run("trigger", "run", each, "about.json").split()[-1] == "true"}
    assert held == {f"argosy-{event}" for event in tells}
    for each in held:
        said = run("template", "notify", each, "about.json", "--recipient", "console:")
        assert about["metadata"]["name"] in said
        assert "<no value>" not in said


def annotations(subscribed: list[dict[str, Any]]) -> dict[str, str]:
    """Of the Rollout, for those who subscribed."""
    made = inference_chart.render({"notifications": subscribed})
    (found,) = (one["metadata"].get("annotations", {}) for one in made if one["kind"] == "Rollout")
    prefix = "notifications.argoproj.io/subscribe."
    return {key.removeprefix(prefix): value for key, value in found.items() if key.startswith(prefix)}


def test_who_hears_of_a_rollout() -> None:
    """By service and recipients, of everything where nobody said of what, by the triggers that there are."""
    assert annotations([]) == {}
    found = annotations(
        [
            {"service": "slack", "to": ["team-growth", "on-call"], "events": ["canary-aborted"]},
            {"service": "argosy-hook"},
        ]
    )
    every = {f"argosy-{event}.argosy-hook": "" for event in EVENTS}
    assert found == {"argosy-canary-aborted.slack": "team-growth;on-call", **every}
    assert {key.partition(".")[0] for key in found} <= {key.removeprefix("trigger.") for key in data("rollouts")}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"service": "slack", "to": ["a;b"]}, id="two-in-one"),
        pytest.param({"service": "slack", "events": ["synced"]}, id="of-no-such-event"),
        pytest.param({"to": ["team"]}, id="by-nothing"),
    ],
)
def test_a_subscription_that_is_none(wrong: dict[str, Any]) -> None:
    """It is refused by its name."""
    assert "notifications" in inference_chart.refusal({"notifications": [wrong]})
