"""Real flights through a summer: a model of the spring is retrained for drift, and the request says why.

Its spring ends with May, which is held out. In June and July more flights are late, and for other reasons than before.
"""

import datetime
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from argosy.domain.retraining_cause import Alert, Cause, MovedColumn

pytestmark = pytest.mark.slow

SPRING, SUMMER = "2013-06-01", "2013-08-01"
MOMENT = datetime.datetime(2013, 7, 2, tzinfo=datetime.UTC)
CAUSE = Cause(
    kind="drift",
    alert=Alert(name="ArgosyDrift", fingerprint="00c0ffee", starts_at=MOMENT),
    environment="production",
    since=MOMENT - datetime.timedelta(days=1),
    until=MOMENT,
    columns=[MovedColumn(column="temp", measure="Jensen-Shannon distance", before=0, now=0.41)],
    explanation="temp differs (Jensen-Shannon 0.41)",
)


def cut(project: Any, until: str) -> Path:
    """The data as it was before *until*, in a folder of its own."""
    data, folder = project.folder / "data" / "flight_delay", project.folder / until
    shutil.copytree(data, folder)
    flights = pq.read_table(data / "flights.parquet")
    before = datetime.datetime.fromisoformat(f"{until}T00:00:00+00:00")
    pq.write_table(flights.filter(pc.field("scheduled_departure") < before), folder / "flights.parquet")
    return folder


@pytest.fixture(scope="module")
def spring(new_project: Callable[[str], Any]) -> Any:
    """A project whose model of the spring is in production."""
    project = new_project("flight_delay")
    months = "holdout_from: 2013-05-01T00:00:00Z, holdout_until: 2013-06-01T00:00:00Z"
    project.edit_settings(
        (r"max_boost_rounds: \d+", "max_boost_rounds: 100"), (r"split: \{.*\}", f"split: {{by: time, {months}}}")
    )
    # Two months later it is less sure than on the last months of a year, of which the policy speaks.
    policy = project.folder / "gitops-env" / "policies" / "flight_delay.yaml"
    policy.write_text(policy.read_text(encoding="utf-8").replace("at_most: 0.06", "at_most: 0.12"), encoding="utf-8")
    project.run_json("run", "flight_delay", "-p", f"data={cut(project, SPRING)}")
    for number in ("1", "2"):
        assert project.call("pr", "merge", number, "--as", "reviewer").returncode == 0
    return project


def retrain(project: Any, data: Path, expect: int) -> dict[str, Any]:
    """The answer of a retraining for drift on *data*."""
    answer: dict[str, Any] = project.run_json(
        "run", "flight_delay", "-p", f"data={data}", "-p", f"cause={CAUSE.text()}", expect=expect
    )
    return answer


def test_a_model_that_learned_the_summer_is_proposed_with_its_cause(spring: Any) -> None:
    """It beats the model of the spring on three weeks of July, and the request says why it is there."""
    answer = retrain(spring, cut(spring, SUMMER), expect=0)
    assert answer["verdict"] == "promote"
    (request,) = re.findall(r"(?m)^#(\d+) +open .*\bstaging\b", spring.call("pr", "list").stdout)
    body = spring.call("pr", "view", request).stdout
    for said in ("Why it was retrained", "ArgosyDrift", "temp", "On the newest labelled rows", "better"):
        assert said in body
