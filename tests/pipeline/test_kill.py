"""kill -9 at any moment: after resume there is one version, one request, and the model of an undisturbed run."""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KILLS = int(os.environ.get("ARGOSY_KILLS", "10"))
"""All fifty take six minutes: `ARGOSY_KILLS=50 .venv/bin/pytest tests/pipeline/test_kill.py`."""
assert KILLS > 0, f"ARGOSY_KILLS={KILLS} kills nothing; give a number of kills"
KILLS_A_HOME = 10
LATEST = 10.0
"""Seconds after its start at which a run is killed at the latest: longer than any step with its imports takes."""


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the state folders of this file lie: one for so many kills."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture
def practised(project: Any, homes: Path) -> Any:
    """A project whose state folder has what steps gave in the tests before, where there were any, and nothing else: no version, no request,
    no run. What comes before the step of interest is taken from there."""
    home = homes / "0"
    for path in home.glob("*"):
        if path.name not in {"cache", "keys", "objects", "objects.lock", "state.json"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return project.at_home(home)


def _kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _result_within(process: subprocess.Popen[str], seconds: float | None) -> dict[str, Any] | None:
    """What the run said, if it ended in time."""
    try:
        out, told = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    assert process.returncode == 0, told[-4000:]
    result: dict[str, Any] = json.loads(out)
    return result


def _go_on(project: Any) -> subprocess.Popen[str]:
    """Resume the newest run, or start another where it was killed before there was anything to resume."""
    known = [json.loads(line)["phase"] for line in project.call("runs", "--json").stdout.splitlines()]
    again = ("resume",) if known and known[0] != "Unknown" else ("run", "churn", "--no-cache")
    started: subprocess.Popen[str] = project.start(*again, "--json")
    return started


def _requests(project: Any) -> list[str]:
    done = project.call("pr", "list", "--all", "--json")
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.strip()]


def _versions(home: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{home}/registry/mlflow.db?mode=ro", uri=True)) as database:
        count: int = database.execute("select count(*) from model_versions").fetchone()[0]
    return count


@pytest.mark.parametrize(
    ("seed", "kills"), list(enumerate(min(KILLS_A_HOME, KILLS - done) for done in range(0, KILLS, KILLS_A_HOME)))
)
def test_any_moment(project: Any, homes: Path, finished: tuple[Any, dict[str, Any]], seed: int, kills: int) -> None:
    """At most ten kills in each state folder, at moments drawn from a seed; what is killed is resumed, what is through begins anew."""
    project = project.at_home(homes / str(seed))
    moments = random.Random(seed)
    results = []
    process = project.start("run", "churn", "--no-cache", "--json")
    for _ in range(kills):
        while result := _result_within(process, moments.uniform(0.3, LATEST)):
            results.append(result)
            process = project.start("run", "churn", "--no-cache", "--json")
        _kill(process)
        process = _go_on(project)
    results.append(_result_within(process, None))
    expected = {"phase": "Succeeded", "verdict": "promote", "model_digest": finished[1]["model_digest"]}
    assert [{key: result[key] for key in expected} for result in results if result] == [expected] * len(results)
    assert _versions(project.home) == 1
    assert len(_requests(project)) == 1


def _until(condition: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 240) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended before the effect was seen"
        assert time.monotonic() < limit, "the effect was never seen"
        time.sleep(0.002)


def _a_version_exists(home: Path) -> bool:
    try:
        return _versions(home) > 0
    except sqlite3.OperationalError:
        return False  # no database yet, or it is being migrated


def _a_request_exists(home: Path) -> bool:
    requests = home / "forge" / "environment.git" / "refs" / "argosy" / "requests"
    return requests.exists() and any(requests.iterdir())


@pytest.mark.parametrize(
    "effect",
    [pytest.param(_a_version_exists, id="in-register"), pytest.param(_a_request_exists, id="in-propose")],
)
def test_between_effect_and_journal(
    practised: Any, finished: tuple[Any, dict[str, Any]], effect: Callable[[Path], bool]
) -> None:
    """Killed as soon as the outside world changed, before the journal knows: the step runs again and finds its own work."""
    assert not effect(practised.home)
    process = practised.start("run", "churn", "--json")
    _until(lambda: effect(practised.home), process)
    _kill(process)
    result = practised.run_json("resume")
    assert result["model_digest"] == finished[1]["model_digest"]
    assert _versions(practised.home) == 1
    assert len(_requests(practised)) == 1


def test_no_step_outlives_a_killed_run(project: Any) -> None:
    """Children die with the engine: nothing of a dead run goes on writing."""
    process = project.start("run", "churn")
    _until(lambda: bool(list(project.home.glob("runs/*/nodes/*/*/main.log"))), process)
    time.sleep(3)
    _kill(process)
    limit = time.monotonic() + 10
    while (alive := _of_home(project.home)) and time.monotonic() < limit:
        time.sleep(0.1)
    assert alive == []


def _of_home(home: Path) -> list[int]:
    """Processes whose environment names *home*."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue  # ended, or not ours to look at
            if f"ARGOSY_HOME={home}".encode() in environment:
                found.append(int(entry.name))
    return found
