"""How a run ended, in the words that a person reads first."""

from dataclasses import replace

import pytest

from argosy.domain.retraining_admission import Refused
from argosy.report import html, run_outcome
from argosy.report.record import Entry, RunReport


def test_a_promoted_model_waits_for_review(report: RunReport) -> None:
    """An accepted deviation is not counted among the gates."""
    assert run_outcome.of(report).headline == "Ready for review: all 7 gates hold"


def test_a_rejection_is_the_news_not_the_step_that_said_so(rejected: RunReport) -> None:
    """`propose` ends with a failure when the verdict is no; what a person wants to read is the verdict."""
    end = run_outcome.of(rejected)
    assert (end.word, end.tone, end.headline) == ("reject", "bad", "Rejected: 2 of 3 gates failed")


def test_a_rejection_counts_its_gates_once(rejected: RunReport) -> None:
    """The verdict's own paragraph opens with the same figure; behind the headline it goes on where that ends."""
    assert rejected.evidence
    given = rejected.evidence.model_copy(update={"explanation": "2 of 3 gates failed: auc is low; f1 is low."})
    assert run_outcome.of(replace(rejected, evidence=given)).detail == "auc is low; f1 is low."


def test_a_run_that_stopped_says_where_and_why(stopped: RunReport) -> None:
    """The step's own last words are shown."""
    end = run_outcome.of(stopped)
    assert end.headline == "The run stopped in validate"
    assert end.detail == "tenure is missing in vessels"


def test_a_failure_after_a_good_verdict_is_the_news(report: RunReport) -> None:
    """All gates hold, and signing failed: nothing is waiting for review."""
    failed = Entry("$.sign", "sign", "Failed", error="error: no key")
    assert run_outcome.of(replace(report, entries=(*report.entries, failed))).headline == "The run stopped in sign"


def test_an_attempt_that_was_made_good_is_no_failure(report: RunReport) -> None:
    """A retry that succeeded: the run went through."""
    attempts = (Entry("$.sign(0)", "sign", "Failed"), Entry("$.sign(1)", "sign", "Succeeded"))
    assert run_outcome.of(replace(report, entries=(*report.entries, *attempts))).word == "promote"


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        pytest.param("champion", "champion", id="champion-again"),
        pytest.param("inconclusive", "inconclusive", id="too-little-data"),
    ],
)
def test_each_verdict_has_its_word(report: RunReport, verdict: str, word: str) -> None:
    """The badge is the verdict."""
    assert report.evidence is not None
    judged = report.evidence.model_copy(update={"verdict": verdict})
    assert run_outcome.of(replace(report, evidence=judged)).word == word


def test_a_run_that_goes_on_is_not_called_stopped(report: RunReport) -> None:
    """A report can be asked for while the run is under way."""
    running = replace(report, facts=replace(report.facts, phase="Running"), evidence=None)
    assert run_outcome.of(running).word == "running"


def test_a_retraining_that_is_not_let_in_says_why(stopped: RunReport) -> None:
    """Admission answered, and nothing was trained: that is the news, and no verdict is missing."""
    refused = Refused(reason="cooldown", explanation="the last one ended at noon: wait")
    facts = replace(stopped.facts, phase="Succeeded")
    asked = replace(stopped, facts=facts, entries=(), results={"admitted": "false", "decision": refused.line})
    end = run_outcome.of(asked)
    assert (end.word, end.tone) == ("refused", "plain")
    assert (end.headline, end.detail) == ("Not trained again: cooldown", "the last one ended at noon: wait")
    page = html.render(asked)
    for part in ("Model digest", "Compared with", "The run did not get as far", 'href="#data"'):
        assert part not in page
        assert part in html.render(stopped)
