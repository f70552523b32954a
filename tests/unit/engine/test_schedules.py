"""When a CronWorkflow starts. ``schedules.json`` is what robfig/cron 3.0.1, the library of Argo's scheduler, was recorded answering."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from argosy.engine import schedules

RECORDED = json.loads((Path(__file__).parent / "schedules.json").read_text(encoding="utf-8"))


def _name(row: dict[str, Any]) -> str:
    return f"{row['schedule']}, {row['zone']}"


@pytest.mark.parametrize("row", [row for row in RECORDED if row["next"] is not None], ids=_name)
def test_next_times_as_recorded(row: dict[str, Any]) -> None:
    """Through both changes of the clock, leap years, and days that never come."""
    found = schedules.next_times([row["schedule"]], row["zone"], datetime.fromisoformat(row["now"]), 5)
    assert [moment.isoformat().replace("+00:00", "Z") for moment in found] == row["next"]


@pytest.mark.parametrize("row", [row for row in RECORDED if row["next"] is None], ids=_name)
def test_refused_as_recorded(row: dict[str, Any]) -> None:
    """What the scheduler cannot read, nor a time zone it does not know, is no schedule here."""
    with pytest.raises(ValueError, match=r"expected five fields|minute|hour|day of|month|unknown time zone"):
        schedules.next_times([row["schedule"]], row["zone"], datetime.fromisoformat(row["now"]), 5)


def test_several_schedules_give_each_time_once() -> None:
    """A moment at which two of them start is one start."""
    now = datetime.fromisoformat("2026-11-21T11:50:00Z")
    found = schedules.next_times(["0 * * * *", "0,30 * * * *"], "UTC", now, 3)
    assert [f"{moment:%H:%M}" for moment in found] == ["12:00", "12:30", "13:00"]


SPEC: dict[str, Any] = {"schedules": ["0 9 * * *"]}


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        pytest.param("n" * 53, {}, "metadata.name: must not be more than 52 characters long", id="long-name"),
        pytest.param("n", {"schedules": []}, "spec.schedules: a CronWorkflow must have at least one", id="no-schedule"),
        pytest.param("n", {"schedules": ["0 9 * * *", "x"]}, r"spec.schedules\[1\]: cron schedule 'x' is malformed", id="malformed"),
        pytest.param("n", {"timezone": "Mars/Base"}, "spec.timezone: unknown time zone Mars/Base", id="zone"),
        pytest.param("n", {"concurrencyPolicy": "Never"}, "spec.concurrencyPolicy: 'Never' is not one of", id="policy"),
        pytest.param("n", {"startingDeadlineSeconds": -1}, "startingDeadlineSeconds: must be positive", id="deadline"),
    ],
)  # fmt: skip
def test_what_argo_refuses(name: str, more: dict[str, Any], message: str) -> None:
    """With the field's path."""
    with pytest.raises(ValueError, match=message):
        schedules.check(name, SPEC | more)
