"""A retraining through the logic of its steps, without a search: sources become a bundle, and a bundle evidence beside a champion."""

import dataclasses
import datetime
from pathlib import Path

from argosy import wiring
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.domain import bundle as bundles
from argosy.domain.data import SnapshotManifest, ValidationResult
from argosy.domain.evidence import ChampionRef, Evidence
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import Policy
from argosy.domain.retraining_cause import Cause
from argosy.domain.search import Choice
from argosy.ml import bundling, frames, refit
from argosy.ml.predictor import Predictor
from argosy.ports.trial_server import ReplayResult
from argosy.steps.build_features import run as build_features
from argosy.steps.evaluate import run as evaluate
from argosy.steps.ingest import run as ingest
from kit import toy

GATES = ("performance.auc", "robustness.noise_drop", "calibration.ece", "explainability.top_share", "latency.p95_ms")


def policy_of(model: str, margin: float, minimum_rows: int) -> Policy:
    """A policy whose limits every model keeps, so that the comparisons alone decide."""
    return Policy.model_validate(
        {
            "model": model,
            "owners": ["tests"],
            "limits": [{"metric": metric, "at_most": 1e9, "why": "w"} for metric in GATES],
            "waivers": [{"dimension": "fairness", "owner": "o", "reason": "r"}],
            "comparison": {"metric": "auc", "margin": margin, "resamples": 200, "minimum_rows": minimum_rows},
        }
    )


class InstantServer:
    """A server that always answers as expected."""

    def replay(self, folder: Path, digest: str) -> ReplayResult:
        """See the port."""
        Predictor.load(folder, digest)
        return ReplayResult(None, 1.0, 1.0, 1.0)


@dataclasses.dataclass(frozen=True)
class TrainingGround:
    """A place in which sources become bundles; the search's choice is always the same."""

    place: Path
    settings: ModelSettings
    definitions: str
    policy: Policy

    def with_settings(self, settings: ModelSettings) -> "TrainingGround":
        """The same place for other settings."""
        return dataclasses.replace(self, settings=settings)

    def built(self, name: str, source: Path) -> Path:
        """The folder of *name*, with snapshot, features and bundle of the files in *source*."""
        folder = self.place / name
        taken = ingest.IngestOutputs(folder / "snapshot", folder / "rejected", folder / "lineage.json")
        ingest.run(
            settings=self.settings, location=source, tables=wiring.tables(), code_version="t",
            now=lambda: "2021-01-01T00:00:00Z", report=print, outputs=taken,
        )  # fmt: skip
        digest = SnapshotManifest.read(taken.snapshot / "manifest.json").content_digest()
        ValidationResult(snapshot_digest=digest, results=[]).write(folder / "validation" / "validation.json")
        (folder / "features.py").write_text(self.definitions, encoding="utf-8")
        build_features.run(
            settings=self.settings, snapshot=taken.snapshot, validation=folder / "validation", tables=wiring.tables(),
            features=wiring.features(folder / "features.py", self.settings, folder / "repository"),
            outputs=build_features.FeatureOutputs(folder / "features", folder / "online"),
        )  # fmt: skip
        train, holdout = (frames.read(folder / "features", side) for side in ("train", "holdout"))
        choice = Choice(trial=0, score=0.0, metric="auc", parameters={"max_depth": 3}, boost_rounds=30)
        fitted = refit.fit(train, choice, self.settings)
        bundling.pack(
            folder / "bundle", settings=self.settings, model=fitted.model, threshold=fitted.threshold,
            train=train, holdout=holdout,
        )  # fmt: skip
        return folder

    def in_production(self, folder: Path) -> ChampionRef:
        """The bundle in *folder* as the champion."""
        return ChampionRef(
            model=self.settings.model, model_digest=bundles.digest(folder / "bundle"), version=1,
            policy_digest="sha256:0", storage_uri=self._store().put(folder / "bundle", "champion-1"),
        )  # fmt: skip

    def judged(self, candidate: Path, champion: ChampionRef | None, cause: Cause | None) -> Evidence:
        """The evidence of what :meth:`built` left in *candidate*, beside the *champion*."""
        none = ChampionRef(model=self.settings.model, policy_digest="sha256:0")
        (champion or none).write(candidate / "champion" / "champion.json")
        evaluate.run(
            settings=self.settings,
            policy=self.policy,
            inputs=evaluate.Inputs(
                candidate / "champion", candidate / "snapshot", candidate / "features", candidate / "bundle"
            ),
            artifacts=self._store(),
            server=InstantServer(),
            provenance=toy.CLEAN,
            cause=cause,
            today=datetime.date(2026, 1, 1),
            machine="this machine",
            out=candidate / "evidence",
        )
        return Evidence.read(candidate / "evidence" / "evidence.json")

    def _store(self) -> FileArtifacts:
        return FileArtifacts((self.place / "store").as_uri())
