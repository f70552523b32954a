"""The circumstances of a candidate, as its registration writes them down."""

import datetime
import json
from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain import circumstances, looks
from argosy.domain.circumstances import Circumstances
from argosy.domain.data import Lineage, SourceLineage
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef, Evidence
from argosy.domain.step_times import StepTime
from argosy.ports.objects import Objects
from argosy.steps import run_notes
from kit import looked, toy

NOW = 1_790_000_000
VARIABLES = {
    "ARGOSY_WORKFLOW": "toy-x7",
    "ARGOSY_WORKFLOW_NAMESPACE": "team-a",
    "ARGOSY_WORKFLOW_CREATED": str(NOW - 60),
    "ARGOSY_WORKFLOW_LABELS": json.dumps({"workflows.argoproj.io/creator-email": "ann.at.example.com"}),
    "ARGOSY_ASKED_BY": "",
}
LINEAGE = Lineage(
    snapshot_digest=sha256(b"s"),
    ingested_at="2026-09-21T10:00:00+00:00",
    code_version="x",
    sources=[
        SourceLineage(
            source="customers",
            location="s3://bucket/customers.csv",
            location_digest=sha256(b"c"),
            rows_read=12,
            rows_kept=10,
            rows_rejected=2,
            rejected_by_reason={},
            bytes_read=1,
            seconds=0.1,
        )
    ],
)


def evidence(champion: str | None) -> Evidence:
    """Evidence of a candidate beside *champion*."""
    return Evidence(
        model="toy",
        task="binary",
        model_digest=sha256(b"m"),
        snapshot_digest=sha256(b"s"),
        policy_digest=sha256(b"p"),
        champion=ChampionRef(model="toy", model_digest=champion, policy_digest=sha256(b"p")),
        provenance=toy.CLEAN,
        rows_train=80,
        rows_holdout=20,
        metrics={},
        gates=[],
        verdict="promote",
        explanation="It was looked at.",
    )


def written(tmp_path: Path, champion: str | None, objects: Objects) -> Circumstances:
    """What is written down of a run on a cluster."""
    noted = run_notes.of_environment(
        {**VARIABLES, run_notes.IN_A_POD: "10.0.0.1"}, [StepTime(step="train", began=NOW - 50, ended=NOW - 10, cpu=30)]
    )
    assert noted is not None
    run_notes.write(noted, evidence(champion), LINEAGE, objects, tmp_path)
    return Circumstances.read(tmp_path / circumstances.FILE)


def test_who_where_when_and_how_long(tmp_path: Path) -> None:
    """By Argo's own labels, names and moments."""
    found = written(tmp_path, None, MemoryObjects())
    assert (found.asked_by.name, found.asked_by.known) == ("ann@example.com", "argo")
    assert (found.place.kind, found.place.namespace, found.place.workflow) == ("cluster", "team-a", "toy-x7")
    assert found.place.began == datetime.datetime.fromtimestamp(NOW - 60, datetime.UTC)
    assert [(each.source, each.rows, each.location) for each in found.sources] == [
        ("customers", 10, "s3://bucket/customers.csv")
    ]
    assert found.read_at == datetime.datetime(2026, 9, 21, 10, tzinfo=datetime.UTC)
    assert found.ledger is not None
    assert found.ledger.steps[0].step == "train"
    assert found.production.reason == "nothing is in production yet"


def test_an_asker_typed_by_hand_keeps_no_candidate_back() -> None:
    """It is read after the model was trained."""
    noted = run_notes.of_environment({**VARIABLES, "ARGOSY_WORKFLOW_LABELS": "null", "ARGOSY_ASKED_BY": "alice"}, [])
    assert noted is not None
    assert (noted.asked_by.known, noted.asked_by.unread) == ("nobody", "alice")


def test_a_machine_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """There it is the machine that is named; a namespace means nothing."""
    noted = run_notes.of_environment(VARIABLES, [])
    assert noted is not None
    assert (noted.place.kind, noted.place.namespace) == ("machine", "")


def test_a_pipeline_of_before_says_nothing() -> None:
    """A manifest that was compiled by an earlier Argosy tells its steps nothing of their run."""
    assert run_notes.of_environment({}, []) is None


def test_labels_that_are_none_are_told_from_none() -> None:
    """A workflow that nobody labelled has ``null``; what is no JSON was written by hand."""
    assert run_notes.of_environment({**VARIABLES, "ARGOSY_WORKFLOW_LABELS": "null"}, []) is not None
    with pytest.raises(errors.Misconfigured, match="compile the pipeline again"):
        run_notes.of_environment({**VARIABLES, "ARGOSY_WORKFLOW_LABELS": "{"}, [])


def test_what_monitoring_said_of_the_champion(tmp_path: Path) -> None:
    """The newest look at production, where it is one at the champion."""
    objects, look = MemoryObjects(), looked.look()
    objects.put(
        looks.latest_key("toy", "production"), look.model_copy(update={"model": "toy"}).canonical_json().encode()
    )
    found = written(tmp_path, look.model_digest, objects).production
    assert (found.reason, found.rows, found.drift, found.until) == ("", look.rows, look.verdict, look.until)
    assert "before the champion" in written(tmp_path, sha256(b"other"), objects).production.reason


class Unreachable(MemoryObjects):
    """A store that is down."""

    def get(self, key: str) -> bytes | None:
        raise errors.TryAgain(f"the store does not answer for {key}")


@pytest.mark.parametrize(
    ("objects", "reason"),
    [
        pytest.param(MemoryObjects(), "has kept no look at production", id="never-looked"),
        pytest.param(Unreachable(), "the monitoring store could not be asked: the store does not answer", id="down"),
    ],
)
def test_what_cannot_be_had_is_said(tmp_path: Path, objects: Objects, reason: str) -> None:
    """And keeps no candidate from being asked for."""
    assert reason in written(tmp_path, sha256(b"c"), objects).production.reason
