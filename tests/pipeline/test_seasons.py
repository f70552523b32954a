"""Real seasons: flights from New York are late more often in July than in September, and it is warmer. That is no drift.

`argosy demo` shows it, and this is what it shows: real looks and real performance of real weeks, which the model has not seen.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy.cli.demonstration import script

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

LINE = re.compile(
    r"   (?P<week>2013-\d\d-\d\d) +(?P<rows>\d+) +(?P<late>\d+)% +(?P<season>no drift|drift|too few) +(?P<holdout>drift: .+?|no drift) "
    r"+(?P<then>\d+)% +(?P<auc>0\.\d+) +(?P<later>\d+)% +(?P<settled>0\.\d+)"
)


@pytest.fixture(scope="module")
def shown(new_project: Callable[[str], Any]) -> str:
    """What a user sees."""
    project = new_project("flight_delay")
    done = project.call("demo", "workflows/flight_delay", timeout=1100)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-4000:]
    assert not list(project.home.glob("runs/*"))
    return str(done.stdout)


def test_a_season_is_drift_without_the_seasonal_baseline_and_none_with_it(shown: str, root: Path) -> None:
    """Each week of the year differs from the holdout of autumn; nearly none differs from its month by more than weeks do."""
    story = script.load_season(root / "workflows" / "flight_delay")
    weeks = {found["week"]: found for found in map(LINE.fullmatch, shown.splitlines()) if found}
    assert len(weeks) == story.weeks == 38
    verdicts = [found["season"] for found in weeks.values()]
    assert verdicts.count("drift") <= story.alarms
    assert "too few" not in verdicts
    assert sum(found["holdout"] == "no drift" for found in weeks.values()) <= story.quiet
    for week in ("2013-07-08", "2013-09-16"):
        assert weeks[week]["season"] == "no drift"
    assert int(weeks["2013-07-08"]["late"]) > 1.7 * int(weeks["2013-09-16"]["late"])


def test_labels_come_later(shown: str) -> None:
    """When a week ends, not all of its flights have arrived; seven days later all have, and the figure is another."""
    weeks = [found for found in map(LINE.fullmatch, shown.splitlines()) if found]
    assert all(int(found["then"]) <= int(found["later"]) == 100 for found in weeks)
    assert any(found["auc"] != found["settled"] for found in weeks)


def test_a_real_change_is_drift_in_any_season(shown: str) -> None:
    """An airport that sends nothing any more is told, with the column by name."""
    (line,) = [line for line in shown.splitlines() if "without origin EWR" in line]
    assert ": drift: " in line
    assert "origin differs" in line
