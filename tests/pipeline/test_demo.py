"""`argosy demo` as a new user runs it, with a short search: its whole story, and that it says no where the story does not hold."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from argosy.cli.demonstration import alertmanager
from argosy.domain.evidence import Evidence

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def project(new_project: Callable[[str], Any]) -> Any:
    """A project in which the demonstration was shown once."""
    made = new_project("churn")
    done = made.call("demo", "workflows/churn", timeout=1100)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-4000:]
    (made.folder / "shown.txt").write_text(done.stdout, encoding="utf-8")
    return made


def evidence(project: Any) -> Evidence:
    """What the evaluation of the one run with a cause says."""
    written = {path.read_bytes() for path in project.home.glob("objects/*/*/evidence.json")}
    (found,) = [each for each in map(Evidence.model_validate_json, written) if each.cause is not None]
    return found


def ledger(project: Any) -> Any:
    """What was let in and refused."""
    return json.loads(project.call("retrain", "churn", "--list", "--json").stdout)


def test_one_alert_is_one_retraining_that_the_gates_refuse(project: Any) -> None:
    """Let in once, for the alert, by looks that saw drift; refused by the gate that wrong labels break; a hundred times more: nothing."""
    kept = ledger(project)
    assert [(entry["outcome"], entry["kind"]) for entry in kept["admissions"]] == [("rejected", "drift")]
    assert (kept["admitted"], kept["refused"]) == (1, {"duplicate": 100})
    (entry,) = kept["admissions"]
    judged = evidence(project)
    assert judged.verdict == "reject"
    assert "performance.auc" in [gate.gate for gate in judged.failed]
    assert judged.cause is not None
    assert judged.cause.alert is not None
    assert (judged.cause.alert.name, judged.cause.admission) == (alertmanager.ALERT, entry["id"])
    assert "internet_service" in [column.column for column in judged.cause.columns]
    requests = project.call("pr", "list", "--all").stdout.splitlines()
    assert [line.split()[1] for line in requests] == ["merged", "merged"]


def test_it_says_what_a_newcomer_has_to_know(project: Any) -> None:
    """How it ended, and how long it took from the first shifted prediction; no name has its time in it twice."""
    shown = (project.folder / "shown.txt").read_text(encoding="utf-8")
    assert "Let in once, as churn-" in shown
    assert ", and refused by performance.auc, " in shown
    assert "without a verdict" not in shown
    assert " from the first shifted prediction to the refusal (the alert to fire " in shown.partition("Done in")[2]
    run = ledger(project)["admissions"][0]["holder"].partition(" ")[0]
    assert len(run) == len("churn-retrain-261129-045806-4654")


def test_shown_again_it_says_why_nothing_is_trained(project: Any) -> None:
    """The first showing's retraining counts: the alert is refused for that, and the demonstration says how to see one."""
    again = project.call("demo", "workflows/churn", timeout=1100)
    assert again.returncode == 0, again.stdout[-6000:] + again.stderr[-4000:]
    assert "an earlier one holds that up" in again.stdout
    assert "Not trained again: cooldown" in again.stderr
    assert re.search(r"ARGOSY_HOME=\$\(mktemp -d\) \S*argosy demo workflows/churn\n", again.stdout)
    assert ledger(project)["admitted"] == 1
