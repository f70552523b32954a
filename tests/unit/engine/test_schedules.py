"""When a CronWorkflow starts. ``schedules.json`` is what robfig/cron 3.0.1, the library of Argo's scheduler, was recorded answering."""

import json
from datetime import datetime, timedelta
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


@pytest.mark.parametrize("row", [row for row in RECORDED if len(row["next"] or ()) > 1], ids=_name)
def test_the_last_time_is_the_one_before_the_next(row: dict[str, Any]) -> None:
    """At a time itself that one, and until the moment before the next still; what begins with each start has none of its own."""
    first, second = (datetime.fromisoformat(text) for text in row["next"][:2])
    for moment in (first, second - timedelta(seconds=1)):
        found = schedules.last_time([row["schedule"]], row["zone"], moment)
        # As seconds: a moment that one wall shows twice equals none of another zone to Python.
        assert (found and found.timestamp()) == (None if row["schedule"].startswith("@every") else first.timestamp())


def test_no_last_time() -> None:
    """Of a day that never came."""
    now = datetime.fromisoformat("2026-11-21T11:50:00Z")
    assert schedules.last_time(["0 0 30 2 *"], "UTC", now) is None
    assert schedules.last_time([], "UTC", now) is None


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
