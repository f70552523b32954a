"""`argosy diff`: what was otherwise between two runs, by its path, and both models on the same rows."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.cli import diff, main, named_runs, run_documents
from argosy.domain import run_differences
from argosy.domain.data import FeatureSchema
from argosy.engine.state.runs import RunFolder
from kit.serving_kit import FEATURES, rows, write_bundle


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        pytest.param({"a": 1}, {"a": 1}, [], id="alike"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a.c", "2", "3")], id="inside"),
        pytest.param({"a": 1}, {"b": True}, [("a", "1", "-"), ("b", "-", "true")], id="only-in-one"),
        pytest.param(
            {"x": [{"name": "p", "v": 1}]}, {"x": [{"name": "p", "v": 2}]}, [("x.p.v", "1", "2")], id="by-name"
        ),
        pytest.param({"x": [1, 2]}, {"x": [1]}, [("x", "1, 2", "1")], id="lists"),
        pytest.param({"x": 0.1 + 0.2}, {"x": 0.3}, [], id="no-more-digits-than-are-shown"),
        pytest.param({"x": {}}, {"x": {"y": 1}}, [("x", "{}", "-"), ("x.y", "-", "1")], id="empty"),
    ],
)
def test_values(before: Mapping[str, Any], after: Mapping[str, Any], found: list[tuple[str, str, str]]) -> None:
    """Each leaf that is another is named by its path, with both values."""
    said = [(each.name, each.before, each.after) for each in run_differences.of_values("settings", before, after)]
    assert said == found


def made(folder: Path, seed: int, features: Path) -> Any:
    """A run that trained a model, as far as it is asked."""
    digest = write_bundle(folder / f"bundle-{seed}", depth=seed)
    facts = SimpleNamespace(
        model="leaving", parameters={"data": f"data/{seed}", "provenance": '{"commit": "abc"}', "asked-by": f"{seed}"}
    )
    record = SimpleNamespace(
        facts=facts,
        evidence=SimpleNamespace(metrics={"performance.auc": 0.8 + seed / 100}),
        snapshot=None,
        settings=None,
        answer_settings=None,
        features=None,
    )
    return SimpleNamespace(
        name=f"leaving-{seed}",
        outcome="Rejected",
        record=record,
        bundle=lambda: (folder / f"bundle-{seed}", digest),
        artifact=lambda _template, _name: features,
    )


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs, ``1`` and ``2``, and the rows that the second held out."""
    columns = {column.name: [row[column.name] for row in map(dict, rows(80, 5))] for column in FEATURES}
    moment = pa.array([0] * 80, pa.timestamp("us", tz="UTC"))
    label = pa.array(np.arange(80) % 2, pa.int64())
    table = pa.table(
        {"id": list(range(80)), **columns, "label": label, "side": ["holdout"] * 80, "event_timestamp": moment}
    )
    (tmp_path / "features").mkdir()
    pq.write_table(table, tmp_path / "features" / "rows.parquet")
    FeatureSchema(
        features=list(FEATURES), context=[], join_keys=["id"], rows_train=0, rows_holdout=80, online_digest=""
    ).write(tmp_path / "features" / "schema.json")
    known = {str(seed): made(tmp_path, seed, tmp_path / "features") for seed in (1, 2)}
    known["other"] = made(tmp_path, 3, tmp_path / "features")
    known["other"].record.facts.model = "churn"
    monkeypatch.setattr(run_documents, "run", known.__getitem__)


def test_two_runs(two: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Parameters, measurements, and both models on one holdout: a score's difference has its interval, decisions that turn are counted."""
    assert main.run(["diff", "1", "2", "--json"]) == errors.DONE
    said = json.loads(capsys.readouterr().out)
    found = {(each["section"], each["name"]): each for each in said["differences"]}
    assert found["parameters", "data"]["after"] == "data/2"
    assert [name for section, name in found if section == "parameters"] == ["data"]  # nobody chose the others
    assert (found["measurements", "performance.auc"]["before"], found["measurements", "performance.auc"]["after"]) == (
        "0.81",
        "0.82",
    )
    together = {name: each for (section, name), each in found.items() if section == diff.TOGETHER}
    assert {"auc", "log_loss", "f1", "decisions"} == set(together)
    assert "better by" in together["auc"]["after"]
    assert together["decisions"]["after"].endswith("of 80 turned")


def test_a_run_and_itself(two: None, capsys: pytest.CaptureFixture[str]) -> None:
    """One model is not compared with itself."""
    assert main.run(["diff", "1", "1"]) == errors.DONE
    assert "the same" in capsys.readouterr().out


def test_two_models(two: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs of two models have nothing to be compared by."""
    assert main.run(["diff", "1", "other"]) == errors.UsageError.exit_code
    assert "name two runs of one model" in capsys.readouterr().err


def test_the_runs_before_one(tmp_path: Path) -> None:
    """Those of its model that began earlier, the newest first; none that only tried whether another comes out again."""
    annotated = {
        "toy-260101-000001-aaaa": {"argosy.dev/model": "toy"},
        "toy-260101-000002-aaaa": {"argosy.dev/model": "toy", "argosy.dev/reproduces": "toy-260101-000001-aaaa"},
        "other-260101-000003-aaaa": {"argosy.dev/model": "other"},
        "toy-260101-000004-aaaa": {"argosy.dev/model": "toy"},
        "toy-260101-000005-aaaa": {"argosy.dev/model": "toy"},
        "toy-260101-000006-aaaa": {"argosy.dev/model": "toy"},
    }
    for name, annotations in annotated.items():
        folder = RunFolder(tmp_path / "runs" / name)
        folder.path.mkdir(parents=True)
        folder.write_manifest({"metadata": {"annotations": annotations}})
    before = list(named_runs.before(tmp_path, "toy", "toy-260101-000005-aaaa"))
    assert before == ["toy-260101-000004-aaaa", "toy-260101-000001-aaaa"]
    assert run_documents.find(tmp_path, "toy", None).name == "toy-260101-000006-aaaa"
