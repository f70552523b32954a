"""Going on with a run whose model's folder has changed since it began."""

import argparse
import json
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import local_run
from argosy.engine.state import runs
from argosy.engine.state.journal import Journal
from argosy.templates import folder


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> runs.RunFolder:
    """A run of the model ``vessels`` of the project at hand, which failed."""
    model = tmp_path / "workflows" / "vessels"
    model.mkdir(parents=True)
    (model / "model.yaml").write_text("seed: 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    run = runs.create(tmp_path / "home", "vessels-1")
    annotations = {folder.MODEL: "vessels", folder.SOURCES: folder.sources_digest(model)}
    run.write_manifest({"metadata": {"annotations": annotations}})
    ended(run, "Failed")
    return run


def ended(run: runs.RunFolder, phase: str) -> None:
    """Have *run* end in *phase*."""
    journal = Journal(run.path / runs.JOURNAL)
    journal.write(meta={"phase": phase})
    journal.close()


def given(*, as_begun: bool = False) -> argparse.Namespace:
    """The arguments of the verb."""
    return argparse.Namespace(as_begun=as_begun)


def test_a_mended_folder_is_not_what_a_failed_run_would_take(begun: runs.RunFolder, tmp_path: Path) -> None:
    """It is said at once, with the command that takes it; whoever wants the old files says so."""
    local_run.refuse_other_files(begun, given())
    (tmp_path / "workflows/vessels/model.yaml").write_text("seed: 2\n", encoding="utf-8")
    with pytest.raises(errors.UsageError, match=r"has changed since run vessels-1 began.*`argosy run vessels`"):
        local_run.refuse_other_files(begun, given())
    local_run.refuse_other_files(begun, given(as_begun=True))


def test_an_interrupted_run_goes_on_and_says_so(
    begun: runs.RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of it failed: the files it began with are as good as they were."""
    ended(begun, "Interrupted")
    (tmp_path / "workflows/vessels/model.yaml").write_text("seed: 2\n", encoding="utf-8")
    local_run.refuse_other_files(begun, given())
    assert "a run keeps the files it began with" in capsys.readouterr().err


@pytest.mark.parametrize("annotations", [{}, {folder.MODEL: "elsewhere", folder.SOURCES: "sha256:0"}])
def test_runs_of_nothing_here_are_left_alone(annotations: dict[str, str], begun: runs.RunFolder) -> None:
    """Of no model, or of a model of another project."""
    (begun.path / runs.MANIFEST).write_text(json.dumps({"metadata": {"annotations": annotations}}), encoding="utf-8")
    local_run.refuse_other_files(begun, given())
