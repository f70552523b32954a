"""The logic of ``evaluate``: six dimensions measured, held against the policy and the champion, and written down as evidence.

Ends the same way whatever the verdict: a no is an answer here, and ``propose`` is where it stops a model.
"""

import datetime
import tempfile
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.domain import bundle as bundles
from argosy.domain import comparison, evidence_markdown, gates, verdicts
from argosy.domain.data import SnapshotManifest
from argosy.domain.evidence import ChampionRef, ComparisonResult, Evidence, VerdictWord
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import Policy
from argosy.ml import frames, paired
from argosy.ml.predictor import Predictor
from argosy.ml.sixfold import Sixfold, measure
from argosy.ports.artifacts import Artifacts
from argosy.ports.trial_server import Served, TrialServer

EVIDENCE = "evidence.json"
CPU_HOUR = 0.04
"""What an hour of one CPU is taken to cost, in dollars, for the cost of a million predictions asked one by one."""


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
    git_commit: str,
    today: datetime.date,
    out: Path,
) -> VerdictWord:
    """Write ``evidence.json``, ``evidence.md`` and ``model-card.md`` into *out*; returns the verdict.

    *server* serves the candidate as production will and asks it its golden rows.
    """
    champion = ChampionRef.read(inputs.champion / "champion.json")
    digest = bundles.digest(inputs.bundle)
    predictor = Predictor.load(inputs.bundle, digest)
    holdout = frames.read(inputs.features, "holdout")
    measured = measure(settings, predictor, holdout)
    served = server.replay(inputs.bundle, digest)
    measurements = {**measured.measurements, **_latency(served)}
    against = None
    if champion.model_digest not in (None, digest):
        against = _against(settings, policy, champion, predictor, holdout, artifacts)
    results = [*gates.judge(policy, measurements, today), gates.parity(served.difference)]
    results += [comparison.gate(against)] if against else []
    verdict, explanation = verdicts.decide(model_digest=digest, champion=champion, gates=results, comparison=against)
    evidence = Evidence(
        model=settings.model,
        task=settings.task,
        model_digest=digest,
        snapshot_digest=SnapshotManifest.read(inputs.snapshot / "manifest.json").content_digest(),
        policy_digest=champion.policy_digest,
        champion=champion,
        git_commit=git_commit,
        rows_train=holdout.schema.rows_train,
        rows_holdout=len(holdout),
        metrics=measurements,
        gates=results,
        comparison=against,
        verdict=verdict,
        explanation=explanation,
        **_shown(measured),
    )
    _write(evidence, settings, out)
    return verdict


def _latency(served: Served) -> dict[str, float | None]:
    """Undefined where the server was not timed, because its answers were wrong."""
    times = {"latency.p50_ms": served.p50_ms, "latency.p95_ms": served.p95_ms, "latency.p99_ms": served.p99_ms}
    cost = served.p50_ms / 1e3 / 3600 * CPU_HOUR * 1e6
    return {
        name: value if served.requests else None for name, value in {**times, "latency.cost_per_million": cost}.items()
    }


def _shown(measured: Sixfold) -> dict[str, object]:
    return {
        "tables": measured.tables,
        "curves": measured.curves,
        "attribution": measured.attribution,
        "example_sentences": measured.sentences,
    }


def _write(evidence: Evidence, settings: ModelSettings, out: Path) -> None:
    evidence.write(out / EVIDENCE)
    (out / "evidence.md").write_text(evidence_markdown.report(evidence), encoding="utf-8")
    (out / "model-card.md").write_text(evidence_markdown.model_card(evidence, settings), encoding="utf-8")


def _against(
    settings: ModelSettings,
    policy: Policy,
    champion: ChampionRef,
    candidate: Predictor,
    holdout: frames.Examples,
    artifacts: Artifacts,
) -> ComparisonResult:
    """The candidate against the model in production, on the same rows."""
    if champion.model_digest is None or champion.storage_uri is None:
        raise errors.Misconfigured(
            f"main of the environment repo names a champion of {settings.model} without its place in the model store"
        )
    with tempfile.TemporaryDirectory(prefix="champion-") as folder:
        fetched = Path(folder) / "bundle"
        artifacts.get(champion.storage_uri, fetched)
        incumbent = Predictor.load(fetched, champion.model_digest)
    if reason := _incomparable(settings, candidate, incumbent, holdout):
        return comparison.impossible(policy.comparison, reason, len(holdout))
    figures = paired.compare(
        settings.task,
        policy.comparison.metric,
        holdout.labels,
        (candidate.predict_matrix(holdout.matrix), _threshold(candidate)),
        (incumbent.predict_matrix(incumbent.encoder.table(holdout.table)), _threshold(incumbent)),
        confidence=policy.comparison.confidence,
        resamples=policy.comparison.resamples,
        seed=settings.seed,
    )
    return comparison.decide(policy.comparison, figures)


def _incomparable(
    settings: ModelSettings, candidate: Predictor, incumbent: Predictor, holdout: frames.Examples
) -> str | None:
    if (incumbent.signature.task, incumbent.signature.classes) != (
        candidate.signature.task,
        candidate.signature.classes,
    ):
        return "the champion answers another question: its task or its classes differ"
    absent = [
        feature.name for feature in incumbent.signature.features if feature.name not in holdout.table.column_names
    ]
    if absent:
        return f"the champion needs the feature {absent[0]!r}, which this data has not; keep it until the champion is replaced"
    return comparison.overlap(settings.split, incumbent.signature.split)


def _threshold(predictor: Predictor) -> float:
    return 0.5 if predictor.signature.threshold is None else predictor.signature.threshold
