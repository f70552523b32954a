"""Each rule of the linter finds what it is for, by path, and nothing in a manifest that is right."""

import copy
from typing import Any

import pytest

from argosy.templates import lint

GOOD: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"name": "good"},
    "spec": {
        "entrypoint": "main",
        "automountServiceAccountToken": False,
        "executor": {"serviceAccountName": "argo"},
        "templates": [
            {
                "name": "main",
                "inputs": {"parameters": [{"name": "word"}]},
                "container": {
                    "image": "tool@sha256:" + "0" * 64,
                    "command": ["tool"],
                    "env": [{"name": "WORD", "value": "{{inputs.parameters.word}}"}],
                },
            }
        ],
    },
}


def _with(path: list[str | int], value: object) -> dict[str, Any]:
    manifest = copy.deepcopy(GOOD)
    node: Any = manifest
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    return manifest


def test_a_good_manifest_has_no_problem() -> None:
    """Values in `env` are how it should be."""
    assert lint.problems(GOOD, production=True) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(["inputs", "parameters", 0, "value"], 6, id="value"),
        pytest.param(["inputs", "parameters", 0, "default"], 0.00001, id="default"),
        pytest.param(["inputs", "parameters", 0, "enum"], [3, True, "x"], id="enum"),
        pytest.param(["outputs"], {"parameters": [{"name": "a", "valueFrom": {"default": 1}}]}, id="default-of-output"),
        pytest.param(["container", "resources"], {"limits": {"memory": 1e9, "cpu": 1}}, id="quantities"),
        pytest.param(["container", "command"], ["echo"], id="program-that-prints"),
    ],
)
def test_what_argo_takes(path: list[str | int], value: object) -> None:
    """Argo reads numbers and booleans where it keeps a text, and a program that only prints runs no code that it is given."""
    manifest = _with(["spec", "templates", 0, *path], value)
    if path[-1] == "command":
        manifest["spec"]["templates"][0]["container"]["args"] = ["{{inputs.parameters.word}}"]
    assert lint.problems(manifest) == []


def _set(**second: Any) -> dict[str, Any]:
    """A template of two containers."""
    one = {"image": "tool@sha256:aa", "command": ["x"]}
    return {"name": "main", "containerSet": {"containers": [{**one, "name": "a"}, {**one, **second, "name": "b"}]}}


CONTAINER: list[str | int] = ["spec", "templates", 0, "container"]


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        pytest.param(
            _with([*CONTAINER, "args"], ["echo {{inputs.parameters.word}}"]),
            "container.args: a value is pasted",
            id="args",
        ),
        pytest.param(_with([*CONTAINER, "command"], ["{{=1}}"]), "container.command: a value is pasted", id="command"),
        pytest.param(
            _with([*CONTAINER, "env"], [{"name": "A", "value": "{{=1 + 1}}"}]),
            "env[0]: an expression",
            id="expression-in-env",
        ),
        pytest.param(
            _with([*CONTAINER, "securityContext"], {"privileged": True}),
            "securityContext.privileged: must not",
            id="privileged",
        ),
        pytest.param(_with(["spec", "podSpecPatch"], "{}"), "spec.podSpecPatch: lets a step out", id="pod-spec-patch"),
        pytest.param(
            _with(["spec", "templates", 0, "podSpecPatch"], "{}"),
            "(main).podSpecPatch: passes every",
            id="template-pod-spec-patch",
        ),
        pytest.param(_with(["spec", "hostNetwork"], True), "spec.hostNetwork: lets a step out", id="host-network"),
        pytest.param(
            _with(["spec", "volumes"], [{"name": "v", "hostPath": {"path": "/"}}]),
            "spec.volumes[0].hostPath: a step",
            id="host-path",
        ),
        pytest.param(
            _with(["spec", "templates", 0, "volumes"], [{"name": "v", "hostPath": {"path": "/"}}]),
            "(main).volumes[0].hostPath: a step",
            id="host-path-of-a-template",
        ),
        pytest.param(
            _with(["spec", "templates", 0], _set(args=["{{inputs.parameters.word}}"])),
            "(main).containerSet.containers[1].args: a value is pasted",
            id="one-container-of-several",
        ),
        pytest.param(
            _with(["spec", "templates", 0], _set(securityContext={"privileged": True})),
            "containers[1].securityContext.privileged: must not",
            id="a-privilege-of-one-of-several",
        ),
        pytest.param(
            _with(["spec", "automountServiceAccountToken"], True),
            "spec.automountServiceAccountToken: set it to false",
            id="token",
        ),
        pytest.param(_with(["spec", "entrypoint"], ["main"]), "spec.entrypoint: ", id="wrong-type"),
        pytest.param(_with([*CONTAINER, "env"], [{"name": "A", "value": 1}]), "env.0.value: ", id="number-in-env"),
        pytest.param(_with(["kind"], "Pod"), "kind: 'Pod' is no workflow", id="not-a-workflow"),
        pytest.param({"model": "upsell"}, "kind: is missing, so this is no manifest", id="settings-of-a-model"),
    ],
)
def test_a_rule_names_the_field(manifest: dict[str, Any], problem: str) -> None:
    """One problem, led by the path of the field."""
    found = lint.problems(manifest)
    assert len(found) == 1, found
    assert problem in found[0]


def test_a_tag_is_refused_for_production_only() -> None:
    """While developing, `:dev` is what there is."""
    manifest = _with([*CONTAINER, "image"], "tool:dev")
    assert lint.problems(manifest) == []
    assert "'tool:dev' is a tag" in lint.problems(manifest, production=True)[0]
