"""Processes that Argosy starts import nothing from the folder in which it was started, where files of anybody's may lie."""

import datetime
import subprocess
from pathlib import Path

import pytest

from argosy import wiring
from argosy.adapters import child_server
from argosy.adapters.segment_log.shipper import ENDED
from argosy.cli import backfill
from argosy.serving import supervisor
from argosy.settings import Settings
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction


@pytest.fixture(autouse=True)
def _foreign_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with programs that somebody named like modules of Python's, which most libraries import."""
    for name in ("argparse.py", "random.py"):
        (tmp_path / name).write_text(f"raise SystemExit('somebody else has {name}')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def test_the_log_is_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that ships it does not die of the file again and again."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    log = wiring.prediction_log(Settings.from_environment(), SERVED, FEATURES)
    log.append([prediction(1)])
    log.close()
    standing = log.standing()
    assert (standing.shipped, standing.failures[ENDED]) == (1, 0)


def test_a_worker_starts() -> None:
    """`--workers 2` is the server that one process is."""
    started = subprocess.run(supervisor.command(["--help"]), capture_output=True, text=True, check=False)
    assert (started.returncode, started.stderr) == (0, "")


def test_a_backfills_run_starts() -> None:
    """It is the command that was typed."""
    assert backfill._Child.start(datetime.datetime.now(datetime.UTC), ["--help"]).end() == (0, "")


def test_a_trial_server_starts(tmp_path: Path) -> None:
    """It says itself that there is no bundle."""
    with pytest.raises(child_server._BundleRefusedError), child_server._serving(tmp_path / "none", "sha256:0"):
        pass
