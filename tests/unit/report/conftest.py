"""Runs that ended in different ways: what every view of a report is tried on."""

from dataclasses import replace

import pytest

from argosy.report.record import Entry, RunReport
from kit import reported


@pytest.fixture
def report() -> RunReport:
    """The record of a run that went through and opened a request."""
    return reported.full()


@pytest.fixture
def rejected(report: RunReport) -> RunReport:
    """The record of a run whose model failed two gates."""
    gates = [
        reported.gate("performance.auc", 0.71, ">= 0.8", passed=False),
        reported.gate("calibration.ece", 0.14, "<= 0.05", passed=False),
        reported.gate("latency.p95_ms", 1.9, "<= 100"),
    ]
    judged = reported.evidence(verdict="reject", gates=gates, explanation="Two gates failed.")
    failed = replace(report.entries[-1], phase="Failed", error="error: rejected", message="exit code 10")
    return replace(
        report, evidence=judged, entries=(*report.entries[:-1], failed), facts=replace(report.facts, phase="Failed")
    )


@pytest.fixture
def stopped(report: RunReport) -> RunReport:
    """The record of a run that stopped in validate: nothing after it exists."""
    failed = Entry(
        "$.validate",
        "validate",
        "Failed",
        reported.START + 2.3,
        reported.START + 5.0,
        error="error: tenure is missing in vessels",
    )
    return RunReport(
        facts=replace(report.facts, phase="Failed"), entries=(*report.entries[:2], failed), lineage=report.lineage
    )
