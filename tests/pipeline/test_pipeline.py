"""The whole pipeline, run as a user runs it: what comes out, what a second run does, what a change changes."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Finished = tuple[Any, dict[str, Any]]


def test_a_run_ends_with_a_request(finished: Finished) -> None:
    """From the file to a promotion request, with the verdict and the digest in the result."""
    _, result = finished
    assert result["phase"] == "Succeeded"
    assert result["verdict"] == "promote"
    assert result["model_digest"].startswith("sha256:")
    types = {node["type"] for node in result["nodes"].values()}
    assert {"DAG", "Pod", "Retry", "TaskGroup"} <= types
    assert all(name.startswith("$") for name in result["nodes"])


def test_the_request_can_be_listed_and_viewed(finished: Finished) -> None:
    """One request, for staging, with its evidence."""
    project, result = finished
    listed = project.call("pr", "list")
    assert listed.returncode == 0
    assert listed.stdout.count("staging") == 1
    number = next(word.strip("#") for word in listed.stdout.split() if word.strip("#").isdigit())
    viewed = project.call("pr", "view", number)
    assert viewed.returncode == 0
    assert result["model_digest"].removeprefix("sha256:")[:12] in viewed.stdout


def test_nothing_changed_runs_nothing(finished: Finished) -> None:
    """A second run takes every step whose inputs are equal from the cache, and opens no second request."""
    project, first = finished
    second = project.run_json("run", "churn")
    assert second["model_digest"] == first["model_digest"]
    assert project.call("pr", "list").stdout.count("staging") == 1


PODS = {"prepare": ["ingest", "validate", "build-features"], "fit": ["train", "evaluate"]}


@pytest.mark.parametrize(
    ("hash_seed", "parallelism", "fuse"),
    [
        pytest.param("0", "1", {}, id="one-at-a-time"),
        pytest.param("4711", "4", PODS, id="four-at-a-time-in-shared-pods"),
    ],
)
def test_same_commit_and_data_give_the_same_digest(
    finished: Finished, tmp_path: Path, hash_seed: str, parallelism: str, fuse: dict[str, list[str]]
) -> None:
    """Another state folder, another working directory, another hash seed, other parallelism, fewer pods, no cache: the same model."""
    project, first = finished
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(project.folder, elsewhere, ignore=shutil.ignore_patterns("home"))
    other = type(project)(elsewhere, tmp_path / "home", {"PYTHONHASHSEED": hash_seed})
    with (elsewhere / "workflows" / "churn" / "model.yaml").open("a", encoding="utf-8") as settings:
        settings.write(f"\nfuse: {json.dumps(fuse)}\n")
    again = other.run_json("run", "churn", "--no-cache", "--parallelism", parallelism)
    assert again["model_digest"] == first["model_digest"]
    assert again["verdict"] == first["verdict"]
    assert {f"$.{pod}(0).{step}" for pod, steps in fuse.items() for step in steps} <= set(again["nodes"])
    assert not {f"$.{step}" for steps in fuse.values() for step in steps} & set(again["nodes"])
    # The report finds what each step left, wherever it ran.
    assert "Ready for review" in (other.home / "runs" / again["run"] / "report.html").read_text(encoding="utf-8")


def test_another_seed_gives_another_digest(own_project: Any, known: Callable[..., Any], finished: Finished) -> None:
    """The check above can fail."""
    project = known(own_project)
    project.edit_settings((r"(?m)^seed: \d+", "seed: 99"))
    assert project.run_json("run", "churn", "--until", "train")["model_digest"] != finished[1]["model_digest"]


def test_an_edit_of_the_manifest_changes_the_run(own_project: Any, known: Callable[..., Any]) -> None:
    """The manifest is what runs: a task renamed by hand is a node renamed. What another project gave, in another place, is not calculated
    again."""
    manifest = own_project.folder / "workflows" / "churn" / "pipeline.yaml"
    assert own_project.call("compile", "workflows/churn").returncode == 0
    text = manifest.read_text(encoding="utf-8")
    renamed = text.replace(
        "      - name: champion\n        template: champion\n", "      - name: incumbent\n        template: champion\n"
    )
    renamed = re.sub(
        r"(depends: .*)\bchampion\b", r"\1incumbent", renamed.replace("tasks.champion.", "tasks.incumbent.")
    )
    assert renamed != text
    edited = own_project.folder / "edited.yaml"
    edited.write_text(renamed, encoding="utf-8")
    done = known(own_project).call("run", "-f", str(edited), "--json")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    nodes = json.loads(done.stdout)["nodes"]
    assert "$.incumbent" in nodes
    assert "$.champion" not in nodes
    for step in ("build-features", "tune.select", "train"):
        assert f"Succeeded $.{step}(0) (cached)" in done.stderr


def test_an_edge_deleted_from_the_manifest_is_missed(own_project: Any) -> None:
    """Whoever takes from a task must wait for it: told before anything runs, with the place."""
    text = (own_project.folder / "workflows" / "churn" / "pipeline.yaml").read_text(encoding="utf-8")
    edited = own_project.folder / "edited.yaml"
    # `evaluate` takes from it; `ingest` waits for it, and so does all that comes after.
    gone = text.replace("        depends: champion && ", "        depends: ").replace("        depends: champion\n", "")
    edited.write_text(gone, encoding="utf-8")
    assert edited.read_text(encoding="utf-8") != text
    done = own_project.call("run", "-f", "edited.yaml")
    assert done.returncode == 78
    assert "refers to the task 'champion', on which this one does not depend" in done.stderr
    assert json.loads(own_project.call("runs", "--json").stdout or "[]") == []
