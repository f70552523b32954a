"""A candidate that leaves a feature out is held against the champion that reads it: each model on its own features, on the same rows.

From the sources to the evidence through the steps' own logic, with Feast's join and nothing replaced but the server.
"""

import datetime
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from argosy import wiring
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.domain import bundle as bundles
from argosy.domain.data import SnapshotManifest, ValidationResult
from argosy.domain.evidence import ChampionRef, Evidence
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import Policy
from argosy.domain.search import Choice
from argosy.ml import bundling, frames, metrics, refit
from argosy.ml.predictor import Predictor
from argosy.ports.trial_server import ReplayResult
from argosy.steps.build_features import run as build_features
from argosy.steps.evaluate import run as evaluate
from argosy.steps.ingest import run as ingest
from kit import toy
from kit.examples import make_settings

ROWS = 3_000
COLUMNS = [
    {"name": "id", "type": "string", "meaning": "Which one."},
    {"name": "size", "type": "number", "meaning": "How large."},
    {"name": "kind", "type": "string", "meaning": "Of what kind.", "nullable": True},
    {"name": "Over.Qual", "type": "integer", "meaning": "What is left out."},
    {"name": "bought", "type": "integer", "meaning": "The label."},
]
BOTH = """
from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64, String
thing = Entity(name="thing", join_keys=["id"], value_type=ValueType.STRING)
rows = FileSource(name="rows", path="rows.parquet", timestamp_field="event_timestamp")
fields = [Field(name="size", dtype=Float64), Field(name="kind", dtype=String)]
plain = FeatureView(name="plain", entities=[thing], ttl=timedelta(days=99), source=rows, schema=fields)
judged = FeatureView(
    name="judged", entities=[thing], ttl=timedelta(days=99), source=rows, schema=[Field(name="Over.Qual", dtype=Int64)]
)
toy = FeatureService(name="toy", features=[plain, judged])
"""
WITHOUT = {
    "service": BOTH.replace("[plain, judged]", "[plain]"),
    "one-view": BOTH.replace("features=[plain, judged]", "features=[plain[['size']], judged]"),
    "view": BOTH.replace("[plain, judged]", "[plain]").replace(
        'judged = FeatureView(\n    name="judged"', 'other = FeatureView(\n    name="other"'
    ),
    "field": BOTH.replace(', Field(name="kind", dtype=String)]', "]"),
}
POLICY = Policy.model_validate(
    {
        "model": "toy",
        "owners": ["tests"],
        "limits": [
            {"metric": metric, "at_most": 1e9, "why": "w"}
            for metric in (
                "performance.auc",
                "robustness.noise_drop",
                "calibration.ece",
                "explainability.top_share",
                "latency.p95_ms",
            )
        ],
        "waivers": [{"dimension": "fairness", "owner": "o", "reason": "r"}],
        "comparison": {"metric": "auc", "margin": 0.5, "resamples": 200},
    }
)


class Quick:
    """A server that always answers as expected."""

    def replay(self, folder: Path, digest: str) -> ReplayResult:
        """See the port."""
        Predictor.load(folder, digest)
        return ReplayResult(None, 1.0, 1.0, 1.0)


def write_source(folder: Path) -> Path:
    """Rows whose label hangs on all of their columns."""
    random = np.random.default_rng(4)
    size, quality, kind = random.normal(size=ROWS), random.integers(1, 11, ROWS), random.choice(["a", "b", ""], ROWS)
    chance = 1 / (1 + np.exp(-(size + 0.4 * (quality - 5) + (kind == "a"))))
    bought = (random.random(ROWS) < chance).astype(int)
    lines = [f"i{n:05d},{size[n]:.4f},{kind[n]},{quality[n]},{bought[n]}" for n in range(ROWS)]
    folder.mkdir()
    (folder / "rows.csv").write_text("\n".join(["id,size,kind,Over.Qual,bought", *lines]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def built(tmp_path: Path) -> Callable[[str, str], tuple[ModelSettings, Path, Path]]:
    """Settings, features and bundle of definitions, under a name."""
    given = make_settings("binary", ["no", "yes"], "auc").model_dump(mode="json")
    given["sources"][0]["columns"] = COLUMNS
    given["label"] |= {"sql": "bought = 1", "columns": ["bought"]}
    settings, source = ModelSettings.model_validate(given), write_source(tmp_path / "source")

    def build(name: str, definitions: str) -> tuple[ModelSettings, Path, Path]:
        folder = tmp_path / name
        taken = ingest.IngestOutputs(folder / "snapshot", folder / "rejected", folder / "lineage.json")
        ingest.run(
            settings=settings, location=source, tables=wiring.tables(), code_version="t",
            now=lambda: "2021-01-01T00:00:00Z", report=print, outputs=taken,
        )  # fmt: skip
        digest = SnapshotManifest.read(taken.snapshot / "manifest.json").content_digest()
        ValidationResult(snapshot_digest=digest, results=[]).write(folder / "validation" / "validation.json")
        (folder / "features.py").write_text(definitions, encoding="utf-8")
        outputs = build_features.FeatureOutputs(folder / "features", folder / "online")
        build_features.run(
            settings=settings, snapshot=taken.snapshot, validation=folder / "validation", tables=wiring.tables(),
            features=wiring.features(folder / "features.py", settings, folder / "repository"),
            outputs=outputs,
        )  # fmt: skip
        train, holdout = (frames.read(outputs.features, side) for side in ("train", "holdout"))
        choice = Choice(trial=0, score=0.0, metric="auc", parameters={"max_depth": 3}, boost_rounds=30)
        fitted = refit.fit(train, choice, settings)
        bundling.pack(
            folder / "bundle",
            settings=settings,
            model=fitted.model,
            threshold=fitted.threshold,
            train=train,
            holdout=holdout,
        )
        return settings, outputs.features, folder

    return build


@pytest.fixture
def judged(
    built: Callable[[str, str], tuple[ModelSettings, Path, Path]], tmp_path: Path
) -> Callable[[str], tuple[Evidence, float]]:
    """The evidence of a candidate of *definitions* beside the champion that reads all; and the champion's own AUC."""

    def judge(definitions: str) -> tuple[Evidence, float]:
        settings, own, folder = built("champion", BOTH)
        artifacts = FileArtifacts((tmp_path / "store").as_uri())
        digest = bundles.digest(folder / "bundle")
        champion = ChampionRef(
            model="toy", model_digest=digest, version=1, policy_digest="sha256:0",
            storage_uri=artifacts.put(folder / "bundle", "toy-1"),
        )  # fmt: skip
        _, features, candidate = built("candidate", definitions)
        champion.write(candidate / "champion" / "champion.json")
        evaluate.run(
            settings=settings,
            policy=POLICY,
            inputs=evaluate.Inputs(candidate / "champion", candidate / "snapshot", features, candidate / "bundle"),
            artifacts=artifacts,
            server=Quick(),
            provenance=toy.CLEAN,
            today=datetime.date(2026, 1, 1),
            machine="this machine",
            out=candidate / "evidence",
        )
        holdout = frames.read(own, "holdout")
        answers = Predictor.load(folder / "bundle", digest).predict_matrix(holdout.matrix)
        return Evidence.read(candidate / "evidence" / "evidence.json"), metrics.score(
            "binary", "auc", holdout.labels, answers
        )

    return judge


@pytest.mark.parametrize("left_out", ["service", "one-view", "field"])
def test_each_model_answers_from_its_own_features(
    judged: Callable[[str], tuple[Evidence, float]], left_out: str
) -> None:
    """The champion's figure is the one it has on its own features: of a view that the service leaves out, in whole or in part, and of a
    column that the views do not name any more."""
    evidence, own = judged(WITHOUT[left_out])
    found = evidence.comparison
    assert found is not None
    assert found.compared
    assert found.champion == pytest.approx(own, abs=1e-12)
    assert found.candidate < own
    assert evidence.verdict == "promote"


def test_a_feature_that_is_gone_is_named(judged: Callable[[str], tuple[Evidence, float]]) -> None:
    """With its view, and with what to keep; no figures that nobody measured, and no advice to bring more rows."""
    evidence, _ = judged(WITHOUT["view"])
    found = evidence.comparison
    assert found is not None
    assert (found.compared, evidence.verdict) == (False, "inconclusive")
    assert "the champion reads 'Over.Qual' of the view 'judged'" in evidence.explanation
    assert "keep the view there" in evidence.explanation
    (gate,) = [gate for gate in evidence.gates if gate.gate == "champion"]
    assert gate.measured is None
    assert gate.would_pass is not None
    assert "rows do not help" in gate.would_pass
