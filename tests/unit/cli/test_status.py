"""How everything stands, in one answer."""

import argparse
import datetime
import json

import pytest

from argosy.adapters.memory_forge import MemoryForge
from argosy.adapters.memory_objects import MemoryObjects
from argosy.cli import main, status
from argosy.domain import environment_layout, looks
from argosy.domain.bills import Used
from argosy.domain.release import Version
from argosy.ports.runs import Run
from kit import looked

DIGEST = "sha256:" + "d" * 64


class Newest:
    """Runs of which the newest of one pipeline failed, and of others only an earlier one; a cluster's have the names that it makes."""

    def newest_first(self) -> list[Run]:
        """The newest first."""
        named = (
            ("churn-261130-000002-bbbb", "Failed", "churn"),
            ("other-x7k2p", "Succeeded", "other"),
            ("other-watch-1796000000", "Failed", "other-watch"),
            ("other-9qv4m", "Failed", "other"),
            ("churn-watch-1796000000", "Suspended", "churn-watch"),
        )
        return [Run(name, phase, pipeline, started=1.0) for name, phase, pipeline in named]


@pytest.fixture
def stands(monkeypatch: pytest.MonkeyPatch) -> None:
    serves = Version(
        model="churn",
        version=3,
        model_digest=looked.DIGEST,
        storage_uri="file:///store/churn/",
        evidence_digest=DIGEST,
        policy_digest=DIGEST,
    )
    forge = MemoryForge({environment_layout.version_path("churn", "production"): serves.yaml().encode()})
    store, now = MemoryObjects(), datetime.datetime.now(datetime.UTC)
    store.put(looks.latest_key("churn", "production"), looked.look("drift").canonical_json().encode())
    used = [Used("churn", "churn", "ada", now, {"cpu": 7200.0})]
    monkeypatch.setattr("argosy.wiring.forge", lambda _: forge)
    monkeypatch.setattr("argosy.wiring.objects", lambda *_: store)
    monkeypatch.setattr("argosy.cli.target.runs", lambda _: Newest())
    monkeypatch.setattr("argosy.cli.cost.newest", lambda *_: (used, 1_200))
    monkeypatch.setattr("argosy.cli.cost.known_owners", lambda: {"churn": "ada", "other": "grace"})


@pytest.mark.usefixtures("stands")
def test_everything_in_one_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """What is live, waits, burns and costs; a failure that a later run put out is none."""
    assert main.run(["status"]) == 0
    text = capsys.readouterr().out
    assert "production 3 (drift)" in text
    assert "waits\n  churn-watch-1796000000, for" in text
    assert "churn in production: drift; `argosy drift churn --environment production`" in text
    assert "run churn-261130-000002-bbbb: Failed; `argosy why churn-261130-000002-bbbb`" in text
    assert "run other-watch-1796000000: Failed" in text
    assert "other-9qv4m" not in text
    assert "churn: 1 run, 2.00 core hours" in text
    assert text.endswith("  1,200 older runs are not counted; `argosy cost` counts all\n")


@pytest.mark.usefixtures("stands")
def test_as_json_and_by_owner(capsys: pytest.CaptureFixture[str]) -> None:
    """One object; of somebody who answers for none it is empty of models."""
    assert main.run(["status", "--json", "--owner", "ada"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["live"][1] == {
        "model": "churn",
        "owner": "ada",
        "environment": "production",
        "version": 3,
        "digest": looked.DIGEST,
        "verdict": "drift",
    }
    assert [each["what"] for each in found["waits"]] == ["churn-watch-1796000000"]
    assert [line for line in found["burns"] if "other" in line] == []
    assert found["costsLeftOut"] == 1_200
    assert main.run(["status", "--json", "--owner", "grace"]) == 0
    other = json.loads(capsys.readouterr().out)
    assert (other["live"], other["costs"], other["waits"]) == ([], [], [])
    assert other["burns"] == ["run other-watch-1796000000: Failed; `argosy why other-watch-1796000000`"]


def test_with_a_run_it_is_get(monkeypatch: pytest.MonkeyPatch) -> None:
    """As before there was more to say."""
    asked: list[str] = []

    def shown(arguments: argparse.Namespace) -> int:
        asked.append(arguments.run)
        return 0

    monkeypatch.setattr("argosy.cli.get.run", shown)
    assert main.run(["status", "churn/latest"]) == 0
    assert asked == ["churn/latest"]
    parser = argparse.ArgumentParser()
    status.add_arguments(parser)
    assert parser.parse_args([]).run is None
