"""`--changed-since`: which models of a repository changed since a branch was left, why, and what is done with them."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import changed_models, main
from argosy.cli import run as run_verb
from kit import fleet

CHURN, CLAIMS, FRAUD = (f"fleet_0{number}" for number in range(3))


def git(*words: str) -> str:
    """What git says in the working folder."""
    own = ("-c", "user.name=ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *own, *words], check=True, capture_output=True, text=True).stdout.strip()


def commit(message: str = "change") -> None:
    """Everything as it lies there."""
    git("add", "--all")
    git("commit", "--quiet", "--message", message)


def write(path: str, text: str) -> None:
    """*text* into the file *path*, and its folders."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def append(path: str, text: str = "\n") -> None:
    """*text* to the end of the file *path*."""
    write(path, Path(path).read_text(encoding="utf-8") + text)


@pytest.fixture
def project(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three models; the first imports a module of the project, the second names a file. On the branch `work`, which left main."""
    fleet.write(tmp_path / "project", root, 3)
    monkeypatch.chdir(tmp_path / "project")
    write("shared/__init__.py", "")
    write("shared/pricing.py", "from shared import money\n")
    write("shared/money.py", "UNIT = 'EUR'\n")
    write("contracts/claims.yaml", "columns: []\n")
    append(f"workflows/{CHURN}/pipeline.py", "\nfrom shared import pricing  # noqa\n")
    append(
        f"workflows/{CLAIMS}/pipeline.py", "\nfrom pathlib import Path\nCONTRACT = Path('contracts') / 'claims.yaml'\n"
    )
    git("init", "--quiet")
    commit("first")
    git("checkout", "--quiet", "-b", "work")
    return tmp_path / "project"


def found(ref: str = "main", *, for_run: bool = True) -> dict[str, list[str]]:
    """The models that changed, by name, with why."""
    return {model.name: why for model, why in changed_models.find(ref, for_run=for_run).changed.items()}


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        pytest.param(f"workflows/{FRAUD}/model.yaml", {FRAUD}, id="own"),
        pytest.param("shared/pricing.py", {CHURN}, id="imported"),
        pytest.param("shared/money.py", {CHURN}, id="imported-by-what-is-imported"),
        pytest.param("shared/__init__.py", {CHURN}, id="package-of-what-is-imported"),
        pytest.param("contracts/claims.yaml", {CLAIMS}, id="named"),
        pytest.param(f"gitops-env/policies/{CLAIMS}.yaml", {CLAIMS}, id="gates"),
        pytest.param("gitops-env/CODEOWNERS", set(), id="of-no-model"),
    ],
)
def test_what_makes_a_model_another(project: Path, path: str, changed: set[str]) -> None:
    """Its folder, what that imports and names, its gates: the models that have *path* in them, and no other; committed or not."""
    append(path)
    assert set(found()) == changed
    commit()
    assert set(found()) == changed
    assert all(path in why[0] for why in found().values())


def test_new_data(project: Path) -> None:
    """Data that git has, or a pointer to it, is its model's; data that git is told to ignore is nobody's word."""
    write(".gitignore", "*.parquet\n")
    write(f"data/{CHURN}/customers.csv", "a\n")
    write(f"data/{CLAIMS}.dvc", "md5: x\n")
    write(f"data/{FRAUD}/payments.parquet", "a\n")
    assert found() == {CHURN: [f"data/{CHURN}/customers.csv (its data)"], CLAIMS: [f"data/{CLAIMS}.dvc (its data)"]}


def test_only_what_this_branch_did(project: Path) -> None:
    """What main did since is no change of this branch."""
    append(f"workflows/{CHURN}/model.yaml")
    commit()
    git("checkout", "--quiet", "main")
    append(f"workflows/{FRAUD}/model.yaml")
    commit()
    git("checkout", "--quiet", "work")
    assert set(found()) == {CHURN}
    assert set(found("HEAD")) == set()


def test_what_changes_nothing_in_a_run(project: Path) -> None:
    """Texts for people, and manifests that say when: nothing to run again, but to look at."""
    write(f"workflows/{CHURN}/README.md", "About.\n")
    write(f"workflows/{CLAIMS}/schedule.yaml", "kind: CronWorkflow\n")
    assert found() == {}
    assert set(found(for_run=False)) == {CHURN, CLAIMS}


def test_a_manifest_whose_sources_alone_are_called_otherwise(project: Path) -> None:
    """As each new version of argosy calls them: the same steps are the same run."""
    manifest = f"workflows/{CHURN}/pipeline.yaml"
    write(manifest, f"metadata:\n  annotations:\n    argosy.dev/sources: sha256:{'a' * 64}\nspec: {{}}\n")
    commit()
    git("branch", "--force", "main")
    text = Path(manifest).read_text(encoding="utf-8")
    write(manifest, text.replace("a" * 64, "b" * 64))
    assert found() == {}
    assert set(found(for_run=False)) == {CHURN}
    write(manifest, text.replace("spec: {}", "spec: {entrypoint: other}"))
    assert set(found()) == {CHURN}


def pinned(**digests: str) -> str:
    """A lock of images."""
    return json.dumps({"repository": "r/argosy", "images": {name: {"digest": d} for name, d in digests.items()}})


def test_the_pinned_images(project: Path) -> None:
    """Of another pin, the models whose steps run that image; of another repository, all."""
    write("images/images.lock", pinned(train="sha256:1", serve="sha256:1"))
    for name in (CHURN, CLAIMS, FRAUD):
        image = "serve" if name == FRAUD else "train"
        write(f"workflows/{name}/pipeline.yaml", f"      image: r/argosy/{image}@sha256:1\n")
    commit()
    git("branch", "--force", "main")
    write("images/images.lock", pinned(train="sha256:2", serve="sha256:1"))
    assert found() == {name: ["images/images.lock (pins train)"] for name in (CHURN, CLAIMS)}
    assert set(found(for_run=False)) == {CHURN, CLAIMS, FRAUD}
    write("images/images.lock", "no JSON")
    assert set(found()) == {CHURN, CLAIMS, FRAUD}


def test_a_module_that_is_gone(project: Path) -> None:
    """Whoever imports it has changed, though nothing is there to read."""
    Path("shared/money.py").unlink()
    assert set(found()) == {CHURN}


def test_a_link_to_what_is_shared(project: Path) -> None:
    """A folder that links to a file changes with it."""
    write("contracts/expectations.json", "{}")
    Path(f"workflows/{FRAUD}/expectations.json").unlink()
    Path(f"workflows/{FRAUD}/expectations.json").symlink_to("../../contracts/expectations.json")
    commit()
    git("branch", "--force", "main")
    append("contracts/expectations.json")
    assert found() == {FRAUD: ["contracts/expectations.json (expectations.json is a link to it)"]}


def test_links_in_a_circle_and_odd_names(project: Path) -> None:
    """Nothing that a repository may hold stops the look."""
    Path(f"workflows/{CHURN}/circle").symlink_to("circle")
    write(f"workflows/{CHURN}/{os.fsdecode(bytes([255]))}/a b\n.csv", "")
    write(f"workflows/{CLAIMS}/pipeline.py", "not python\nx = '" + "ä" * 250 + "'")
    assert set(found()) == {CHURN, CLAIMS}
    assert main.run(["run", "--changed-since", "main", "--dry-run"]) == errors.DONE


def test_a_renamed_folder(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The new one has changed, and says where it was; of the old one it is said where it went."""
    git("mv", f"workflows/{FRAUD}", "workflows/abuse")
    commit()
    assert main.run(["run", "--changed-since", "main", "--dry-run"]) == errors.DONE
    output = capsys.readouterr().out
    assert output.startswith("1 of 3 models changed since main (")
    assert f"workflows/abuse/expectations.json (was workflows/{FRAUD}/expectations.json)" in output
    assert f"  {FRAUD}: its folder was moved to workflows/abuse\n" in output


def test_a_deleted_folder(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to run, and no failure."""
    shutil.rmtree(f"workflows/{FRAUD}")
    assert main.run(["run", "--changed-since", "main"]) == errors.DONE
    output = capsys.readouterr()
    assert f"  {FRAUD}: its folder was deleted: nothing of it is run\n" in output.out
    assert output.err.endswith("in no commit as now\n")


def test_nothing_changed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, and no failure, whichever the verb."""
    for words in (["run"], ["compile"], ["compile", "--stamp"], ["lint"]):
        assert main.run([*words, "--changed-since", "main"]) == errors.DONE
        output = capsys.readouterr()
        assert (output.out + output.err).startswith("0 of 3 models changed since main (")


def test_for_a_job_of_many_tasks(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object a model, changed or not, and nothing else on standard output."""
    append(f"workflows/{CLAIMS}/model.yaml")
    assert main.run(["run", "--changed-since", "main", "--dry-run", "--json"]) == errors.DONE
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["model"], line["changed"]) for line in lines] == [(CHURN, False), (CLAIMS, True), (FRAUD, False)]
    assert lines[1] == {
        "model": CLAIMS,
        "folder": f"workflows/{CLAIMS}",
        "changed": True,
        "why": [f"workflows/{CLAIMS}/model.yaml"],
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["--changed-since", "mian"], "'mian' is no commit of .*; did you mean 'main'", id="slip"),
        pytest.param(["--changed-since", ""], "'' is no commit", id="empty"),
        pytest.param(["--changed-since=--all"], "'--all' is no commit", id="option"),
        pytest.param(["--changed-since", "HEAD:shared"], "'HEAD:shared' is no commit", id="folder"),
        pytest.param(["--changed-since", "main", "-f", "x.yaml"], "-f is for one run", id="file"),
        pytest.param(["--changed-since", "main", "--name", "x"], "--name is for one run", id="name"),
        pytest.param(["--changed-since", "main", "fleet_07"], "no model 'fleet_07'", id="model"),
        pytest.param([CHURN, "--dry-run"], "--dry-run says which models --changed-since", id="dry"),
    ],
)
def test_words_that_make_no_sense(
    project: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each, with what was meant or what to do."""
    assert main.run(["run", *words]) == errors.UsageError.exit_code
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert re.search(says, error), error


def test_of_those_that_are_named(project: Path) -> None:
    """No other is looked at."""
    for name in (CHURN, CLAIMS):
        append(f"workflows/{name}/model.yaml")
    assert list(changed_models.find("main", [Path("workflows") / CLAIMS]).changed) == [Path("workflows") / CLAIMS]


@pytest.mark.parametrize("verb", ["compile", "lint"])
def test_verbs_that_want_a_folder(project: Path, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither folders nor a commit: said. A file beside a commit: said."""
    assert main.run([verb]) == errors.UsageError.exit_code
    assert "name a model's folder" in capsys.readouterr().err
    assert main.run([verb, "shared/money.py", "--changed-since", "main"]) == errors.UsageError.exit_code
    assert "shared/money.py is a file" in capsys.readouterr().err


def test_a_shallow_clone(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose history does not reach back: what brings the rest is said."""
    for branch in ("work", "main"):
        git("checkout", "--quiet", branch)
        append(f"workflows/{CHURN}/model.yaml", f"# {branch}\n")
        commit(branch)
    git("clone", "--quiet", "--depth=1", "--no-single-branch", project.as_uri(), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    with pytest.raises(errors.UsageError, match=r"is shallow.*'origin/work'.*--unshallow.*fetch-depth: 0"):
        changed_models.find("origin/work")
    with pytest.raises(errors.UsageError, match=r"'work' is no commit of .*; did you mean 'origin/work'"):
        changed_models.find("work")


def test_histories_that_have_nothing_in_common(project: Path) -> None:
    """Not the shallow clone's advice."""
    git("checkout", "--quiet", "--orphan", "other")
    commit("another first")
    with pytest.raises(errors.UsageError, match="HEAD and 'main' have no commit in common"):
        changed_models.find("main")


def test_where_git_knows_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No commit, no repository, no git: a line each."""
    shutil.rmtree(".git")
    with pytest.raises(errors.Misconfigured, match="is in no work tree of git"):
        changed_models.find("main")
    git("init", "--quiet")
    with pytest.raises(errors.UsageError, match="has no commit yet"):
        changed_models.find("main")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(errors.Misconfigured, match="git is not installed"):
        changed_models.find("main")


def test_a_project_below_the_repository(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its models are found as those of a project of its own."""
    shutil.rmtree(".git")
    Path("../outer").mkdir()
    project.rename(tmp_path / "outer" / "project")
    monkeypatch.chdir(tmp_path / "outer")
    git("init", "--quiet")
    commit()
    monkeypatch.chdir(tmp_path / "outer" / "project")
    append("shared/money.py")
    append(f"workflows/{FRAUD}/model.yaml")
    assert set(found("HEAD")) == {CHURN, FRAUD}


def test_each_has_its_turn(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What one comes to keeps no other from it; the code is the first that is not 0."""
    codes: dict[str, Callable[[], int]] = {CHURN: lambda: 10, CLAIMS: _misconfigured, FRAUD: lambda: 0}
    for name in codes:
        append(f"workflows/{name}/model.yaml")
    monkeypatch.setattr(run_verb, "start", lambda given: ("run", codes[Path(given.model).name]()))
    assert main.run(["run", "--changed-since", "main"]) == 10
    output = capsys.readouterr()
    assert output.out.endswith(f"3 of 3 run:\n  {CHURN}  ended 10\n  {CLAIMS}  ended 78\n  {FRAUD}  done\n")
    assert "error: the gates are missing" in output.err


def _misconfigured() -> int:
    raise errors.Misconfigured("the gates are missing")


def test_an_interruption_ends_them_all(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever presses Ctrl-C means all; those that had no turn are named."""
    for name in (CHURN, CLAIMS):
        append(f"workflows/{name}/model.yaml")
    monkeypatch.setattr(run_verb, "start", lambda _given: ("run", errors.INTERRUPTED))
    assert main.run(["run", "--changed-since", "main"]) == errors.INTERRUPTED
    assert capsys.readouterr().out.endswith(f"1 of 2 run:\n  {CHURN}  ended 130\n  {CLAIMS}  not begun\n")


def test_it_compiles_with_a_module_of_the_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which is a source of the manifest: where it changes, the manifest is not up to date."""
    from argosy.templates import folder

    model = Path("workflows") / CHURN
    append(str(model / "model.yaml"))
    assert main.run(["compile", "--changed-since", "main"]) == errors.DONE
    assert (model / "pipeline.yaml").exists()
    assert not Path("workflows", CLAIMS, "pipeline.yaml").exists()
    assert folder.is_fresh(model)
    assert list(Path("shared").iterdir()) == [path for path in Path("shared").iterdir() if path.suffix == ".py"]
    append("shared/money.py", "UNIT = 'USD'\n")
    assert not folder.is_fresh(model)
    Path("shared/money.py").unlink()
    capsys.readouterr()
    assert main.run(["compile", str(model)]) == errors.Misconfigured.exit_code
    error = capsys.readouterr().err
    assert error.count("\n") == 1
