"""`argosy plan`: what it says of a model's manifest."""

import shutil
import subprocess
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one model in it that no commit has, which the process is in."""
    for name in ("workflows/churn", "gitops-env/policies", "data/churn"):
        shutil.copytree(ROOT / name, tmp_path / name)
    subprocess.run(["git", "-C", str(tmp_path), "init", "--quiet"], check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    return tmp_path


def test_a_manifest_that_no_commit_has(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Held against nothing it would be new from its first to its last line: that is counted, and shown where somebody asks."""
    assert main.run(["plan", "churn"]) == errors.DONE
    said = capfd.readouterr().out
    lines = len((project / "workflows/churn/pipeline.yaml").read_text(encoding="utf-8").splitlines())
    assert f"manifest  as its folder has it; no commit has one yet ({lines} lines: --diff)\nrequest" in said
    assert main.run(["plan", "churn", "--diff"]) == errors.DONE
    assert "\n  +kind: WorkflowTemplate\n" in capfd.readouterr().out


def test_a_manifest_as_committed(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One line."""
    git = ["git", "-C", str(project), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run([*git, "add", "workflows"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message=all"], check=True)
    assert main.run(["plan", "churn"]) == errors.DONE
    assert "manifest  as its folder has it; equal to the committed one\nrequest" in capfd.readouterr().out
