"""Logged predictions are deleted once they are older than somebody decided."""

import time
from pathlib import Path

import pytest

from argosy import wiring
from argosy.cli import main
from argosy.settings import Settings
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction

DAY = 86_400


def test_old_hours_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that ended so many days ago; the last ones stay."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path))
    settings = Settings.from_environment()
    log = wiring.prediction_log(settings, SERVED, FEATURES)
    log.append([prediction(age, at=time.time() - age * DAY) for age in (0, 5, 40, 95)])
    log.close()
    assert main.run(["predictions", "prune", "--days", "30"]) == 0
    assert capsys.readouterr().out.startswith("deleted: 2 segments of before ")
    found = wiring.prediction_history(settings).read(SERVED.model, SERVED.environment)
    assert {name for part in found for name in part.table["request_id"].to_pylist()} == {"r0", "r5"}


@pytest.mark.parametrize("days", ["0", "-1", "x", "1.5", "99999"])
def test_days_that_are_none(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is deleted by a slip of the pen."""
    with pytest.raises(SystemExit):
        main.run(["predictions", "prune", "--days", days])
    assert "no number of days" in capsys.readouterr().err or days == "-1"
