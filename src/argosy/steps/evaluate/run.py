"""The logic of ``evaluate``: six dimensions measured, held against the policy and the champion, and written down as evidence.

Ends the same way whatever the verdict: a no is an answer here, and ``propose`` is where it stops a model.
"""

import datetime
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.domain import bundle as bundles
from argosy.domain import comparison, gates, verdicts
from argosy.domain.data import FeatureSchema, SnapshotManifest
from argosy.domain.evidence import ChampionRef, Evidence, VerdictWord
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import Policy
from argosy.domain.provenance import Provenance
from argosy.domain.retraining_cause import Cause
from argosy.ml import frames, metrics
from argosy.ml.evaluation import measure
from argosy.ml.predictor import Predictor
from argosy.ports.artifacts import Artifacts
from argosy.ports.trial_server import ReplayResult, TrialServer
from argosy.report import evidence_markdown
from argosy.steps.evaluate import champion_comparison, recent_comparison

EVIDENCE = "evidence.json"
CPU_HOUR = 0.04
"""The price of an hour of one CPU, in dollars, for the cost of a million predictions asked one by one."""


@dataclass(frozen=True)
class Inputs:
    """The folders that evaluate reads."""

    champion: Path
    snapshot: Path
    features: Path
    bundle: Path


def run(
    *,
    settings: ModelSettings,
    policy: Policy,
    inputs: Inputs,
    artifacts: Artifacts,
    server: TrialServer,
    provenance: Provenance,
    cause: Cause | None = None,
    today: datetime.date,
    out: Path,
) -> VerdictWord:
    """Write ``evidence.json``, ``evidence.md`` and ``model-card.md`` into *out*; returns the verdict.

    *server* serves the candidate as production will and asks it its golden rows.
    """
    _refuse_unfit(policy, settings)
    champion = ChampionRef.read(inputs.champion / "champion.json")
    digest = bundles.digest(inputs.bundle)
    predictor = Predictor.load(inputs.bundle, digest)
    holdout = frames.read(inputs.features, "holdout")
    measured = measure(settings, predictor, holdout)
    served = server.replay(inputs.bundle, digest)
    measurements = {**measured.measurements, **_latency(served)}
    results = [*gates.judge(policy, measurements, today), gates.parity(served.difference)]
    against, beside, recent = None, None, None
    incumbent = None
    if champion.model_digest not in (None, digest):
        incumbent = champion_comparison.fetch(champion, artifacts)
        against, beside = champion_comparison.hold(
            settings,
            policy.comparison,
            predictor,
            incumbent.predictor,
            holdout,
            frames.left_out(inputs.features),
            overlap=comparison.overlap(settings.split, incumbent.predictor.signature.split),
        )
        results.append(comparison.gate(policy.comparison, against))
    if cause is not None and cause.must_be_better and champion.model_digest != digest:
        recent, more = recent_comparison.judge(settings, policy.comparison, predictor, incumbent, inputs.features)
        results.extend(more)
    verdict, explanation = verdicts.decide(
        model_digest=digest, champion=champion, gates=results, comparison=against, recent=recent
    )
    evidence = Evidence(
        model=settings.model,
        task=settings.task,
        model_digest=digest,
        snapshot_digest=SnapshotManifest.read(inputs.snapshot / "manifest.json").content_digest(),
        policy_digest=champion.policy_digest,
        champion=champion,
        provenance=provenance,
        provenance_waiver=policy.provenance.waiver,
        cause=cause and cause.without(_personal(holdout.schema)),
        trained_on=recent_comparison.trained_on(holdout.schema),
        recent_rows=recent_comparison.recent_rows(holdout.schema),
        recent=recent,
        rows_train=holdout.schema.rows_train,
        rows_holdout=len(holdout),
        metrics=measurements,
        gates=results,
        comparison=against,
        verdict=verdict,
        explanation=explanation,
        tables=[*measured.tables, *([beside] if beside else [])],
        curves=measured.curves,
        attribution=measured.attribution,
        example_sentences=measured.sentences,
    )
    _write(evidence, settings, out)
    return verdict


def _refuse_unfit(policy: Policy, settings: ModelSettings) -> None:
    """Before anything is measured, and not only once there is a champion."""
    if policy.model != settings.model:
        raise errors.Misconfigured(
            f"the policy is for {policy.model!r}, the model is {settings.model!r}; name the policy's file after it"
        )
    for metric in (policy.comparison.metric, *policy.comparison.beside):
        metrics.find(settings.task, metric)


def _personal(schema: FeatureSchema) -> frozenset[str]:
    return frozenset(feature.name for feature in schema.features if feature.personal)


def _latency(served: ReplayResult) -> dict[str, float | None]:
    return {
        "latency.p50_ms": served.p50_ms,
        "latency.p95_ms": served.p95_ms,
        "latency.p99_ms": served.p99_ms,
        "latency.cost_per_million": served.p50_ms / 1e3 / 3600 * CPU_HOUR * 1e6,
    }


def _write(evidence: Evidence, settings: ModelSettings, out: Path) -> None:
    evidence.write(out / EVIDENCE)
    (out / "evidence.md").write_text(evidence_markdown.report(evidence), encoding="utf-8")
    (out / "model-card.md").write_text(evidence_markdown.model_card(evidence, settings), encoding="utf-8")
