"""A candidate for tests of promotion, as the steps before would hand it over: small, but every document is real."""

import datetime
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.domain import bundle as bundles
from argosy.domain import environment_layout, promotion_requests, release
from argosy.domain.data import Lineage, SnapshotManifest, SourceLineage
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef, Evidence, GateResult, VerdictWord
from argosy.domain.model_settings import ModelSettings
from argosy.domain.search import Choice, SearchHistory, Trial
from argosy.domain.training_record import ClassRecord, LearningCurve, TrainingRecord
from argosy.testing.forge_contract import CLEAN

POLICY = b"""model: toy
# the gates
owners: [nobody]
limits:
  - {metric: performance.auc, at_least: 0.6, why: "Chance is 0.5."}
  - {metric: robustness.noise_drop, at_most: 0.1, why: "Readings differ."}
  - {metric: calibration.ece, at_most: 0.1, why: "Money is reckoned from it."}
  - {metric: explainability.top_share, at_most: 0.9, why: "One column may break."}
  - {metric: latency.p95_ms, at_most: 100, why: "People wait."}
waivers:
  - {dimension: fairness, owner: nobody, reason: "The data is about things."}
comparison: {metric: auc, margin: 0.01}
"""
TEMPLATE = {"policies/toy.yaml": POLICY, "README.md": b"the environment repo\n"}
NO_CHAMPION = ChampionRef(model="toy", policy_digest=sha256(POLICY))

SETTINGS: dict[str, Any] = {
    "model": "toy",
    "task": "binary",
    "description": "A model of nothing.",
    "owner": "nobody",
    "seed": 7,
    "entity": ["id"],
    "feature_service": "toy",
    "sources": [
        {
            "name": "rows",
            "file": "rows.csv",
            "entity": ["id"],
            "observed_at": "2026-01-01T00:00:00Z",
            "columns": [{"name": "id", "type": "string", "meaning": "Which one."}],
        }
    ],
    "label": {"source": "rows", "sql": "true", "classes": ["no", "yes"], "columns": []},
    "split": {"by": "entity", "holdout": 0.2},
    "search": {"trials": 3, "metric": "f1"},
}

RECORD = TrainingRecord(
    model="toy",
    model_digest=sha256(b"as trained"),
    task="binary",
    features_digest=sha256(b"features"),
    seed=7,
    nthread=1,
    rows=80,
    parameters={"eta": 0.1, "objective": "binary:logistic"},
    boost_rounds=5,
    threshold=0.4,
    trial=2,
    search_metric="f1",
    search_score=0.2,
    fold_rows=[40, 40],
    fold_rounds=[5, 6],
    fold_metrics={"f1": [0.5, 0.6]},
    cross_validated={"auc": 0.8},
    classes=["no", "yes"],
    confusion=[[50, 10], [5, 15]],
    classification_report=[ClassRecord(name="yes", precision=0.6, recall=0.75, f1=None, rows=20)],
    importance={"plan": 3.5},
    learning_curve=LearningCurve(loss="logloss", rounds=[5, 10], train=[0.6, 0.5], validation=[0.65, 0.6]),
    libraries={"xgboost": "3.2.0"},
)


@dataclass(frozen=True)
class Toy:
    """The folder ``in`` of a step that promotes a toy model."""

    folder: Path

    @property
    def digest(self) -> str:
        """The model's digest."""
        return bundles.digest(self.folder / "bundle")

    def judge(self, verdict: VerdictWord = "promote", champion: ChampionRef = NO_CHAMPION, **changes: Any) -> "Toy":
        """Write the evidence anew."""
        failed = GateResult(
            gate="performance.auc",
            dimension="performance",
            passed=verdict != "reject",
            measured=0.61,
            limit=">= 0.8",
            reason="the ranking is poor",
            would_pass="0.19 more",
        )
        values: dict[str, Any] = {
            "model": "toy",
            "task": "binary",
            "model_digest": self.digest,
            "snapshot_digest": sha256(b"snapshot"),
            "policy_digest": champion.policy_digest,
            "champion": champion,
            "provenance": CLEAN,
            "rows_train": 80,
            "rows_holdout": 20,
            "metrics": {
                "performance.auc": 0.61,
                "performance.slice.plan.Month-to-month (auto).auc": 0.5,
                "x.undefined": None,
            },
            "gates": [failed],
            "verdict": verdict,
            "explanation": "It was looked at.",
        }
        Evidence(**(values | changes)).write(self.folder / "evidence" / "evidence.json")
        return self


def make_toy(folder: Path, content: str = "model") -> Toy:
    """A toy whose model file holds *content*."""
    files = {
        "bundle/model.ubj": content,
        "bundle/signature.json": "{}",
        "bundle/bins.json": "{}",
        "bundle/golden.json": "{}",
        "training/importance.svg": "<svg/>",
        "online/online.db": "rows",
        "evidence/evidence.md": "# toy\n\nIt holds &gt;= 0.8.\n",
        "evidence/model-card.md": "# Model card\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    settings = ModelSettings.model_validate(SETTINGS)
    settings.write(folder / "settings")  # JSON is YAML
    trials = [
        Trial(number=n, parameters={"eta": 0.1}, state="complete", fold_scores=[0.1 * n], boost_rounds=5, seconds=1.0)
        for n in range(3)
    ]
    SearchHistory(metric="f1", direction="maximize", trials=trials).write(folder / "history")
    Choice(trial=2, score=0.2, metric="f1", parameters={"eta": 0.1}, boost_rounds=5).write(folder / "choice")
    SnapshotManifest(model="toy", tables=[]).write(folder / "snapshot" / "manifest.json")
    RECORD.write(folder / "training" / "training.json")
    source = SourceLineage(
        source="rows",
        location="rows.csv",
        location_digest=sha256(b"rows"),
        rows_read=100,
        rows_kept=100,
        rows_rejected=0,
        rejected_by_reason={},
        bytes_read=10,
        seconds=0.1,
    )
    lineage = Lineage(
        snapshot_digest=sha256(b"snapshot"), ingested_at="2026-01-01T00:00:00Z", code_version="c", sources=[source]
    )
    lineage.write(folder / "lineage")
    return Toy(folder).judge()


def make_release(toy: Toy, version: int = 1, online: release.OnlineStore | None = None) -> Path:
    """The released bundle of *toy*, as register writes it, with the online store *online*."""
    folder = toy.folder / "release"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(toy.folder / "bundle", folder)
    end = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)
    released = bundles.Release(
        model="toy", model_digest=toy.digest, counter=version, not_after=end, online_store=online
    )
    released.write(folder / "release.json")
    return folder


def proposal_of(toy: Toy, version: int = 1) -> promotion_requests.Proposal:
    """Staging's request for *toy*, its signatures made up."""
    evidence = (toy.folder / "evidence" / "evidence.json").read_bytes()
    read = Evidence.read(toy.folder / "evidence" / "evidence.json")
    subject = promotion_requests.Subject(
        model="toy",
        environment=environment_layout.STAGING,
        model_digest=toy.digest,
        version=version,
        champion_digest=read.champion.model_digest,
        policy_digest=read.policy_digest,
    )
    described = release.Version(
        model="toy",
        version=version,
        model_digest=toy.digest,
        storage_uri="file:///store/x",
        evidence_digest=sha256(evidence),
        policy_digest=read.policy_digest,
    )
    files = {
        "evidence.json": evidence,
        environment_layout.BUNDLE_SIGNATURE: b"signed",
        environment_layout.EVIDENCE_SIGNATURE: b"signed",
    }
    return promotion_requests.Proposal(
        subject=subject,
        title=promotion_requests.title("toy", version, environment_layout.STAGING),
        body="# toy\n",
        files=promotion_requests.files(subject, described.yaml(), files),
    )
