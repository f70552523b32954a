"""`argosy platform images`: no image that a chart or a pipeline names is missing from the list."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.cli import main
from kit import inference_chart, platform_chart, quick_yaml, team_manifests

pytestmark = pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not installed")

EVERYTHING: dict[str, Any] = {
    "endpoints": {"predictionsUri": "s3://logs/predictions", "monitoringUri": "s3://logs/monitoring"},
    "onlinePrune": {"enabled": True},
    "predictionsPrune": {"enabled": True},
    "noticesPrune": {"enabled": True},
    "converge": {"image": platform_chart.IMAGE},
    "exporter": {"image": f"registry.example/argosy/promote@sha256:{'f' * 64}"},
    "teams": [{"name": "credit"}],
    "events": {"enabled": True, "models": [{"name": "churn"}], "objects": {"endpoint": "minio:9000"}},
}
"""All that the chart can be told to run."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with pinned images and its compiled pipelines; the working folder."""
    documents = team_manifests.compiled(tmp_path)
    (tmp_path / "workflows" / "churn" / "pipeline.yaml").write_text(yaml.safe_dump(documents[0]), encoding="utf-8")
    for name in ("retrain.yaml", "watch.yaml", "score.yaml", "pipeline.yaml"):
        for file in tmp_path.glob(f"workflows/*/{name}"):
            text = file.read_text(encoding="utf-8")
            pinned = text.replace("argosy/", "registry.example/argosy/").replace(":dev", f"@sha256:{'a' * 64}")
            file.write_text(pinned, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def named(value: Any) -> Iterator[str]:
    """Every ``image`` in *value*."""
    if isinstance(value, dict):
        if isinstance(value.get("image"), str):
            yield value["image"]
        for inner in value.values():
            yield from named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from named(inner)


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> "tuple[list[dict[str, Any]], str]":
    """What the verb lists and notes."""
    capsys.readouterr()
    assert main.run(["platform", "images", "--json", *words]) == 0
    said = capsys.readouterr()
    return [json.loads(line) for line in said.out.splitlines()], said.err


def test_no_image_is_missing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the platform with all its jobs, of both ways of serving, of every pipeline; nothing stands twice."""
    values = project / "values.json"
    values.write_text(json.dumps(EVERYTHING), encoding="utf-8")
    repo = project / "environment" / "models" / "churn"
    (repo / "staging").mkdir(parents=True)
    (repo / "values.yaml").write_text(yaml.safe_dump({"server": {"image": inference_chart.IMAGE}}), encoding="utf-8")
    found, _ = listed(capsys, "--values", str(values), "--environment", "environment")
    images = [one["image"] for one in found]
    assert len(images) == len(set(images))
    plain = {"mode": "plain", "storage": {"uri": "s3://models"}}
    wanted = {
        *named(platform_chart.render(EVERYTHING)),
        *named(inference_chart.render()),
        *named(inference_chart.render(plain)),
        *(
            image
            for path in project.glob("workflows/*/*.yaml")
            for one in quick_yaml.load_all(path.read_text())
            for image in named(one)
        ),
    }
    assert len(wanted) >= 8
    assert wanted - set(images) == set()
    assert {"quay.io/argoproj/argoexec:v4.1.2", "docker.io/kserve/storage-initializer:v0.20.0"} <= set(images)


def test_what_a_mirror_has_to_hold(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its name there, and the lock of the project with it: what is compiled then comes from the mirror, by the same digests."""
    found, said = listed(capsys, "--to", "mirror.example:5000/ml", "--relock")
    assert all(one["to"].startswith("mirror.example:5000/ml/") for one in found)
    assert [one for one in found if one["pinned"] and one["image"].rpartition("@")[2] not in one["to"]] == []
    lock = json.loads((project / "images" / "images.lock").read_text(encoding="utf-8"))
    assert lock["repository"] == "mirror.example:5000/ml/argosy"
    assert lock["images"]["train"]["digest"] == f"sha256:{'a' * 64}"
    assert "argosy compile" in said


def test_the_mirror_is_one_value_of_the_chart() -> None:
    """What names no registry comes from there; what names one is left alone; what controllers inject may come from both."""
    digest = f"sha256:{'e' * 64}"
    values = {
        "registry": "mirror.example:5000/ml",
        "converge": {"image": f"argosy/promote@{digest}"},
        "teams": [{"name": "credit"}],
    }
    made = platform_chart.render(values)
    assert set(named(made)) == {f"mirror.example:5000/ml/argosy/promote@{digest}"}
    policy = platform_chart.named(made, "ValidatingAdmissionPolicy", "ml-pods")
    given = {one["name"]: one["expression"] for one in policy["spec"]["variables"]}
    assert given["registries"] == '["mirror.example:5000/ml/"]'
    assert "mirror.example:5000/ml/argoproj/argoexec:" in given["guests"]
    assert set(named(platform_chart.render({"registry": "mirror.example:5000/ml"}))) == {platform_chart.IMAGE}


def test_without_values_or_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In an empty folder it lists what will have to be built."""
    monkeypatch.chdir(tmp_path)
    found, said = listed(capsys)
    assert {one["image"] for one in found} >= {"docker.io/argosy/train:dev", "docker.io/argosy/serve:dev"}
    assert "are named by a tag" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--relock"], "say with --to which mirror", id="relock-alone"),
        pytest.param(["--to", "https://mirror"], "is no registry; expected a host", id="an-address"),
        pytest.param(["--environment", "."], "is no environment repo", id="no-environment"),
        pytest.param(["--manifest", "absent.yaml"], "absent.yaml: No such file", id="no-file"),
        pytest.param(["--to", "m.example", "--relock"], "there is no images/images.lock", id="no-lock"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    """In a line, before anything is written."""
    monkeypatch.chdir(tmp_path)
    assert main.run(["platform", "images", *words]) == 2
    assert said in capsys.readouterr().err
