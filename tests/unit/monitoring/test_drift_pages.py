"""The page of a look shows what was judged: these rows, against these counts, with this verdict."""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain.drift import Finding
from argosy.domain.monitor_settings import Monitor
from argosy.monitoring import pages, watching
from kit.memory_history import BEGIN, MemoryHistory
from kit.watched_toy import DAY, HOUR, JULY, SUMMER, a_day, drawn, watched


class Recorder:
    """Draws nothing, and keeps what it was given."""

    given: dict[str, Any]

    def write(
        self, path: Path, *, now: pa.Table, before: pa.Table, findings: Mapping[str, Finding], **words: Any
    ) -> None:
        """See the port."""
        self.given = {"now": now, "before": before, "findings": findings, **words}


def page_of(
    monitor: Monitor, history: MemoryHistory, since: datetime.datetime, until: datetime.datetime
) -> tuple[watching.Judged, dict[str, Any]]:
    """What is drawn of a look, and the look."""
    subject, drawing = watched(monitor), Recorder()
    judged = watching.judge(
        subject, history=history, objects=MemoryObjects(), since=since, until=until, now=until + 30 * DAY
    )
    pages.write(Path("page.html"), subject, judged, history=history, pages=drawing)
    return judged, drawing.given


def mean(table: pa.Table, name: str) -> float:
    """Of a column that is drawn."""
    return float(pc.mean(table[name]).as_py())


@pytest.mark.parametrize(
    ("monitor", "seats"),
    [
        pytest.param(Monitor(), 12.5, id="holdout"),
        pytest.param(Monitor(baseline="season", seasonality=SUMMER), 20.5, id="season"),
        pytest.param(Monitor(baseline="previous window"), 16.5, id="window-before"),
    ],
)
def test_a_page_draws_what_the_window_was_held_against(monitor: Monitor, seats: float) -> None:
    """The holdout has ten seats, and two and a half for its pro plans, July eighteen, the day before fourteen."""
    history = a_day(JULY, seats=25)
    history.shipped |= a_day(JULY - DAY, seed=900, seats=14).shipped
    judged, given = page_of(monitor, history, JULY, JULY + DAY)
    assert mean(given["before"], "seats") == pytest.approx(seats, abs=0.6)
    assert mean(given["now"], "seats") == pytest.approx(27.5, abs=0.6)
    assert f"{judged.look.report.rows_before:,} rows of {judged.look.reference}" in given["title"]
    assert given["verdict"] == f"drift: {judged.look.explanation}"
    assert given["drift"]


def test_rows_outside_of_the_window_are_not_drawn() -> None:
    """A window from the half of one hour to the half of another."""
    history, half = MemoryHistory(), HOUR / 2
    for place in range(4):
        history.ship(BEGIN + place * HOUR, drawn(place, BEGIN + place * HOUR, 400))
    judged, given = page_of(Monitor(), history, BEGIN + half, BEGIN + 3 * HOUR + half)
    assert given["now"].num_rows == judged.look.rows == 1200


def test_findings_are_under_the_names_that_are_drawn() -> None:
    """Of features, prediction and decision."""
    judged, given = page_of(Monitor(), a_day(BEGIN, seats=14), BEGIN, BEGIN + DAY)
    assert set(given["findings"]) == set(given["now"].column_names) == {"seats", "plan", "prediction", "decision"}
    assert given["findings"]["prediction"] is judged.look.report.prediction
    assert {name for name, finding in given["findings"].items() if finding.drifted} == set(judged.look.report.drifted)
