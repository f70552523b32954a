"""Steps that share a pod: what such a pod is in the manifest, and which steps cannot."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy import errors
from argosy.templates import compiler, folder, lint
from kit import quick_yaml

PREPARE = ["ingest", "validate", "build-features"]

Manifest = dict[str, Any]


def compiled(model: Path, **settings: Any) -> Manifest:
    """What *model* compiles to with *settings*."""
    path = model / folder.ARTIFACTS["settings"]
    written = quick_yaml.load(path.read_text(encoding="utf-8")) | settings
    path.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
    manifest: Manifest = quick_yaml.load(compiler.compile_folder(model))
    assert lint.problems(manifest) == []
    return manifest


def templates(manifest: Manifest) -> dict[str, Manifest]:
    """The templates of *manifest*, by name."""
    return {template["name"]: template for template in manifest["spec"]["templates"]}


def tasks(manifest: Manifest) -> dict[str, Manifest]:
    """The tasks of the pipeline, by name."""
    return {task["name"]: task for task in templates(manifest)["main"]["dag"]["tasks"]}


def test_one_task_stands_in_place_of_the_steps(model: Path) -> None:
    """Whoever took something of one of them takes it of the pod; whatever any of them took, the pod takes once."""
    manifest = compiled(model, fuse={"prepare": PREPARE})
    found = tasks(manifest)
    assert not set(PREPARE) & (set(found) | set(templates(manifest)))
    assert found["prepare"]["depends"] == "champion"
    assert found["tune"]["depends"] == "compare-data && prepare"
    taken = {argument["name"]: argument.get("from") for argument in found["evaluate"]["arguments"]["artifacts"]}
    assert taken["snapshot"] == "{{tasks.prepare.outputs.artifacts.snapshot}}"
    inputs = templates(manifest)["prepare"]["inputs"]
    assert [artifact["name"] for artifact in inputs["artifacts"]] == ["settings", "expectations", "definitions"]
    assert [parameter["name"] for parameter in inputs["parameters"]] == ["data", "as-of"]


def test_a_container_for_each_step_one_after_the_other(model: Path) -> None:
    """Each in its own image, waiting for all before it in their order: whichever fails is the one that is named."""
    containers = templates(compiled(model, fuse={"prepare": PREPARE}))["prepare"]["containerSet"]["containers"]
    assert [container["name"] for container in containers] == [*PREPARE, "main"]
    assert [container.get("dependencies", []) for container in containers] == [
        [],
        PREPARE[:1],
        PREPARE[:2],
        PREPARE,
    ]
    assert [container["image"] for container in containers[:3]] == ["argosy/data:dev"] * 2 + ["argosy/features:dev"]
    assert {container["imagePullPolicy"] for container in containers} == {"Never"}
    assert [container["command"][-1] for container in containers[:3]] == [
        "argosy.steps.ingest",
        "argosy.steps.validate",
        "argosy.steps.build_features",
    ]


def test_what_is_handed_on_stays_in_the_pod_and_is_an_output_too(model: Path) -> None:
    """The next step finds it where the one before left it; others get it as ever."""
    template = templates(compiled(model, fuse={"prepare": PREPARE}))["prepare"]
    validate = {entry["name"]: entry["value"] for entry in template["containerSet"]["containers"][1]["env"]}
    assert validate["ARGOSY_INPUT_SNAPSHOT"] == "out/snapshot"
    assert "ARGOSY_INPUT_SETTINGS" not in validate
    paths = {artifact["name"]: artifact["path"] for artifact in template["outputs"]["artifacts"]}
    assert paths["snapshot"] == "/argosy/out/snapshot"
    assert template["containerSet"]["volumeMounts"] == [{"name": "files", "mountPath": "/argosy"}]


def test_only_the_step_that_may_see_a_secret_does(model: Path) -> None:
    """A pod has the account of the step that has keys; the container of the other is given none of them."""
    template = templates(compiled(model, fuse={"fit": ["train", "evaluate"]}))["fit"]
    secrets = {
        container["name"]: [
            source["secretRef"]["name"] for source in container.get("envFrom", []) if "secretRef" in source
        ]
        for container in template["containerSet"]["containers"]
    }
    assert secrets == {"train": [], "evaluate": ["argosy-store"], "main": []}
    assert template["serviceAccountName"] == "argosy-store"


def test_a_pod_asks_for_what_its_largest_step_needs(model: Path) -> None:
    """One runs at a time, but a cluster adds up what containers ask for; each may use what it might alone."""
    resources = {
        "train": {"cpu": "3", "memory": "6Gi", "deadline_seconds": 60},
        "evaluate": {"cpu": "1", "memory": "2Gi"},
    }
    template = templates(compiled(model, fuse={"fit": ["train", "evaluate"]}, resources=resources))["fit"]
    train, evaluate = (container["resources"] for container in template["containerSet"]["containers"][:2])
    assert train["requests"] == {"cpu": "2250m", "memory": "4608Mi"}
    assert evaluate["requests"] == {"cpu": "750m", "memory": "1536Mi"}
    assert (train["limits"], evaluate["limits"]) == ({"cpu": "3", "memory": "6Gi"}, {"cpu": "1", "memory": "2Gi"})
    assert template["activeDeadlineSeconds"] == 3660


def test_nothing_is_fused_unasked(model: Path) -> None:
    """Each step its own pod."""
    assert all("containerSet" not in template for template in templates(compiled(model)).values())


@pytest.mark.parametrize(
    ("fuse", "resources", "message"),
    [
        pytest.param(
            {"promote": ["register", "sign", "propose"]},
            {},
            "fuse.promote: register has the rights of registry.*, sign those of signing and store: what may do different",
            id="other-rights",
        ),
        pytest.param(
            {"both": ["ingest", "build-features"]},
            {},
            "fuse.both: validate stands between ingest and build-features; name it, too",
            id="one-between",
        ),
        pytest.param(
            {"both": ["validate", "ingest"]}, {}, "validate takes something of ingest, so it comes after it", id="order"
        ),
        pytest.param(
            {"both": ["champion", "ingest"]}, {}, "fuse.both: ingest takes nothing of champion", id="side-by-side"
        ),
        pytest.param({"both": ["train", "tune"]}, {}, "fuse.both: tune is a DAG of its own", id="a-dag"),
        pytest.param({"both": ["suggest-0", "trial-0"]}, {}, "fuse.both: trial-0 fans out over pods", id="a-fan-out"),
        pytest.param({"both": ["select", "train"]}, {}, "fuse.both: they are not tasks of one DAG", id="of-two-dags"),
        pytest.param(
            {"both": ["train", "evalute"]}, {}, "fuse.both: there is no step 'evalute'; the pipeline has", id="slip"
        ),
        pytest.param({"train": ["train", "evaluate"]}, {}, "fuse.train: 'train' is the name of a step", id="name"),
        pytest.param(
            {"tune": ["train", "evaluate"]}, {}, "fuse.tune: 'tune' is the name of .* a DAG", id="a-dags-name"
        ),
        pytest.param({"A b": ["train", "evaluate"]}, {}, "fuse.A b.*match pattern", id="no-name"),
        pytest.param({"one": ["train"]}, {}, "fuse.one: .*at least 2", id="alone"),
        pytest.param(
            {"one": ["train", "evaluate"], "two": ["evaluate", "register"]}, {}, "'evaluate' is there twice", id="twice"
        ),
        pytest.param(
            {"fit": ["train", "evaluate"]},
            {"train": {"node_selector": {"pool": "gpu"}}},
            "resources.train and resources.evaluate differ in node_selector",
            id="other-nodes",
        ),
    ],
)
def test_what_cannot_be_fused(model: Path, fuse: Manifest, resources: Manifest, message: str) -> None:
    """Said when it is compiled, with the setting and the reason; nothing is left out of the pod in silence."""
    with pytest.raises(errors.Misconfigured, match=message) as refused:
        compiled(model, fuse=fuse, resources=resources)
    assert str(model / "model.yaml") in str(refused.value)


HANDED = """
from argosy.steps.spec import Artifact, Parameter, Result, StepSpec
from argosy.templates import pipeline

FIRST = StepSpec(name="first", summary="", family="data", results=(Result("made", ""),))
SECOND = StepSpec(name="second", summary="", family="data", parameters=(Parameter("text", ""),))

with pipeline.of(__file__) as run, run.dag("main"):
    first = run.step(FIRST)
    run.step(SECOND, text=%s)
"""


WAITING = """
from argosy.steps.spec import Artifact, StepSpec
from argosy.templates import pipeline

def spec(name, **more):
    return StepSpec(name=name, summary="", family="data", **more)

with pipeline.of(__file__) as run, run.dag("main"):
    zero = run.step(spec("zero"))
    first = run.step(spec("first", outputs=(Artifact("made", ""),)), after=[zero])
    run.step(spec("second", inputs=(Artifact("made", ""),)), made=first.artifact("made"))
    run.step(spec("last"), after=[first])
"""


def test_what_waits_for_a_step_of_a_pod_waits_for_the_pod(model: Path) -> None:
    """Also where it takes nothing of it; and the pod waits for what its steps wait for."""
    (model / folder.PIPELINE).write_text(WAITING, encoding="utf-8")
    found = tasks(compiled(model, fuse={"both": ["first", "second"]}))
    assert (found["both"]["depends"], found["last"]["depends"]) == ("zero", "both")


def test_a_short_value_is_handed_on_in_a_file(model: Path) -> None:
    """Argo knows no results of one container of a pod; the step reads it where the other wrote it."""
    (model / folder.PIPELINE).write_text(HANDED % 'first.result("made")', encoding="utf-8")
    template = templates(compiled(model, fuse={"both": ["first", "second"]}))["both"]
    given = {entry["name"]: entry["value"] for entry in template["containerSet"]["containers"][1]["env"]}
    assert given["ARGOSY_PARAMETER_FILE_TEXT"] == "results/made"
    assert "ARGOSY_PARAMETER_TEXT" not in given


def test_a_value_in_the_midst_of_a_text_is_not_handed_on(model: Path) -> None:
    """Only the controller could put it together."""
    (model / folder.PIPELINE).write_text(HANDED % '"x-" + first.result("made")', encoding="utf-8")
    with pytest.raises(errors.Misconfigured, match="second takes 'text' as a part of a text"):
        compiled(model, fuse={"both": ["first", "second"]})
