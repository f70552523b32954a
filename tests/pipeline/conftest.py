"""A project like this checkout in a temporary folder, with a short search, and the command run as a user would."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ARGOSY = Path(sys.executable).with_name("argosy")


@dataclass(frozen=True)
class Project:
    """A folder with a model, its data and an environment repo to start from; and a state folder of its own."""

    folder: Path
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, *words: str) -> list[str]:
        """The command line of *words*."""
        return [str(ARGOSY), *words]

    def variables(self) -> dict[str, str]:
        """The environment the command runs in: nothing of this process' own settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ARGOSY_", "PYTEST_"))}
        return {**kept, "ARGOSY_HOME": str(self.home), **self.environment}

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the command and return at once."""
        return subprocess.Popen(
            self.command(*words),
            cwd=self.folder,
            env=self.variables(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def call(self, *words: str, timeout: float = 280) -> subprocess.CompletedProcess[str]:
        """Run the command to its end, whatever that is."""
        return subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.variables(),
            text=True,
            capture_output=True,
            timeout=timeout,
            check=False,
        )

    def run_json(self, *words: str, expect: int = 0) -> dict[str, Any]:
        """Run the command with --json; its one object. Fails the test with the whole output where the exit code is another."""
        done = self.call(*words, "--json")
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def edit_settings(self, *changes: tuple[str, str]) -> None:
        """Change the model's settings, pattern by replacement, and commit that."""
        self.edit("model.yaml", *changes)

    def edit(self, file: str, *changes: tuple[str, str], times: int = 1) -> None:
        """The same of another *file* of the model's folder, where each pattern stands so many *times*."""
        path = next(self.folder.glob("workflows/*/model.yaml")).with_name(file)
        text = path.read_text(encoding="utf-8")
        for pattern, replacement in changes:
            text, count = re.subn(pattern, replacement, text)
            assert count == times, f"{pattern!r} stands {count} times in {path}"
        path.write_text(text, encoding="utf-8")
        self.commit()

    def commit(self) -> None:
        """Compile and commit what is there, as whoever wants it in production does."""
        folder = next(self.folder.glob("workflows/*/model.yaml")).parent
        assert self.call("compile", str(folder)).returncode in {
            0,
            78,
        }  # what cannot be compiled is a test's own business
        git = ["git", "-C", str(self.folder), "-c", "user.name=ada", "-c", "user.email=ada@example.com"]
        for words in (["init", "--quiet"], ["add", "--all", "workflows"], ["commit", "--quiet", "--message", "change"]):
            subprocess.run([*git, *words], check=True)

    def at_home(self, home: Path, **environment: str) -> "Project":
        """The same project with another state folder."""
        return Project(self.folder, home, environment)


def make_project(folder: Path, model: str) -> Project:
    """A project with only *model*, and six trials instead of a hundred."""
    data = ROOT / "data" / model
    if not data.exists():
        pytest.fail(f"{data} is not there; `make data` writes it")
    shutil.copytree(data, folder / "data" / model)
    shutil.copytree(
        ROOT / "workflows" / model, folder / "workflows" / model, ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(ROOT / "gitops-env", folder / "gitops-env")
    project = Project(folder, folder / "home")
    fewer = {"trials": 6, "per_round": 3, "per_task": 2}
    project.edit_settings(*((rf"(?m)^  {name}: \d+", f"  {name}: {number}") for name, number in fewer.items()))
    return project


@pytest.fixture
def own_project(tmp_path: Path) -> Project:
    """A project with the churn model whose files a test may change."""
    return make_project(tmp_path / "project", "churn")


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    """Makes projects that outlive a test."""
    return lambda model: make_project(tmp_path_factory.mktemp("project") / model, model)


@pytest.fixture(scope="session")
def _unchanged(new_project: Callable[[str], Project]) -> Project:
    return new_project("churn")


@pytest.fixture
def project(_unchanged: Project, tmp_path: Path) -> Project:
    """A project with the churn model and nothing in its state folder, which is this test's own. Tests must not change its files."""
    return _unchanged.at_home(tmp_path / "home")


@pytest.fixture(scope="session")
def finished(
    new_project: Callable[[str], Project], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, dict[str, Any]]:
    """A project in which the pipeline ran once, and what it said. Tests must not change it: it is that of all workers of a session."""
    folder = tmp_path_factory.getbasetemp()
    known = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "finished.json"
    with known.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever comes first runs it
        if not known.exists():
            project = new_project("churn")
            result = project.run_json("run", "churn")
            known.write_text(json.dumps([str(project.folder), str(project.home), result]), encoding="utf-8")
    at, home, result = json.loads(known.read_text(encoding="utf-8"))
    return Project(Path(at), Path(home)), result
