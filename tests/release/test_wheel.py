"""The wheel is enough: in an environment of its own, in an empty folder, with nothing of this checkout in reach."""

import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

STEP = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: step-}
spec:
  entrypoint: main
  templates:
  - name: main
    container:
      image: argosy/data:dev
      command: [python, -c]
      args: ["import argosy.steps.main, sys; print('steps are those of', argosy.steps.__path__[0])"]
"""
Argosy = Callable[..., str]


@pytest.fixture
def argosy(environment: Path, tmp_path: Path) -> Iterator[Argosy]:
    """The command of *environment* in an empty folder, with a home that nobody can write."""
    work, home = tmp_path / "work", tmp_path / "read-only"
    work.mkdir()
    home.mkdir(mode=0o555)
    given = {"HOME": str(home), "ARGOSY_HOME": str(tmp_path / "state"), "LANG": "C.UTF-8"}
    given["PATH"] = f"{environment / 'bin'}:/usr/bin:/bin"

    def run(*words: str) -> str:
        command = [environment / "bin" / "argosy", *words]
        done = subprocess.run(command, cwd=work, env=given, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    yield run
    assert list(home.iterdir()) == []


def test_what_is_in_it(wheel: Path, root: Path) -> None:
    """All modules, both charts, the sample project; no bytecode, no tests, no data."""
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(root / "src")) for path in (root / "src" / "argosy").rglob("*.py")}
    assert modules <= names
    assert {"argosy/charts/inference/Chart.yaml", "argosy/charts/platform/Chart.yaml"} <= names
    assert "argosy/sample/gitops-env/.github/workflows/checks.yaml" in names
    assert [name for name in names if name.endswith(".pyc") or name.startswith(("tests/", "data/"))] == []


def test_a_project_from_the_wheel(argosy: Argosy, environment: Path, tmp_path: Path) -> None:
    """`argosy init` writes a project with its data that compiles, lints and is where `argosy demo` would begin."""
    argosy("init")
    [folder] = (tmp_path / "work" / "workflows").iterdir()
    argosy("compile", "--check", f"workflows/{folder.name}")
    argosy("lint", f"workflows/{folder.name}")
    assert list((tmp_path / "work" / "data" / folder.name).glob("*.csv"))
    assert "ready" in argosy("setup")


def test_its_steps_find_it(argosy: Argosy, environment: Path, tmp_path: Path) -> None:
    """A step sees the environment that runs the engine, also one below /tmp, of which each step has its own."""
    (tmp_path / "work" / "step.yaml").write_text(STEP)
    argosy("run", "--file", "step.yaml")
    assert f"steps are those of {environment.resolve()}" in argosy("logs", "-")
