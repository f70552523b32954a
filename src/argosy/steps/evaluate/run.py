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
from argosy.domain.evidence import (
    ChampionRef,
    ComparisonResult,
    Curve,
    Evidence,
    GateResult,
    ShownDifference,
    Table,
    VerdictWord,
)
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import Policy
from argosy.domain.provenance import Provenance
from argosy.domain.retraining_cause import Cause
from argosy.ml import frames, metrics, simple_answers
from argosy.ml import holdout as sides
from argosy.ml.evaluation import EvaluationResult, measure
from argosy.ml.frames import Examples
from argosy.ml.predictor import Predictor
from argosy.ports.artifacts import Artifacts
from argosy.ports.measures import OwnMeasure
from argosy.ports.trial_server import ReplayResult, TrialServer
from argosy.report import change_tables, evidence_files, evidence_tables
from argosy.steps.evaluate import champion_comparison, own_measures, recent_comparison, sample_sizes
from argosy.steps.evaluate.champion_comparison import Incumbent

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
    case = EvaluationCase.read(settings, policy, inputs, cause)
    taken = _taken(case, server, measures)
    beside = _beside_champion(case, artifacts, taken.figures)
    results = [*gates.judge(policy, taken.measurements, today), gates.parity(taken.difference), *beside.gates]
    results = gates.past(results, case.champion.overrides or [], case.predictor.digest, today)
    verdict, explanation = verdicts.decide(
        model_digest=case.predictor.digest,
        champion=case.champion,
        gates=results,
        comparison=beside.on_holdout,
        margins=beside.margins,
        recent=beside.on_recent if _must_be_better(cause) else None,
        as_of=case.snapshot.as_of,
    )
    judged = ReachedVerdict(results, verdict, explanation)
    evidence_files.write(_evidence(case, taken, beside, judged, provenance, machine), settings, out)
    return verdict


@dataclass(frozen=True)
class EvaluationCase:
    """A candidate, the rows that it is judged on, and what it is judged by."""

    settings: ModelSettings
    policy: Policy
    inputs: Inputs
    snapshot: SnapshotManifest
    champion: ChampionRef
    predictor: Predictor
    holdout: Examples
    cause: Cause | None

    @classmethod
    def read(cls, settings: ModelSettings, policy: Policy, inputs: Inputs, cause: Cause | None) -> "EvaluationCase":
        """What *inputs* hold."""
        snapshot = SnapshotManifest.read(inputs.snapshot / "manifest.json")
        champion = ChampionRef.read(inputs.champion / "champion.json")
        if snapshot.as_of is not None:
            # It may have been trained on the very rows that this one is judged by, as they lay in the future then.
            champion = ChampionRef(model=champion.model, policy_digest=champion.policy_digest)
        predictor = Predictor.load(inputs.bundle, bundles.digest(inputs.bundle))
        holdout = frames.read(inputs.features, "holdout")
        return cls(settings, policy, inputs, snapshot, champion, predictor, holdout, cause)


@dataclass(frozen=True)
class TakenMeasurements:
    """What was measured of the candidate by itself."""

    figures: EvaluationResult
    measurements: dict[str, float | None]
    """All of them, by dotted name: *figures*', latency's, and those of installed packages."""
    difference: str | None
    """Where the server answers otherwise than training; None where it does not."""


def _taken(case: EvaluationCase, server: TrialServer, measures: Mapping[str, OwnMeasure]) -> TakenMeasurements:
    settings, measuring = case.settings, case.policy.measuring
    figures = measure(settings, case.predictor, case.holdout, measuring, _recent(case.inputs.features))
    served = server.replay(case.inputs.bundle, case.predictor.digest)
    own = own_measures.taken(measures, settings, case.predictor, case.holdout)
    measurements = {**figures.measurements, **_latency(served, measuring.cpu_hour), **own}
    return TakenMeasurements(figures, measurements, served.difference)


@dataclass(frozen=True)
class BesideChampion:
    """How the candidate stands beside the model in production."""

    on_holdout: ComparisonResult | None = None
    margins: list[ComparisonResult] = field(default_factory=list)
    shown: list[ShownDifference] = field(default_factory=list)
    alone: dict[str, float | None] = field(default_factory=dict)
    """What was measured of the champion by itself."""
    on_recent: ComparisonResult | None = None
    tables: list[Table] = field(default_factory=list)
    gates: list[GateResult] = field(default_factory=list)
    curves: list[Curve] | None = None
    """The candidate's, with the champion's beside them; None where it was not asked."""


def _beside_champion(case: EvaluationCase, artifacts: Artifacts, figures: EvaluationResult) -> BesideChampion:
    champion, predictor = case.champion, case.predictor
    if champion.model_digest == predictor.digest:
        return BesideChampion()
    if champion.model_digest is None:
        recent, gates = _on_recent(case, None)
        return BesideChampion(on_recent=recent, gates=gates)
    settings, rules, holdout = case.settings, case.policy.comparison, case.holdout
    incumbent = champion_comparison.fetch(champion, artifacts)
    left_out = frames.left_out(case.inputs.features)
    limited = [each.metric for each in (*case.policy.limits, *case.policy.deviations)]
    standing = champion_comparison.hold(
        settings,
        rules,
        predictor,
        incumbent.predictor,
        holdout,
        left_out,
        overlap=_overlap(predictor, incumbent.predictor),
        limited=limited,
        predictions=figures.predictions,
    )
    recent, gates = _on_recent(case, incumbent)
    shown, together = [standing.beside] if standing.beside else [], None
    alone: dict[str, float | None] = {}
    if standing.answered is not None and standing.result.compared:
        together = champion_comparison.curves(settings, standing.answered.champion, holdout, figures.curves)
        shown += champion_comparison.impact(
            settings,
            rules,
            predictor,
            incumbent.predictor,
            standing.answered,
            holdout,
            case.policy.measuring.smallest_slice,
        )
        alone = champion_comparison.alone(
            settings, case.policy.measuring, limited, incumbent.predictor, standing.answered, holdout.labels
        )
    held = comparison.gates(rules, standing.result, standing.margins)
    return BesideChampion(
        standing.result, standing.margins, standing.shown, alone, recent, shown, [*held, *gates], together
    )


def _overlap(candidate: Predictor, champion: Predictor) -> str | None:
    """By what both bundles say of their holdouts."""
    ours, theirs = candidate.signature, champion.signature
    return comparison.overlap(ours.split, theirs.split, entities=(ours.join_keys, theirs.join_keys))


def _on_recent(case: EvaluationCase, incumbent: Incumbent | None) -> tuple[ComparisonResult | None, list[GateResult]]:
    asked = (case.settings, case.policy.comparison, case.predictor)
    if _must_be_better(case.cause):
        return recent_comparison.judge(*asked, incumbent, case.inputs.features)
    return (recent_comparison.shown(*asked, incumbent, case.inputs.features) if incumbent else None), []


def _must_be_better(cause: Cause | None) -> bool:
    return cause is not None and cause.must_be_better


@dataclass(frozen=True)
class ReachedVerdict:
    """What follows of all that was measured."""

    gates: list[GateResult]
    verdict: VerdictWord
    explanation: str


def _evidence(
    case: EvaluationCase,
    taken: TakenMeasurements,
    beside: BesideChampion,
    judged: ReachedVerdict,
    provenance: Provenance,
    machine: str,
) -> Evidence:
    settings, policy, schema = case.settings, case.policy, case.holdout.schema
    return Evidence(
        form=evidences.FORM,
        model=settings.model,
        task=settings.task,
        model_digest=case.predictor.digest,
        snapshot_digest=case.snapshot.content_digest(),
        as_of=case.snapshot.as_of,
        policy_digest=case.champion.policy_digest,
        champion=case.champion,
        provenance=provenance,
        provenance_waiver=policy.provenance.waiver,
        provenance_in_staging=policy.provenance.staging,
        cause=case.cause and case.cause.without(_personal(schema)),
        audience=settings.audience,
        trained_on=recent_comparison.trained_on(schema),
        recent_rows=recent_comparison.recent_rows(schema),
        recent=beside.on_recent,
        online_until=schema.online_until,
        measuring=policy.measuring,
        rows_train=schema.rows_train,
        rows_holdout=len(case.holdout),
        metrics=taken.measurements,
        gates=judged.gates,
        comparison=beside.on_holdout,
        margins=beside.margins,
        shown=beside.shown,
        champion_metrics=beside.alone,
        sample=sample_sizes.of_holdout(
            settings, policy.comparison, case.predictor, case.holdout, beside.on_holdout, beside.margins
        ),
        verdict=judged.verdict,
        explanation=judged.explanation,
        tables=_tables(case, taken, beside, machine),
        curves=taken.figures.curves if beside.curves is None else beside.curves,
        attribution=taken.figures.attribution,
        example_sentences=taken.figures.sentences,
    )


def _tables(case: EvaluationCase, taken: TakenMeasurements, beside: BesideChampion, machine: str) -> list[Table]:
    """In the order in which a report has them."""
    return [
        *beside.tables,
        *_simple(case),
        *taken.figures.tables,
        *_speed(taken.measurements, case.policy.measuring.cpu_hour, machine),
        *_data_tables(case.inputs.since_champion),
        evidence_tables.sources(case.settings.sources, case.snapshot),
    ]


def _simple(case: EvaluationCase) -> list[Table]:
    """What a first model is held against; none where there is a champion."""
    if case.champion.model_digest is not None:
        return []
    train = frames.read(case.inputs.features, "train")
    predictions = case.predictor.predict_matrix(case.holdout.matrix)
    metric, classes = case.policy.comparison.metric, len(case.settings.label.classes)
    return [simple_answers.table(case.settings.task, metric, classes, train, case.holdout, predictions)]


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
