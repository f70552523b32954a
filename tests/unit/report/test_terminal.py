"""A run in a few lines."""

from dataclasses import replace
from pathlib import Path

from argosy.report import terminal
from argosy.report.record import RunReport


def test_a_good_run_says_what_waits_where_and_what_it_cost(report: RunReport) -> None:
    """Verdict, gates by dimension, version, request, time, memory and page."""
    lines = terminal.summary(report, Path("/runs/report.html")).splitlines()
    assert lines[0] == "vessels: Ready for review: all 7 gates hold"
    assert "  request   7 waits for review: argosy pr view 7" in lines
    assert any(line.startswith("  time      24.0 s (evaluate 7.9 s, tune.trial-0 7.0 s") for line in lines)
    assert "  memory    640 MB at its peak" in lines
    assert lines[-1] == "  report    /runs/report.html"


def test_a_rejection_names_each_failed_gate_with_its_numbers(rejected: RunReport) -> None:
    """Measured, limit, and what would pass."""
    text = terminal.summary(rejected)
    assert "performance.auc: 0.71, limit ≥ 0.8; would pass: >= 0.8 would pass" in text
    assert "calibration.ece: 0.14, limit ≤ 0.05" in text


def test_a_run_that_stopped_says_why(stopped: RunReport) -> None:
    """The step's own last words."""
    assert "tenure is missing" in terminal.summary(stopped)


def test_a_request_elsewhere_is_named_by_its_address(report: RunReport) -> None:
    """`argosy pr` shows the requests of this machine; others have a page of their own."""
    elsewhere = replace(report, results={"request": "12 https://forge.example/environment/pull/12"})
    assert "request   12 waits for review: https://forge.example/environment/pull/12" in terminal.summary(elsewhere)
