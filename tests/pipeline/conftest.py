"""A project like this checkout in a temporary folder, with a short search, and the command run as a user would."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

ROOT = Path(__file__).parents[2]
ARGOSY = Path(sys.executable).with_name("argosy")


@dataclass(frozen=True)
class Project:
    """A folder with a model, its data and an environment repo to start from; and a state folder of its own."""

    folder: Path
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    SHORT: ClassVar = (
        (r"(?m)^  folds: \d+", "  folds: 3"),
        (r"(?m)^  max_boost_rounds: \d+", "  max_boost_rounds: 60"),
    )
    """Changes of settings with which training takes less, for tests that look at something else."""

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


STEPS_GAVE = ("cache", "objects", "objects.lock", "state.json")
"""Of a state folder, what steps gave: no version, no request, no run, no key."""


def with_steps_of(finished: Project, project: Project, *, but: Collection[str] = ()) -> Project:
    """*project*, its state folder with what the steps of *finished* gave, *but* some: what is the same is not calculated again."""
    project.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in STEPS_GAVE:
        if (finished.home / name).is_dir():
            shutil.copytree(finished.home / name, project.home / name, symlinks=True)
        else:
            shutil.copy2(finished.home / name, project.home / name)
    told = {f"spent-{step}": step for step in but}
    gone = set()
    for path in (project.home / "cache").glob("*/*.json"):
        for parameter in told.keys() & json.loads(path.read_text(encoding="utf-8"))["parameters"].keys():
            path.unlink()
            gone.add(told[parameter])
    assert gone == set(but), f"of {sorted(set(but) - gone)} nothing was kept"
    return project


def _once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[], Any]) -> Any:
    """What *make* gives as JSON, made once for all workers of a session: by the first that asks."""
    folder = tmp_path_factory.getbasetemp()
    known = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / f"{name}.json"
    with known.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not known.exists():
            known.write_text(json.dumps(make()), encoding="utf-8")
    return json.loads(known.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def _unchanged(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    """The project of a model, that of all workers of a session. Nothing may change its files."""

    def project(model: str) -> Project:
        at = _once(
            tmp_path_factory,
            f"project-{model}",
            lambda: str(make_project(tmp_path_factory.mktemp("unchanged") / model, model).folder),
        )
        return Project(Path(at), Path(at).with_name("home"))

    return project


def _copied(project: Project, folder: Path) -> Project:
    shutil.copytree(project.folder, folder, symlinks=True)
    return Project(folder, folder / "home")


@pytest.fixture
def own_project(_unchanged: Callable[[str], Project], tmp_path: Path) -> Project:
    """A project with the churn model whose files a test may change."""
    return _copied(_unchanged("churn"), tmp_path / "project")


@pytest.fixture(scope="session")
def new_project(
    _unchanged: Callable[[str], Project], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Project]:
    """Makes projects that outlive a test."""
    return lambda model: _copied(_unchanged(model), tmp_path_factory.mktemp("project") / model)


@pytest.fixture
def project(_unchanged: Callable[[str], Project], tmp_path: Path) -> Project:
    """A project with the churn model and nothing in its state folder, which is this test's own. Tests must not change its files."""
    return _unchanged("churn").at_home(tmp_path / "home")


@pytest.fixture(scope="session")
def finished(
    _unchanged: Callable[[str], Project], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, dict[str, Any]]:
    """A project in which the pipeline ran once, and what it said. Tests must not change it: it is that of all workers of a session."""
    project = _unchanged("churn")
    result: dict[str, Any] = _once(tmp_path_factory, "finished", lambda: project.run_json("run", "churn"))
    return project, result


@pytest.fixture(scope="session")
def known(finished: tuple[Project, dict[str, Any]]) -> Callable[..., Project]:
    """Gives a project what the steps of a finished run gave, for tests that are about what comes after."""
    return lambda project, **given: with_steps_of(finished[0], project, **given)
