"""A backfill as people see it."""

import dataclasses
import datetime
from pathlib import Path

from argosy.report import backfill_page
from argosy.report.backfill_page import BackfillLine
from argosy.report.record import RunReport


def month(number: int) -> datetime.datetime:
    return datetime.datetime(2013, number, 1, tzinfo=datetime.UTC)


def test_one_line_a_run(report: RunReport, stopped: RunReport) -> None:
    """The score that the policy compares by, the gates, the verdict; or where it stopped, or that there is none."""
    lines = [
        BackfillLine(month(1), report),
        BackfillLine(month(2), stopped),
        BackfillLine(month(3)),
        BackfillLine(month(4), None, "no room on the disk"),
    ]
    head, *rows = backfill_page.text("churn", lines).splitlines()
    assert head.split() == ["as", "of", "trained", "on", "held", "out", "f1", "gates", "outcome", "run"]
    assert report.evidence is not None
    assert rows[0].startswith("2013-01-01  ")
    assert report.evidence.verdict in rows[0]
    assert "The run stopped in" in rows[1]
    assert "not run yet" in rows[2]
    assert "no room on the disk" in rows[3]


def test_the_page(report: RunReport, tmp_path: Path) -> None:
    """One line of each kind through the months; names of others are text."""
    odd = dataclasses.replace(report, facts=dataclasses.replace(report.facts, run="<b>run"))
    backfill_page.write(
        "churn",
        [BackfillLine(month(1), report), BackfillLine(month(2), odd), BackfillLine(month(3))],
        tmp_path / "page.html",
    )
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<polyline") == 3  # held out, cross-validated, limit
    assert "2 of 3 runs came to a verdict" in page
    assert "&lt;b&gt;run" in page
    assert "<b>run" not in page


def test_one_verdict_is_no_line(report: RunReport, tmp_path: Path) -> None:
    """Then the table says it all."""
    backfill_page.write("churn", [BackfillLine(month(1), report), BackfillLine(month(2))], tmp_path / "page.html")
    assert "<polyline" not in (tmp_path / "page.html").read_text(encoding="utf-8")
