"""`argosy init --update`: what a later release has otherwise comes into a project, and what people made of it stays."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import init, main, sample_project
from argosy.domain.template_record import TemplateRecord

POLICY = "gitops-env/README.md"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample as an earlier release wrote it: its README had another first line, and a file that is no more."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(init, "_write_data", lambda *_: None)
    assert main.run(["init"]) == errors.DONE
    (path,) = Path(".argosy").glob("*.json")
    record = TemplateRecord.read(path)
    first = record.files[POLICY].split("\n")[0]
    files = {
        **record.files,
        POLICY: record.files[POLICY].replace(first, "# As it was", 1),
        "gitops-env/old.md": "old\n",
    }
    path.write_text(record.model_copy(update={"argosy": "0.0.1", "files": files}).canonical_json())
    Path(POLICY).write_text(files[POLICY], encoding="utf-8")
    Path("gitops-env/old.md").write_text("old\n")
    return tmp_path


def test_edits_stay_and_changes_come(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both in one file; what the template has no more goes; a second time there is nothing to do."""
    Path(POLICY).write_text(Path(POLICY).read_text() + "ours\n")
    assert main.run(["init", "--update", "--dry-run"]) == errors.DONE
    assert f"merged: {POLICY}" in capsys.readouterr().out
    assert Path("gitops-env/old.md").exists()
    assert main.run(["init", "--update"]) == errors.DONE
    assert capsys.readouterr().out.splitlines() == [f"merged: {POLICY}", "removed: gitops-env/old.md"]
    (model,) = [path.name for path in (project / "workflows").iterdir()]
    fresh = sample_project.fresh(model)[Path(POLICY)].decode()
    assert Path(POLICY).read_text(encoding="utf-8") == fresh + "ours\n"
    assert not Path("gitops-env/old.md").exists()
    assert main.run(["init", "--update"]) == errors.DONE
    assert "nothing to update" in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_a_conflict_stands_until_somebody_decides(capsys: pytest.CaptureFixture[str]) -> None:
    """Both lines are there, the command ends 10, and another update touches nothing before."""
    Path(POLICY).write_text(Path(POLICY).read_text().replace("# As it was", "# Ours", 1))
    assert main.run(["init", "--update"]) == errors.Rejected.exit_code
    said = capsys.readouterr()
    assert f"conflict: {POLICY} (1 place" in said.out
    assert "remove the marks" in said.err
    assert Path(POLICY).read_text().startswith("<<<<<<< yours\n# Ours\n")
    assert main.run(["init", "--update"]) == errors.UsageError.exit_code
    assert POLICY in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        pytest.param(["churm", "--update"], "made here; did you mean 'churn'?", id="a-slip"),
        pytest.param(["--update", "--target", "x"], "--target is known", id="an-answer-again"),
        pytest.param(["--update", "--from", "x.csv"], "name that model", id="from-of-a-project"),
        pytest.param(["--dry-run"], "--dry-run says what --update would do", id="dry-run-alone"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_cannot_be_updated(typed: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and what to type instead."""
    assert main.run(["init", *typed]) == errors.UsageError.exit_code
    assert message in capsys.readouterr().err


def test_a_folder_of_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing says what was written: that is said, and nothing is done."""
    assert main.run(["init", str(tmp_path), "--update"]) == errors.UsageError.exit_code
    assert "no .argosy/ that says what argosy init wrote" in capsys.readouterr().err


@pytest.mark.parametrize("dry_run", [pytest.param([], id="written"), pytest.param(["--dry-run"], id="dry-run")])
def test_an_earlier_release_takes_nothing_back(
    project: Path, dry_run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What a later release wrote would be merged out again: one line says which release to install, and nothing changes."""
    _rewrite(argosy="9.1.0")
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    assert main.run(["init", "--update", *dry_run]) == errors.UsageError.exit_code
    said = capsys.readouterr()
    assert "argosy 9.1.0 wrote .argosy/" in said.err
    assert "install 9.1.0 or later" in said.err
    assert said.out == ""
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("wrote", "here", "later"),
    [
        pytest.param("0.10.0", "0.9.9", True, id="numbers-not-letters"),
        pytest.param("0.1.0", "0.1.0", False, id="same"),
        pytest.param("0.1", "0.1.0", False, id="same-shorter"),
        pytest.param("0.1.0", "0.1.0rc1", True, id="release-after-its-candidate"),
        pytest.param("0.2.0.dev3", "0.1.0", True, id="on-the-way"),
        pytest.param("0.2.0.dev3", "0.2.0", False, id="before-what-it-led-to"),
        pytest.param("0.2.0+ours", "0.2.0", False, id="local-build"),
    ],
)
def test_which_release_is_later(wrote: str, here: str, later: bool) -> None:
    """By numbers, then whether it is the release or on the way to it."""
    assert TemplateRecord(argosy=wrote, made="sample", files={}).is_of_later_than(here) is later


def test_a_record_does_not_reach_out_of_its_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It comes with the project, from whoever made that: what it says was written elsewhere is not removed there."""
    victim = project.parent / "victim"
    victim.write_text("old\n")
    for path in ("../victim", str(victim)):
        _rewrite(files={path: "old\n"})
        assert main.run(["init", "--update"]) == errors.Misconfigured.exit_code
        assert "is no path within a project" in capsys.readouterr().err
        assert victim.exists()


@pytest.mark.usefixtures("project")
def test_a_sample_that_is_no_more_stays(capsys: pytest.CaptureFixture[str]) -> None:
    """A release without it does not remove the model that somebody made of it."""
    _rewrite(model="gone")
    assert main.run(["init", "--update"]) == errors.UsageError.exit_code
    assert (
        "no sample gone, and what you made of it stays yours; remove .argosy/sample-gone.json"
        in capsys.readouterr().err
    )


@pytest.mark.usefixtures("project")
def test_ends_of_lines_modes_and_links_stay() -> None:
    """As their owner has them: what is written anew is the text."""
    file = Path(POLICY).rename("elsewhere.md")
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n") + b"ours\r\n")
    file.chmod(0o700)
    Path(POLICY).symlink_to(Path("../elsewhere.md"))
    assert main.run(["init", "--update"]) == errors.DONE
    written = file.read_bytes()
    assert written.endswith(b"ours\r\n")
    assert written.count(b"\n") == written.count(b"\r\n")
    assert not written.startswith(b"# As it was")
    assert (Path(POLICY).is_symlink(), file.stat().st_mode & 0o777) == (True, 0o700)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda file: file.write_bytes(b"\xff"), "is not UTF-8 text", id="no-text"),
        pytest.param(lambda file: file.unlink() or file.mkdir(), "is no file", id="a-folder"),
        pytest.param(
            lambda file: file.unlink() or file.symlink_to("/etc/hosts"), "leads out of the project", id="a-link"
        ),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_cannot_be_merged(make: Callable[[Path], object], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing at all is written then."""
    make(Path(POLICY))
    assert main.run(["init", "--update"]) == errors.UsageError.exit_code
    assert f"{POLICY} {said}" in capsys.readouterr().err.replace("is a link that ", "")
    assert Path("gitops-env/old.md").exists()


def _rewrite(**fields: object) -> None:
    (path,) = Path(".argosy").glob("*.json")
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **fields}), encoding="utf-8")
