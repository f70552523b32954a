"""What a model's settings say of pods and of the schedule, as it stands in the manifests."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy import errors
from argosy.templates import compiler, folder, images, lint, schedule


def _with(model: Path, **settings: Any) -> Path:
    path = model / folder.ARTIFACTS["settings"]
    written = yaml.safe_load(path.read_text(encoding="utf-8")) | settings
    written = {name: value for name, value in written.items() if value is not None}
    path.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
    return model


def _template(model: Path, name: str) -> dict[str, Any]:
    manifest = yaml.safe_load(compiler.compile_folder(model))
    assert lint.problems(manifest) == []
    found: dict[str, Any] = next(each for each in manifest["spec"]["templates"] if each["name"] == name)
    return found


def test_where_and_with_what_a_step_runs(model: Path) -> None:
    """Cores, memory, devices, place, taints and priority reach the pod of that step and of no other."""
    train = {
        "cpu": "500m",
        "cpu_limit": "2",
        "memory": "4Gi",
        "gpu": 1,
        "node_selector": {"pool": "gpu"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "priority_class": "training",
        "deadline_seconds": 600,
    }
    template = _template(_with(model, resources={"train": train}), "train")
    assert template["container"]["resources"] == {
        "requests": {"cpu": "500m", "memory": "4Gi", "nvidia.com/gpu": "1"},
        "limits": {"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": "1"},
    }
    assert template["nodeSelector"] == {"pool": "gpu"}
    assert template["tolerations"] == train["tolerations"]
    assert (template["priorityClassName"], template["activeDeadlineSeconds"]) == ("training", 600)
    other = _template(model, "ingest")
    assert not {"nodeSelector", "tolerations", "priorityClassName"} & other.keys()
    assert other["container"]["resources"]["limits"] == {"cpu": "1", "memory": "1Gi"}


def test_resources_of_a_step_that_is_not_there(model: Path) -> None:
    """A slip in a step's name is an error, not a setting without effect."""
    with pytest.raises(
        errors.Misconfigured, match="resources names the step 'trian', but the pipeline has build-features"
    ):
        compiler.compile_folder(_with(model, resources={"trian": {"cpu": "2"}}))


def test_a_schedule_is_a_cron_workflow_of_the_template(model: Path) -> None:
    """It starts the installed pipeline, one at a time, and catches up on a start that was missed by an hour at most."""
    text = schedule.compile_folder(_with(model, schedule={"cron": "30 4 * * 1", "timezone": "Europe/Berlin"}))
    assert text is not None
    manifest = yaml.safe_load(text)
    assert lint.problems(manifest) == []
    assert manifest["kind"] == "CronWorkflow"
    assert manifest["spec"]["schedules"] == ["30 4 * * 1"]
    assert manifest["spec"]["timezone"] == "Europe/Berlin"
    assert manifest["spec"]["concurrencyPolicy"] == "Forbid"
    assert manifest["spec"]["startingDeadlineSeconds"] == 3600
    assert manifest["spec"]["workflowSpec"] == {"workflowTemplateRef": {"name": "churn"}}


def test_no_schedule_is_no_file(model: Path) -> None:
    """A model that is trained by hand has none."""
    assert schedule.compile_folder(_with(model, schedule=None)) is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param({"cron": "0 2 * *"}, "cron", id="four-fields"),
        pytest.param({"timezone": "Berlin; rm"}, "no name of the IANA database", id="no-zone"),
        pytest.param({"cron": "0 2 * * *", "every": "day"}, "every", id="unknown"),
    ],
)
def test_schedules_that_are_none(model: Path, wrong: dict[str, str], message: str) -> None:
    """What the controller would refuse, or never start, is said when it is compiled."""
    with pytest.raises(errors.Misconfigured, match=message):
        schedule.compile_folder(_with(model, schedule=wrong))


LOCKED = '{"repository": "registry.example/argosy", "images": {"%s": {"digest": "sha256:aa", "bytes": 1}}}'


def test_images_are_those_of_the_lock(tmp_path: Path) -> None:
    """Once images are built, steps are pinned to their digests, in the registry they were pushed to."""
    assert images.of("train", tmp_path) == "argosy/train:dev"
    (tmp_path / "images").mkdir()
    (tmp_path / images.LOCK).write_text(LOCKED % "train")
    assert images.of("train", tmp_path) == "registry.example/argosy/train@sha256:aa"


@pytest.mark.parametrize("text", [LOCKED % "data", "[]", "{", '{"repository": "x", "images": {"train": "sha256:aa"}}'])
def test_a_lock_that_lacks_an_image(tmp_path: Path, text: str) -> None:
    """A step never falls back to a tag where others are pinned."""
    (tmp_path / "images").mkdir()
    (tmp_path / images.LOCK).write_text(text)
    with pytest.raises(errors.Misconfigured, match=r"names no image 'train'; run `make images`"):
        images.of("train", tmp_path)
