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
    assert head.split() == ["as", "of", "trained", "on", "held", "out", "f1", "gates", "run", "outcome"]
    assert report.evidence is not None
    assert rows[0].startswith("2013-01-01  ")
    assert rows[0].endswith(report.evidence.verdict)
    assert "The run stopped in" in rows[1]
    assert "not run yet" in rows[2]
    assert "no room on the disk" in rows[3]


def test_gates_that_failed_are_named(report: RunReport) -> None:
    """Up to three of them: which ones change from month to month is what a backfill is for."""
    evidence = report.evidence
    assert evidence is not None
    gate = next(each for each in evidence.gates if not each.deviation)
    failed = [gate.model_copy(update={"passed": False, "gate": f"gate.{place}"}) for place in range(4)]
    told = []
    for some in (failed[:1], failed):
        judged = dataclasses.replace(report, evidence=evidence.model_copy(update={"verdict": "reject", "gates": some}))
        told.append(backfill_page.text("churn", [BackfillLine(month(1), judged)]).splitlines()[1])
    assert told[0].endswith("reject: gate.0")
    assert told[1].endswith("reject: gate.0, gate.1, gate.2 and 1 more")


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
