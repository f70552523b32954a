"""What people are told of a run that ended: one notice, however many of its steps failed."""

import json

import pytest

from argosy.domain.retraining_cause import Cause
from argosy.monitoring import run_notices
from argosy.monitoring.run_notices import EndedRun
from kit.examples import make_settings

SETTINGS = make_settings(
    "binary",
    ["no", "yes"],
    "log_loss",
    notify={"data-desk": {"events": ["validation stopped"]}, "team": {}, "watchers": {"events": ["retraining ended"]}},
)


def _run(*failed: tuple[str, str], status: str = "Failed", cause: Cause | None = None) -> EndedRun:
    nodes = [{"displayName": name, "message": message, "templateName": name} for name, message in failed]
    return EndedRun("toy-x7k2p", status, json.dumps(json.dumps(nodes)), cause.text() if cause else "")


def test_several_failed_steps_are_one_notice() -> None:
    """Who failed and why, what the code means, and the command that shows more."""
    told = run_notices.of(
        _run(("train", "Error (exit code 75)"), ("trial-0(3)", "OOMKilled (exit code 137)")), SETTINGS
    )
    assert len(told) == 1
    assert (told[0].event, told[0].owner, told[0].channels) == ("step failed", "tests", ("team",))
    assert told[0].title == "toy: train, trial-0 failed"
    assert "train: Error (exit code 75), something outside failed" in told[0].text
    assert "trial-0: OOMKilled (exit code 137), it was killed" in told[0].text
    assert "argosy logs toy-x7k2p train" in told[0].text


def test_a_refusal_of_the_data_is_an_event_of_its_own() -> None:
    """Those who answer for the data hear of it; a validation that broke is a step that failed."""
    told = run_notices.of(_run(("validate", "Error (exit code 10)")), SETTINGS)
    assert [(notice.event, notice.channels) for notice in told] == [("validation stopped", ("data-desk", "team"))]
    assert run_notices.of(_run(("validate", "Error (exit code 1)")), SETTINGS)[0].event == "step failed"


def test_hundreds_are_cut() -> None:
    """A fan-out that fails as a whole is a message that fits."""
    told = run_notices.of(_run(*((f"task-{number}", "Error (exit code 1)") for number in range(300))), SETTINGS)
    assert "and 290 more" in told[0].text
    assert told[0].title == "toy: task-0, task-1, task-2, … failed"


@pytest.mark.parametrize("failures", ["", '"', '"[{\\"displayName\\"', "null", "{}"])
def test_a_failure_is_never_silent(failures: str) -> None:
    """Also where nothing says which step it was."""
    told = run_notices.of(EndedRun("toy-1", "Error", failures, ""), SETTINGS)
    assert [notice.title for notice in told] == ["toy: the run failed"]


def test_a_run_that_succeeded_is_no_news() -> None:
    """But a retraining is: people wait for it, whatever its end."""
    assert run_notices.of(_run(status="Succeeded"), SETTINGS) == []
    drift = Cause(kind="drift")
    ended = run_notices.of(_run(status="Succeeded", cause=drift), SETTINGS)
    assert [(notice.event, notice.title) for notice in ended] == [
        ("retraining ended", "toy: the retraining for drift succeeded")
    ]
    assert ended[0].channels == ("team", "watchers")
    both = run_notices.of(_run(("train", "Error (exit code 1)"), cause=drift), SETTINGS)
    assert [notice.event for notice in both] == ["step failed", "retraining ended"]


def test_words_of_a_step_hold_no_secret() -> None:
    """A message is whatever a step or a library wrote."""
    told = run_notices.of(_run(("train", "postgresql://argosy:hunter2@db failed for jane@example.com @here")), SETTINGS)
    for planted in ("hunter2", "jane", "@"):
        assert planted not in told[0].canonical_json()
