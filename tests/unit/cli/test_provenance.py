"""What git says of a model's folder, how it is stamped on a manifest, and who refuses what nobody can make again."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from argosy import wiring
from argosy.cli import main, provenance
from kit import quick_yaml
from kit.fake_workflows import FakeWorkflows

ROOT = Path(__file__).parents[3]
MODEL = Path("workflows") / "churn"
LOCK = {
    "repository": "registry/argosy",
    "images": {
        family: {"digest": f"sha256:{'d' * 64}", "bytes": 1}
        for family in ("data", "features", "train", "evaluate", "promote", "monitor")
    },
}


def git(*words: str) -> str:
    """What git says in the working folder."""
    own = ("-c", "user.name=ada", "-c", "user.email=ada@example.com")
    return subprocess.run(["git", *own, *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the churn model, its images pinned, everything committed."""
    shutil.copytree(ROOT / MODEL, tmp_path / MODEL, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "images.lock").write_text(json.dumps(LOCK), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main.run(["compile", str(MODEL)]) == 0
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    return tmp_path / MODEL


def origin(model: Path) -> Any:
    """As a run on this machine has it."""
    return provenance.here(model / "pipeline.yaml")


def test_a_clean_commit(project: Path) -> None:
    """The commit holds the files; what lies beside the model's folder and is not watched goes into no run."""
    Path("notes.txt").write_text("x", encoding="utf-8")
    found = origin(project)
    assert (found.commit, found.tree) == (git("rev-parse", "HEAD"), "clean")
    assert found.doubts() == []


def test_files_that_no_commit_holds(project: Path) -> None:
    """Changed, new, staged, ignored, or changed elsewhere: never the clean commit, and each its own digest of the folder."""
    settings = project / "model.yaml"
    text = settings.read_text(encoding="utf-8")
    seen = set()
    settings.write_text(text + "# another\n", encoding="utf-8")
    seen.add(origin(project).tree)
    git("add", "--all")
    assert origin(project).tree in seen
    git("reset", "--quiet", "--hard")
    (project / "helper.py").write_text("", encoding="utf-8")
    seen.add(origin(project).tree)
    (project / "helper.py").unlink()
    git("rm", "--quiet", "--cached", str(settings))
    Path(".gitignore").write_text("model.yaml\n", encoding="utf-8")
    git("add", "--all")
    git("commit", "--quiet", "--message", "ignored")
    seen.add(origin(project).tree)
    assert len(seen) == 3
    assert all(tree.startswith("sha256:") for tree in seen)
    lock = Path("images/images.lock")
    lock.write_text("{}", encoding="utf-8")
    assert origin(project).tree.startswith("sha256:")


def test_no_repository(project: Path) -> None:
    """Unknown, and said so; never the commit of something else."""
    shutil.rmtree(".git")
    assert (origin(project).commit, origin(project).tree) == ("unknown", "unknown")


def test_the_stamp_is_what_steps_are_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As annotations and as the parameter's value: commit, files, manifest, each step's image. What is committed stays as it is."""
    committed = (project / "pipeline.yaml").read_bytes()
    assert main.run(["compile", "--stamp", str(MODEL)]) == 0
    template, retraining, *schedules = quick_yaml.load_all(capsys.readouterr().out)
    assert (project / "pipeline.yaml").read_bytes() == committed
    assert git("status", "--porcelain") == ""
    marks = template["metadata"]["annotations"]
    said = provenance.stated(template)
    assert said is not None
    assert said.doubts() == []
    assert marks["provenance.argosy.dev/commit"] == said.commit == git("rev-parse", "HEAD")
    assert (
        marks["provenance.argosy.dev/image.train"] == said.images["train"] == f"registry/argosy/train@sha256:{'d' * 64}"
    )
    assert set(said.images) >= {"ingest", "train", "evaluate", "register", "propose"}
    assert not any(
        "imagePullPolicy" in each.get("container", {}) for each in template["spec"]["templates"]
    )  # by digest
    assert provenance.stated(retraining) == said  # what is trained again says the same of itself
    assert [each["kind"] for each in schedules] == [
        *("CronWorkflow", "WorkflowTemplate", "CronWorkflow"),  # the pipeline's clock; what looks at the model
        *("WorkflowTemplate", "CronWorkflow"),  # what scores tables
    ]
    told = {
        each["name"]: entry["value"]
        for each in template["spec"]["templates"]
        for entry in each.get("container", {}).get("env", [])
        if entry["name"] == "ARGOSY_PROVENANCE"
    }
    assert told == dict.fromkeys(("ingest", "evaluate"), "{{workflow.parameters.provenance}}")


def test_a_clock_says_where_it_comes_from(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In its own annotations, and in those of every workflow that it starts; the template beside it is stamped as well."""
    assert main.run(["compile", "--stamp", str(MODEL)]) == 0
    documents = list(quick_yaml.load_all(capsys.readouterr().out))
    clocks = [each for each in documents if each["kind"] == "CronWorkflow"]
    assert len(clocks) == 3
    commit = git("rev-parse", "HEAD")
    for each in documents:
        assert each["metadata"]["annotations"]["provenance.argosy.dev/commit"] == commit
    for clock in clocks:
        assert clock["spec"]["workflowMetadata"]["annotations"] == {
            "clock.provenance.argosy.dev/commit": commit,
            "clock.provenance.argosy.dev/tree": "clean",
        }


def test_a_stale_manifest_is_not_stamped(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The commit would hold another manifest than is installed."""
    with (project / "model.yaml").open("a", encoding="utf-8") as settings:
        settings.write("# another\n")
    assert main.run(["compile", "--stamp", str(MODEL)]) == 10
    assert "is not what its folder compiles to" in capsys.readouterr().err


def test_lint_for_production(project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A clean folder passes, a changed one does not; a file is as it says of itself."""
    assert main.run(["lint", "--production", str(MODEL)]) == 0
    assert main.run(["lint", "--production", str(MODEL / "pipeline.yaml")]) == 10
    assert "the commit is unknown" in capsys.readouterr().out
    main.run(["compile", "--stamp", str(MODEL)])
    stamped = tmp_path / "stamped.yaml"
    stamped.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main.run(["lint", "--production", str(stamped)]) == 0
    (project / "notes.md").write_text("x", encoding="utf-8")
    assert main.run(["lint", "--production", str(MODEL)]) == 10
    assert "not those of the commit" in capsys.readouterr().out
    assert main.run(["lint", str(MODEL)]) == 0


@pytest.fixture
def cluster(project: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWorkflows:
    """A cluster on which the committed manifest is installed as it is."""
    template = quick_yaml.load((project / "pipeline.yaml").read_text(encoding="utf-8"))
    made = FakeWorkflows(templates={"churn": []}, specs={"churn": template})
    monkeypatch.setattr(wiring, "workflows", lambda *_: made)
    return made


def submitted(cluster: FakeWorkflows) -> dict[str, str]:
    """The parameters of the one run that was started."""
    ((_, _, *words),) = cluster.asked
    return dict(word.split("=", 1) for word in words)


def test_submit_says_the_commit_of_what_is_installed(project: Path, cluster: FakeWorkflows) -> None:
    """Where that is the project's own manifest and says nothing of itself."""
    assert main.run(["submit", "churn", "--cluster"]) == 0
    said = json.loads(submitted(cluster)["provenance"])
    assert (said["commit"], said["tree"]) == (git("rev-parse", "HEAD"), "clean")


def test_submit_says_nothing_of_another_manifest(
    project: Path, cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is installed is not this commit's: nobody knows whose it is."""
    cluster.specs["churn"]["spec"]["templates"][0]["name"] = "edited"
    assert main.run(["submit", "churn", "--cluster"]) == 0
    assert list(submitted(cluster)) == ["asked-by"]
    assert "nothing says which commit is installed" in capsys.readouterr().err


def test_submit_leaves_a_stamp_alone(project: Path, cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]) -> None:
    """What is installed says of itself where it comes from, whatever lies here; and it is no difference."""
    manifest = project / "pipeline.yaml"
    cluster.specs["churn"] = provenance.stamped(
        cluster.specs["churn"], provenance.on_a_cluster(manifest, cluster.specs["churn"])
    )
    (project / "notes.md").write_text("x", encoding="utf-8")
    assert main.run(["submit", "churn", "--cluster"]) == 0
    assert list(submitted(cluster)) == ["asked-by"]
    assert "note:" not in capsys.readouterr().err
    assert main.run(["lint", str(MODEL), "--production", "--namespace", "team"]) == 10
    assert "installed in team" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("word", "told"),
    [
        pytest.param("data=data/churn", "a place of this machine", id="relative"),
        pytest.param("data=/home/ada/churn", "a place of this machine", id="absolute"),
        pytest.param("data=", "has no value", id="empty"),
        pytest.param("provenance={}", "nobody but git and the manifest", id="made-up-provenance"),
        pytest.param("asked-by={}", "git's author, or the account", id="made-up-asker"),
    ],
)
def test_what_no_pod_could_use_is_refused(
    cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str], word: str, told: str
) -> None:
    """Before the first pod, with what to give instead."""
    assert main.run(["submit", "churn", "--cluster", "-p", word]) == 2
    assert told in capsys.readouterr().err
    assert cluster.asked == []


def test_no_folder_of_a_laptop_is_a_default(project: Path) -> None:
    """The manifest names an address, or nothing: then the controller refuses a bare submission before the first pod."""

    def data() -> Any:
        template = quick_yaml.load((project / "pipeline.yaml").read_text(encoding="utf-8"))
        return next(one for one in template["spec"]["arguments"]["parameters"] if one["name"] == "data").get("value")

    assert "://" in data()
    lines = (project / "model.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(("data:", "schedule:"))]
    (project / "model.yaml").write_text("".join(kept), encoding="utf-8")
    assert main.run(["compile", str(MODEL)]) == 0
    assert data() is None


def test_a_schedule_wants_an_address(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody is there at two in the morning to say where the data is."""
    lines = (project / "model.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    (project / "model.yaml").write_text("".join(one for one in lines if not one.startswith("data:")), encoding="utf-8")
    assert main.run(["compile", str(MODEL)]) == 78
    assert "name it in `data`" in capsys.readouterr().err
