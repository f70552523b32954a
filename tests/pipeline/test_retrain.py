"""`argosy retrain` as a person, or whatever holds an alert in its hands, calls it: the same workflow as on a cluster."""

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest

from argosy.adapters.file_objects import FileObjects
from argosy.domain import looks
from kit import looked

pytestmark = pytest.mark.slow

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="module")
def project(new_project: Callable[[str], Any], known: Callable[..., Any]) -> Any:
    """A project whose predictions were looked at twice, and had drifted."""
    made = known(new_project("churn"))
    made.call("setup")
    store = FileObjects(f"file://{made.home}/monitoring", "ARGOSY_MONITORING_URI")
    for hours in (1, 0):
        look = looked.look("drift", until=NOW - datetime.timedelta(hours=hours), rows=900)
        store.put(looks.look_key("churn", "production", look.until), look.canonical_json().encode())
    return made


def sent(folder: Any, **labels: str) -> str:
    """The path of a file that holds what Alertmanager sends."""
    own = {"alertname": "ArgosyDrift", "model": "churn", "environment": "production", "retrain": "true"}
    alert = {
        "status": "firing",
        "labels": {**own, **labels},
        "startsAt": NOW.isoformat(),
        "fingerprint": "35fea2ef9f5d2a12",
    }
    path = folder / "alert.json"
    path.write_text(json.dumps({"version": "4", "status": "firing", "alerts": [alert]}))
    return str(path)


def ledger(project: Any) -> Any:
    """The ledger of the model."""
    return json.loads(project.call("retrain", "churn", "--list", "--json").stdout)


def test_an_alert_becomes_one_retraining_that_says_why(project: Any, tmp_path: Any) -> None:
    """Admitted once, with its cause; no model serves that it could beat, so it ends with an explained no. Then the same changes nothing."""
    done = project.call("retrain", "churn", "--alert", sent(tmp_path))
    assert done.returncode == 10, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Held back" in done.stdout
    assert "drift: tenure differs" in done.stdout
    assert [entry["outcome"] for entry in ledger(project)["admissions"]] == ["inconclusive"]
    for _ in range(2):
        again = project.call("retrain", "churn", "--alert", sent(tmp_path))
        assert again.returncode == 10
        assert "refused, duplicate:" in again.stderr
    kept = ledger(project)
    assert (kept["admitted"], kept["refused"]) == (1, {"duplicate": 2})
    assert "1 admitted, 2 refused (2 duplicate)" in project.call("retrain", "--list").stdout


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        pytest.param({"model": "nobody"}, "unknown model", id="another-model"),
        pytest.param({"environment": "../.."}, "no look", id="no-environment"),
        pytest.param({"model": "churn\n"}, "unreadable", id="line-break"),
    ],
)
def test_what_is_refused(project: Any, tmp_path: Any, labels: dict[str, str], reason: str) -> None:
    """Ends 10 with the reason, and starts no training."""
    done = project.call("retrain", "churn", "--alert", sent(tmp_path, **labels))
    assert done.returncode == 10
    assert f"refused, {reason}:" in done.stderr


def test_a_file_that_is_too_large(project: Any, tmp_path: Any) -> None:
    """Is not read to its end."""
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    done = project.call("retrain", "churn", "--alert", str(path))
    assert done.returncode == 2
    assert "more than 65,536 bytes" in done.stderr


@pytest.mark.parametrize("words", [["retrain"], ["retrain", "churn"], ["retrain", "churn", "--alert", "nowhere.json"]])
def test_words_that_are_missing(project: Any, words: list[str]) -> None:
    """Are named, before anything runs."""
    assert project.call(*words).returncode == 2
