"""The logic of ``evaluate``: six dimensions measured, held against the policy and the champion, and written down as evidence.

Ends the same way whatever the verdict: a no is an answer here, and ``propose`` is where it stops a model.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from argosy import errors
from argosy.domain import bundle as bundles
from argosy.domain import comparison, gates, verdicts
from argosy.domain import evidence as evidences
from argosy.domain import measurements as measurement_names
from argosy.domain.data import FeatureSchema, SnapshotManifest
from argosy.domain.data_comparison import SinceChampion
from argosy.domain.evidence import ChampionRef, ComparisonResult, Curve, Evidence, GateResult, Table, VerdictWord
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import ComparisonPolicy, Policy
from argosy.domain.provenance import Provenance
from argosy.domain.retraining_cause import Cause
from argosy.ml import frames, metrics, simple_answers
from argosy.ml import holdout as sides
from argosy.ml.evaluation import measure
from argosy.ml.frames import Examples
from argosy.ml.predictor import Predictor
from argosy.ports.artifacts import Artifacts
from argosy.ports.measures import OwnMeasure
from argosy.ports.trial_server import ReplayResult, TrialServer
from argosy.report import change_tables, evidence_markdown, evidence_tables, pictures
from argosy.steps.evaluate import champion_comparison, own_measures, recent_comparison, sample_sizes
from argosy.steps.evaluate.champion_comparison import Incumbent

EVIDENCE = "evidence.json"
NO_MEASURES: Mapping[str, OwnMeasure] = MappingProxyType({})


@dataclass(frozen=True)
class Inputs:
    """The folders that evaluate reads."""

    champion: Path
    snapshot: Path
    features: Path
    bundle: Path
    since_champion: Path | None = None
    """None in a pipeline that compares no data."""


def run(
    *,
    settings: ModelSettings,
    policy: Policy,
    inputs: Inputs,
    artifacts: Artifacts,
    server: TrialServer,
    provenance: Provenance,
    cause: Cause | None = None,
    measures: Mapping[str, OwnMeasure] = NO_MEASURES,
    today: datetime.date,
    machine: str,
    out: Path,
) -> VerdictWord:
    """Write ``evidence.json``, ``evidence.md`` and ``model-card.md`` into *out*; returns the verdict.

    *measures*: what installed packages measure, by name. *server* serves the candidate as production will and asks it its golden rows, on
    *machine*, which is described in words.
    """
    _refuse_unfit(policy, settings)
    snapshot = SnapshotManifest.read(inputs.snapshot / "manifest.json")
    champion = ChampionRef.read(inputs.champion / "champion.json")
    if snapshot.as_of is not None:
        # It may have been trained on the very rows that this one is judged by, as they lay in the future then.
        champion = ChampionRef(model=champion.model, policy_digest=champion.policy_digest)
    digest = bundles.digest(inputs.bundle)
    predictor = Predictor.load(inputs.bundle, digest)
    holdout = frames.read(inputs.features, "holdout")
    measured = measure(settings, predictor, holdout, policy.measuring, _recent(inputs.features))
    served = server.replay(inputs.bundle, digest)
    own = own_measures.taken(measures, settings, predictor, holdout)
    measurements = {**measured.measurements, **_latency(served, policy.measuring.cpu_hour), **own}
    results = [*gates.judge(policy, measurements, today), gates.parity(served.difference)]
    beside = _beside_champion(settings, policy, inputs, champion, predictor, holdout, artifacts, cause, measured.curves)
    results = gates.past([*results, *beside.gates], champion.overrides or [], digest, today)
    verdict, explanation = verdicts.decide(
        model_digest=digest,
        champion=champion,
        gates=results,
        comparison=beside.on_holdout,
        margins=beside.margins,
        recent=beside.on_recent if _must_be_better(cause) else None,
        as_of=snapshot.as_of,
    )
    evidence = Evidence(
        form=evidences.FORM,
        model=settings.model,
        task=settings.task,
        model_digest=digest,
        snapshot_digest=snapshot.content_digest(),
        as_of=snapshot.as_of,
        policy_digest=champion.policy_digest,
        champion=champion,
        provenance=provenance,
        provenance_waiver=policy.provenance.waiver,
        provenance_in_staging=policy.provenance.staging,
        cause=cause and cause.without(_personal(holdout.schema)),
        audience=settings.audience,
        trained_on=recent_comparison.trained_on(holdout.schema),
        recent_rows=recent_comparison.recent_rows(holdout.schema),
        recent=beside.on_recent,
        online_until=holdout.schema.online_until,
        measuring=policy.measuring,
        rows_train=holdout.schema.rows_train,
        rows_holdout=len(holdout),
        metrics=measurements,
        gates=results,
        comparison=beside.on_holdout,
        margins=beside.margins,
        sample=sample_sizes.of_holdout(
            settings, policy.comparison, predictor, holdout, beside.on_holdout, beside.margins
        ),
        verdict=verdict,
        explanation=explanation,
        tables=[
            *beside.tables,
            *_simple(settings, policy, inputs, champion, predictor, holdout),
            *measured.tables,
            *_speed(measurements, policy.measuring.cpu_hour, machine),
            *_data_tables(inputs.since_champion),
            evidence_tables.sources(settings.sources, snapshot),
        ],
        curves=measured.curves if beside.curves is None else beside.curves,
        attribution=measured.attribution,
        example_sentences=measured.sentences,
    )
    _write(evidence, settings, out)
    return verdict


@dataclass(frozen=True)
class BesideChampion:
    """How the candidate stands beside the model in production."""

    on_holdout: ComparisonResult | None = None
    margins: list[ComparisonResult] = field(default_factory=list)
    on_recent: ComparisonResult | None = None
    tables: list[Table] = field(default_factory=list)
    gates: list[GateResult] = field(default_factory=list)
    curves: list[Curve] | None = None
    """The candidate's, with the champion's beside them; None where it was not asked."""


def _beside_champion(
    settings: ModelSettings,
    policy: Policy,
    inputs: Inputs,
    champion: ChampionRef,
    predictor: Predictor,
    holdout: Examples,
    artifacts: Artifacts,
    cause: Cause | None,
    curves: list[Curve],
) -> BesideChampion:
    if champion.model_digest == predictor.digest:
        return BesideChampion()
    rules, features = policy.comparison, inputs.features
    if champion.model_digest is None:
        recent, gates = _on_recent(settings, rules, predictor, None, features, cause)
        return BesideChampion(on_recent=recent, gates=gates)
    incumbent = champion_comparison.fetch(champion, artifacts)
    left_out = frames.left_out(features)
    standing = champion_comparison.hold(
        settings,
        rules,
        predictor,
        incumbent.predictor,
        holdout,
        left_out,
        overlap=_overlap(predictor, incumbent.predictor),
    )
    recent, gates = _on_recent(settings, rules, predictor, incumbent, features, cause)
    shown, together = [standing.beside] if standing.beside else [], None
    if standing.champion is not None and standing.result.compared:
        together = champion_comparison.curves(settings, standing.champion, holdout, curves)
        shown += champion_comparison.impact(
            settings,
            rules,
            predictor,
            incumbent.predictor,
            standing.champion,
            holdout,
            left_out,
            policy.measuring.smallest_slice,
        )
    held = comparison.gates(rules, standing.result, standing.margins)
    return BesideChampion(standing.result, standing.margins, recent, shown, [*held, *gates], together)


def _overlap(candidate: Predictor, champion: Predictor) -> str | None:
    """By what both bundles say of their holdouts."""
    ours, theirs = candidate.signature, champion.signature
    return comparison.overlap(ours.split, theirs.split, entities=(ours.join_keys, theirs.join_keys))


def _on_recent(
    settings: ModelSettings,
    rules: ComparisonPolicy,
    predictor: Predictor,
    incumbent: Incumbent | None,
    features: Path,
    cause: Cause | None,
) -> tuple[ComparisonResult | None, list[GateResult]]:
    if _must_be_better(cause):
        return recent_comparison.judge(settings, rules, predictor, incumbent, features)
    return (recent_comparison.shown(settings, rules, predictor, incumbent, features) if incumbent else None), []


def _must_be_better(cause: Cause | None) -> bool:
    return cause is not None and cause.must_be_better


def _simple(
    settings: ModelSettings,
    policy: Policy,
    inputs: Inputs,
    champion: ChampionRef,
    predictor: Predictor,
    holdout: Examples,
) -> list[Table]:
    """What a first model is held against; none where there is a champion."""
    if champion.model_digest is not None:
        return []
    train = frames.read(inputs.features, "train")
    predictions = predictor.predict_matrix(holdout.matrix)
    metric, classes = policy.comparison.metric, len(settings.label.classes)
    return [simple_answers.table(settings.task, metric, classes, train, holdout, predictions)]


def _data_tables(since_champion: Path | None) -> list[Table]:
    """What changed in the data since the champion, for whoever reviews."""
    found = SinceChampion.read(since_champion) if since_champion else SinceChampion()
    if found.change is None:
        return []
    first, *others = change_tables.tables(found.change)
    return [first.model_copy(update={"title": "What changed in the data since the champion"}), *others]


def _refuse_unfit(policy: Policy, settings: ModelSettings) -> None:
    """Before anything is measured, and not only once there is a champion."""
    if policy.model != settings.model:
        raise errors.Misconfigured(
            f"the policy is for {policy.model!r}, the model is {settings.model!r}; name the policy's file after it"
        )
    for metric in (policy.comparison.metric, *policy.comparison.beside):
        metrics.find(settings.task, metric)
    for margin in policy.comparison.margins:
        if (problem := measurement_names.not_compared(margin.metric, settings)) is not None:
            raise errors.Misconfigured(f"comparison.margins of the policy: {problem}")


def _recent(features: Path) -> Examples | None:
    """The newest labelled rows, which nothing was trained on; None where none are kept apart."""
    return frames.read(features, sides.RECENT) if frames.schema(features).rows_recent else None


def _personal(schema: FeatureSchema) -> frozenset[str]:
    return frozenset(feature.name for feature in schema.features if feature.personal)


def _latency(served: ReplayResult, cpu_hour: float) -> dict[str, float | None]:
    """*cpu_hour*: the price of an hour of one CPU, for the cost of a million predictions asked one by one."""
    return {
        "latency.p50_ms": served.p50_ms,
        "latency.p95_ms": served.p95_ms,
        "latency.p99_ms": served.p99_ms,
        "latency.cost_per_million": None if served.p50_ms is None else served.p50_ms / 1e3 / 3600 * cpu_hour * 1e6,
    }


def _speed(measurements: dict[str, float | None], cpu_hour: float, machine: str) -> list[Table]:
    milliseconds = [measurements[f"latency.{name}_ms"] for name in ("p50", "p95", "p99")]
    return evidence_tables.speed(milliseconds, measurements["latency.cost_per_million"], cpu_hour, machine)


def _write(evidence: Evidence, settings: ModelSettings, out: Path) -> None:
    """Evidence, report and model card, and the pictures that the report shows."""
    drawn = pictures.of(evidence)
    evidence = evidence.model_copy(update={"pictures": list(drawn)})
    evidence.write(out / EVIDENCE)
    for name, picture in drawn.items():
        (out / name).write_text(picture.svg, encoding="utf-8")
    (out / "evidence.md").write_text(evidence_markdown.report(evidence), encoding="utf-8")
    (out / "model-card.md").write_text(evidence_markdown.model_card(evidence, settings), encoding="utf-8")
