"""What all tests share: nothing outside a temporary folder is touched, and cluster tests are opt-in."""

import functools
import gc
import itertools
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path

# Before Feast, whose import makes of every counter of the process one that all processes of the machine share.
import prometheus_client  # noqa: F401
import pytest
from hypothesis import HealthCheck, settings

# As in the Makefile: each worker, and hundreds of short processes, import the same files and libraries, and without bytecode each compiles
# them anew (collecting takes 33 s of processor instead of 15, a worker).
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Before anything imports them: a failed assertion of a contract suite shows its values, as in any test file.
pytest.register_assert_rewrite("argosy.testing", "kit")

# A machine that has other things to do is no fault of what is tested: an example may take as long as it takes.
settings.register_profile("argosy", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("argosy")

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--e2e`; it has to be declared where the first arguments are read."""
    parser.addoption("--e2e", action="store_true", help="also run tests on the cluster that KUBECONFIG names")


MEMORY_OF_A_WORKER = 3 << 30
"""Bytes that a worker and what it starts may need: a whole pipeline, or a few servers."""


def pytest_xdist_auto_num_workers() -> int:
    """A worker for each core that this process may use and one more, since some wait for what they started; as far as memory goes."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(len(os.sched_getaffinity(0)) + 1, memory // MEMORY_OF_A_WORKER))


def pytest_configure(config: pytest.Config) -> None:
    """Each worker begins to collect somewhere else. In a new checkout nothing is compiled yet, and workers that go through all files side
    by side compile each of them, and each library, once a worker; so they find what the others did."""
    worker = getattr(config, "workerinput", None)
    if worker is None or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    folders = [folder for path in sorted((ROOT / "tests").iterdir()) for folder in _unfolded(path)]
    number, workers = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
    first = number % workers * len(folders) // workers
    config.args = [str(folder) for folder in folders[first:] + folders[:first]]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end, with the libraries that test files import: looking for garbage among it, again and again, is a
    fifth of the time that collecting takes, and later of the time of tests that make much."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def _unfolded(path: Path) -> list[Path]:
    """The folder *path*; instead of the one that holds most tests, what is in it."""
    places = sorted(path.iterdir()) if path.name == "unit" else [path]
    return [
        place
        for place in places
        if place.name.startswith("test_") or (place.is_dir() and any(place.rglob("test_*.py")))
    ]


LONG = (
    *("pipeline/test_kill", "pipeline/", "engine/test_crash", "engine/", "contract/test_registry", "unit/serving/"),
    *("alerting/", "contract/", "unit/steps/", "walls/", "unit/cli/"),
)
"""What takes longest, the longest first: folders with a file of half a minute come before those of many short ones."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: each is one worker's, and nobody should wait at the end for the one that began last. Then by name: all workers have
    to have one order, wherever they began to collect."""

    @functools.cache
    def place(path: Path) -> tuple[int, str]:
        name = path.relative_to(ROOT / "tests").as_posix() if path.is_relative_to(ROOT / "tests") else path.as_posix()
        return next((number for number, start in enumerate(LONG) if name.startswith(start)), len(LONG)), name

    items.sort(key=lambda item: place(item.path))


@pytest.fixture(scope="session")
def _new_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes state folders, numbered here: `mktemp` reads the names of all folders before, and that is 10 ms after ten thousand tests."""
    homes, numbers = tmp_path_factory.mktemp("argosy-homes"), itertools.count()

    def make() -> Path:
        home = homes / str(next(numbers))
        home.mkdir(mode=0o700)
        return home

    return make


@pytest.fixture(autouse=True)
def _own_home(_new_home: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a state folder of its own; the user's is never seen."""
    monkeypatch.setenv("ARGOSY_HOME", str(_new_home()))


@pytest.fixture(autouse=True)
def _json_of_its_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a verb prints with --json is what its schema says, in whichever test."""
    from argosy.cli import main  # not before: what is imported here cannot be rewritten any more
    from kit import json_shapes

    monkeypatch.setattr(main, "_dispatch", json_shapes.held(main._dispatch))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def workflows(root: Path) -> list[Path]:
    """The folders of the models in this checkout."""
    return sorted(path.parent for path in (root / "workflows").glob("*/pipeline.py"))
