"""How a retraining ended, by what the run and its steps said of it."""

import datetime

import pytest

from argosy.domain import retraining_ends as ends
from argosy.domain.evidence import VerdictWord
from argosy.domain.retraining_admission import LedgerEntry, Outcome, RetrainingLedger
from argosy.domain.run_failures import FailedStep

NOW = datetime.datetime(2026, 11, 29, 12, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
ENTRY = LedgerEntry(
    id="churn-1",
    identity="1",
    kind="drift",
    environment="production",
    reference="sha256:0a",
    holder="run-1",
    at=NOW,
    lease_until=NOW + 8 * HOUR,
)
LEDGER = RetrainingLedger(
    model="churn", admissions=[ENTRY.model_copy(update={"id": "churn-0", "holder": "run-0"}), ENTRY]
)
NO = [FailedStep("propose", "Error (exit code 10)")]


@pytest.mark.parametrize(
    ("status", "codes", "outcome"),
    [
        pytest.param("Succeeded", [], "requested", id="succeeded"),
        pytest.param("Failed", [10], "rejected", id="gates-said-no"),
        pytest.param("Failed", [10, 1], "failed", id="something-else-broke-too"),
        pytest.param("Failed", [], "failed", id="nothing-known"),
        pytest.param("Error", [137], "failed", id="killed"),
    ],
)
def test_how_it_ended(status: str, codes: list[int], outcome: str) -> None:
    """By the workflow's status, and the exit codes of what failed."""
    failed = [FailedStep(f"step-{place}", f"Error (exit code {code})") for place, code in enumerate(codes)]
    assert ends.outcome(ENTRY, status, failed) == outcome


@pytest.mark.parametrize(
    ("names", "outcome"),
    [
        (["validate"], "bad data"),
        (["ingest", "validate"], "bad data"),
        (["propose"], "rejected"),
        (["ingest", "propose"], "rejected"),
    ],
)
def test_whose_no_it_was(names: list[str], outcome: str) -> None:
    """The data's, or the gates'; what says nothing of how it ended changes neither."""
    failed = [FailedStep(name, "Error (exit code 10)") for name in names]
    assert ends.outcome(ENTRY, "Failed", [*failed, FailedStep("main", "it has no more to do")]) == outcome


def test_a_ledger_names_few_of_many_steps() -> None:
    """A fan-out has hundreds."""
    many = [FailedStep(f"trial({place})", "OOMKilled (exit code 137)") for place in range(300)]
    assert ends.why(many).endswith("trial(4) ended with 137 and 295 more")
    assert ends.why([]) == ""


@pytest.mark.parametrize(
    ("verdict", "request_", "failed", "outcome"),
    [
        pytest.param("promote", "3 here", [], "requested", id="a-request"),
        pytest.param("champion", "", [], "served already", id="the-champion-again"),
        pytest.param("promote", "", [], "served already", id="merged-meanwhile"),
        pytest.param("inconclusive", "", NO, "inconclusive", id="cannot-tell"),
        pytest.param("reject", "", NO, "rejected", id="the-gates-said-no"),
        pytest.param("champion", "", NO, "rejected", id="nothing-new-for-a-drift"),
        pytest.param("inconclusive", "", [FailedStep("notify", "OOMKilled (exit code 137)")], "failed", id="it-broke"),
    ],
)
def test_what_was_noted_decides(
    verdict: VerdictWord, request_: str, failed: list[FailedStep], outcome: Outcome
) -> None:
    """A run that succeeded has not always opened a request, and one that ended with 10 was not always refused."""
    noted = ends.note(LEDGER, "churn-1", verdict, request_, NOW)
    other, ended = ends.close(noted, "run-1", "Failed" if failed else "Succeeded", failed, NOW + HOUR).admissions
    assert (ended.outcome, ended.verdict, ended.request) == (outcome, verdict, request_)
    assert other == LEDGER.admissions[0]


def test_a_step_that_is_tried_again_forgets_no_request() -> None:
    """It notes its verdict first, each time."""
    noted = ends.note(ends.note(LEDGER, "churn-1", "promote", "3 here", NOW), "churn-1", "promote", "", NOW)
    assert noted.admissions[-1].request == "3 here"


def test_a_run_taken_up_after_its_end_has_ended_with_its_request() -> None:
    """The ledger had it as failed; now that a request waits, the same drift starts no other retraining."""
    failed = ends.close(LEDGER, "run-1", "Error", [], NOW)
    assert ends.note(failed, "churn-1", "reject", "", NOW + HOUR).admissions[-1].outcome == "failed"
    mended = ends.note(failed, "churn-1", "promote", "3 here", NOW + HOUR).admissions[-1]
    assert (mended.outcome, mended.ended) == ("requested", NOW + HOUR)


@pytest.mark.parametrize(("verdict", "outcome"), [("champion", "served already"), (None, "requested")])
def test_a_run_taken_up_after_its_end_may_succeed(verdict: VerdictWord | None, outcome: Outcome) -> None:
    """It was given up, and went on: that is how it ended. What it said first stays where its closing is only tried again."""
    failed = ends.close(LEDGER, "run-1", "Error", [], NOW)
    noted = ends.note(failed, "churn-1", verdict, "", NOW) if verdict else failed
    closed = ends.close(noted, "run-1", "Succeeded", [], NOW + HOUR)
    assert (closed.admissions[-1].outcome, closed.admissions[-1].ended) == (outcome, NOW + HOUR)
    assert ends.close(closed, "run-1", "Succeeded", [], NOW + 2 * HOUR) == closed
    assert ends.close(failed, "run-1", "Failed", NO, NOW + HOUR) == failed


def test_what_is_no_admission_changes_nothing() -> None:
    """A cause may name anything."""
    assert ends.note(LEDGER, "another", "promote", "3 here", NOW) == LEDGER


def test_a_run_that_goes_on_has_not_ended_with_its_request() -> None:
    """Its request is noted when it is opened; how the run ended is said when it is over."""
    noted = ends.note(LEDGER, "churn-1", "promote", "3 here", NOW).admissions[-1]
    assert (noted.runs, noted.ended, noted.request) == (True, None, "3 here")


def test_where_it_ended_is_kept_until_a_request_waits() -> None:
    """The steps stand in the ledger, those whose code nobody knows without one; a request that came all the same leaves no blame."""
    broken = [*NO, FailedStep("notify", "it has no more to do")]
    failed = ends.close(LEDGER, "run-1", "Failed", broken, NOW)
    assert failed.admissions[-1].why == "propose ended with 10, notify"
    assert ends.note(failed, "churn-1", "promote", "3 here", NOW).admissions[-1].why == ""
    assert ends.why(NO * ends.MOST_NAMED).count("propose") == ends.MOST_NAMED
    assert "more" not in ends.why(NO * ends.MOST_NAMED)


def test_a_run_that_was_lost_may_succeed() -> None:
    """Its lease had ended, as for one that failed; one that was refused stays so."""
    for outcome, after in (("lost", "requested"), ("rejected", "rejected")):
        ledger = LEDGER.model_copy(update={"admissions": [ENTRY.model_copy(update={"outcome": outcome})]})
        assert ends.close(ledger, "run-1", "Succeeded", [], NOW).admissions[-1].outcome == after
