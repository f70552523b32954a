"""The exit handler of a pipeline: people are told, once, and the run ends as it would without it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kit.web_server import Answer, Web, web_server

PLANTED = "T0ken-hunter2"


@pytest.fixture
def web() -> Iterator[Web]:
    """A webhook that takes what comes."""
    with web_server({f"/{PLANTED}": Answer()}) as web:
        yield web


@pytest.fixture(scope="module")
def subscribed(new_project: Callable[[str], Any]) -> Any:
    """A project whose model names two channels."""
    project = new_project("churn")
    path = project.folder / "workflows" / "churn" / "model.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\nnotify: {retention: {}, on-call: {}}\n", encoding="utf-8")
    project.commit()
    return project


@pytest.fixture
def told(subscribed: Any, tmp_path: Path, web: Web) -> Any:
    """That project where one of the channels has an address."""
    address = f"{web.url.replace('http', 'json', 1)}/{PLANTED}"
    return subscribed.at_home(tmp_path / "home", ARGOSY_NOTIFY_RETENTION=address)


def _messages(web: Web) -> list[str]:
    return [json.loads(asked.body)["title"] for asked in web.asked]


def test_a_failed_run_is_told_once_and_ends_as_before(told: Any, tmp_path: Path, web: Web) -> None:
    """The same exit code as without channels, the step by name, nothing of the address; resumed, it is told no second time."""
    before = told.at_home(tmp_path / "other").call("run", "churn", "-p", "data=/nowhere")
    ended = told.call("run", "churn", "-p", "data=/nowhere", "--json")
    assert (ended.returncode, before.returncode) == (78, 78)
    assert _messages(web) == ["churn: ingest failed"]
    run = json.loads(ended.stdout)["run"]
    assert told.call("resume", run).returncode == 78
    assert _messages(web) == ["churn: ingest failed"]
    shown = ended.stdout + ended.stderr + told.call("logs", run).stdout
    assert PLANTED not in shown
    kept = "".join(path.read_text("utf-8") for path in (told.home / "monitoring").rglob("*.json"))
    assert '"outcome":"sent"' in kept
    assert PLANTED not in kept


@pytest.mark.parametrize(
    "address", ["json://127.0.0.1:9/x?retry=3", "nonsense", "\x7f"], ids=["nobody-there", "no-address", "no-text"]
)
def test_a_channel_that_fails_changes_nothing(told: Any, address: str, web: Web) -> None:
    """The run's own exit code, and a line in the step's log that says what to mend."""
    told.environment["ARGOSY_NOTIFY_RETENTION"] = address
    ended = told.call("run", "churn", "-p", "data=/nowhere", "--json")
    assert ended.returncode == 78
    assert web.asked == []
    said = told.call("logs", json.loads(ended.stdout)["run"]).stdout
    assert "retention: step failed: refused (" in said


def test_a_run_that_succeeds_starts_nothing(told: Any, web: Web) -> None:
    """No process, no pod: the handler is there and has nothing to tell, unless it was a retraining."""
    manifest = yaml.safe_load((told.folder / "workflows" / "churn" / "pipeline.yaml").read_text("utf-8"))
    spec = manifest["spec"]
    quick = {"image": "argosy/promote:dev", "command": ["python", "-c", "pass"]}
    spec["templates"] = [each for each in spec["templates"] if each["name"] in ("exit", "notify")]
    spec["templates"].append({"name": "main", "container": quick})
    path = told.folder / "quick.yaml"
    path.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    ended = told.run_json("run", "-f", str(path), "-p", "data=/nowhere")
    phases = {str(name): node["phase"] for name, node in ended["nodes"].items()}
    assert phases["$.onExit.notify"] == "Skipped", phases
    assert web.asked == []
    told.run_json("run", "-f", str(path), "-p", "data=/nowhere", "-p", 'cause={"kind":"hand"}')
    assert _messages(web) == ["churn: the retraining for hand succeeded"]
