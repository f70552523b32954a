"""Where the minutes went."""

from dataclasses import replace

import pytest

from argosy.report import timeline
from argosy.report.record import Entry, RunReport


def test_tasks_of_a_fan_out_share_a_row(report: RunReport) -> None:
    """Three tasks of one fan-out: one row, work summed, wall from first start to last finish."""
    times = timeline.of(report.facts, report.entries)
    row = next(row for row in times.rows if row.label == "tune.trial-0")
    assert (len(row.spans), row.work, row.wall) == (3, pytest.approx(12.0), pytest.approx(7.0))


@pytest.mark.parametrize(
    ("name", "label"),
    [
        pytest.param("$.train", "train", id="task"),
        pytest.param("$.train(1)", "train", id="attempt"),
        pytest.param('$.tune.trial-0(3:[{"number":1,"lr":0.1}])', "tune.trial-0", id="item-with-dots"),
        pytest.param('$.tune.trial-0(3:[{"lr":0.1}])(1)', "tune.trial-0", id="attempt-of-an-item"),
        pytest.param("$.a(0:x).b", "a(0:x).b", id="inside-a-fan-out"),
    ],
)
def test_a_row_is_named_by_its_task(name: str, label: str) -> None:
    """The item of a fan-out and the number of an attempt are no part of a task's name."""
    assert timeline.label_of(name) == label


def test_what_the_cache_answered_is_no_work(report: RunReport) -> None:
    """The seconds of a cached step were spent in another run."""
    times = timeline.of(report.facts, report.entries)
    assert times.cached == 1
    assert next(row for row in times.rows if row.label == "ingest").work == 0.0


def test_the_gap_is_time_in_which_no_step_ran(report: RunReport) -> None:
    """0.2 s before the first, 0.1 s after ingest, 0.1 and 0.2 s between steps, 1 s at the end."""
    assert timeline.of(report.facts, report.entries).gap == pytest.approx(1.6)


def test_waiting_is_the_time_between_ready_and_started(report: RunReport) -> None:
    """A task that was ready at 5 s and started at 9 s waited four seconds for a place."""
    late = [replace(entry, ready=entry.started - 4.0) for entry in report.entries if entry.started]
    assert timeline.of(report.facts, late).rows[0].waiting == pytest.approx(4.0)


def test_a_running_task_has_no_width_yet(report: RunReport) -> None:
    """A run that was killed has attempts without an end."""
    running = Entry("$.train", "train", "Running", started=report.facts.started + 3.0)
    times = timeline.of(replace(report.facts, finished=None), [running])
    assert (times.wall, times.work) == (pytest.approx(3.0), 0.0)
