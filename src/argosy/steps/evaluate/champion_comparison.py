"""The candidate against the model in production, on the same rows: those held out, and the newest labelled ones.

What outcome follows from which figures is ``domain.comparison``'s word, how the figures are calculated ``ml.paired``'s.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from argosy import errors, scratch
from argosy.domain import bundle as bundles
from argosy.domain import comparison, measurements, suggestion
from argosy.domain.bundle import Bins, Signature
from argosy.domain.comparison import Paired
from argosy.domain.data import FeatureColumn
from argosy.domain.evidence import CHAMPION, MODEL, ChampionRef, ComparisonResult, Curve, ShownDifference, Table
from argosy.domain.measurements import VALUE_PER_ROW
from argosy.domain.measuring import Measuring
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import ComparisonPolicy
from argosy.ml import calibration, decision_impact, evaluation, paired, performance, resampling
from argosy.ml.encoding import Matrix
from argosy.ml.frames import Examples
from argosy.ml.paired import Answers, Contrast
from argosy.ml.predictor import Predictor, UndefinedPrediction
from argosy.ml.resampling import Bootstrap, Units
from argosy.ml.weighted_statistics import OfRepeatedRows
from argosy.ports.artifacts import Artifacts

ALONE = frozenset({"robustness", "explainability"})
"""Dimensions that are measured of each model by itself: there is no pair of answers to one row, and no interval of a difference."""


@dataclass(frozen=True)
class Incumbent:
    """The champion, ready to answer, and the counts of its own holdout."""

    predictor: Predictor
    bins: Bins | None
    """None in bundles of earlier Argosys, which counted something else."""


def fetch(champion: ChampionRef, artifacts: Artifacts) -> Incumbent:
    """The champion, proven by its digest. Raises Misconfigured where main does not say where it is."""
    if champion.model_digest is None or champion.storage_uri is None:
        raise errors.Misconfigured(
            f"main of the environment repo names a champion of {champion.model} without its place in the model store; "
            f"mend models/{champion.model}/production/version.yaml"
        )
    with scratch.folder("champion") as folder:
        fetched = folder / "bundle"
        artifacts.get(champion.storage_uri, fetched)
        predictor = Predictor.load(fetched, champion.model_digest)
        return Incumbent(predictor, bundles.read_comparable_bins(fetched / bundles.BINS))


@dataclass(frozen=True)
class PairedAnswers:
    """What both models answered for the same rows, and which of these belong together."""

    candidate: Answers
    champion: Answers
    units: Units
    matrix: Matrix
    """The rows as the champion encodes them."""


@dataclass(frozen=True)
class Standing:
    """How the candidate stands against the champion on the same rows."""

    result: ComparisonResult
    """By the score that the policy names first."""
    margins: list[ComparisonResult]
    """By the others that it names, in its order."""
    shown: list[ShownDifference] = field(default_factory=list)
    """Of what else the policy limits."""
    beside: Table | None = None
    """Scores that are shown and never gate."""
    answered: PairedAnswers | None = field(default=None, repr=False)
    """What the figures are of; None where the champion could not be asked."""


def hold(
    settings: ModelSettings,
    policy: ComparisonPolicy,
    candidate: Predictor,
    incumbent: Predictor,
    holdout: Examples,
    left_out: pa.Table,
    *,
    overlap: str | None = None,
    limited: Sequence[str] = (),
    predictions: npt.NDArray[np.float64] | None = None,
) -> Standing:
    """The outcome by each measurement of the policy, all on the same draws. Each model answers from its own features.

    *holdout*: rows that neither was trained on, unless *overlap* says why the champion may have been. *left_out*: features of the same rows
    that the candidate does not take (see ``ml.frames``). *limited*: measurements that are shown of both besides. *predictions*: what the
    candidate says of *holdout*, where it was asked already.
    """
    own = own_features(incumbent.signature, holdout, left_out)
    reason = _incomparable(candidate, incumbent) or overlap or (own if isinstance(own, str) else None)
    if reason or isinstance(own, str):
        return _impossible(policy, reason or str(own), len(holdout))
    said = candidate.predict_matrix(holdout.matrix) if predictions is None else predictions
    matrix = incumbent.encoder.table(own)
    answers = Answers(said, candidate.threshold), Answers(incumbent.predict_matrix(matrix), incumbent.threshold)
    drawing = Bootstrap(policy.confidence, policy.resamples, settings.seed)
    contrasts = {
        name: paired.of_score(settings.task, name, holdout.labels, *answers) for name in (policy.metric, *policy.beside)
    }
    asked = {each.metric: _contrast(settings, each.metric, holdout, *answers) for each in policy.margins}
    told = {name: each for name, each in asked.items() if each is not None}
    units = entities(policy, holdout)
    found = paired.compare_all({**contrasts, **told}, drawing, units)
    rules = [policy, *map(policy.of, policy.margins)]
    first, *others = comparison.settle(policy, [_decided(rule, found.get(rule.metric), len(holdout)) for rule in rules])
    first = first.model_copy(update={"score_distance": paired.score_distance(*answers)})
    beside = {name: pair for name in policy.beside if (pair := found[name]) is not None}
    shown = _shown(settings, policy, limited, holdout, answers, drawing, units)
    table = comparison.beside(beside) if beside else None
    return Standing(first, others, shown, table, PairedAnswers(*answers, units, matrix))


def _shown(
    settings: ModelSettings,
    policy: ComparisonPolicy,
    limited: Sequence[str],
    holdout: Examples,
    answers: tuple[Answers, Answers],
    drawing: Bootstrap,
    units: Units,
) -> list[ShownDifference]:
    """Both models by those of *limited* that can be held against each other and that the policy does not compare already.

    On draws of their own: what else is shown changes no figure that decides. A score that no sums tell, such as a best F1, is left out:
    it would cost more than all others together.
    """
    asked = {f"performance.{policy.metric}", *(each.metric for each in policy.margins)}
    names = [name for name in dict.fromkeys(limited) if name not in asked and name in measurements.compared(settings)]
    contrasts = {name: _contrast(settings, name, holdout, *answers) for name in names}
    cheap = {name: each for name, each in contrasts.items() if each and not isinstance(each.candidate, OfRepeatedRows)}
    found = paired.compare_all(cheap, drawing, units, tested=False) if cheap else {}
    return comparison.shown({name: pair for name, pair in found.items() if pair is not None})


def entities(policy: ComparisonPolicy, holdout: Examples) -> Units:
    """Which rows of *holdout* are drawn together. Raises Misconfigured where the policy names a column that the examples do not have."""
    names = policy.entity or holdout.schema.join_keys
    if absent := [name for name in names if name not in holdout.table.column_names]:
        raise errors.Misconfigured(
            f"comparison.entity of the policy: examples have no column {absent[0]!r}"
            f"{suggestion.choices(absent[0], holdout.table.column_names, 'They have')}"
        )
    return resampling.of_columns([holdout.table.column(name) for name in names])


def _decided(policy: ComparisonPolicy, pair: Paired | None, rows: int) -> ComparisonResult:
    if pair is None:
        return comparison.impossible(policy, f"{policy.metric} is undefined on these rows", rows)
    return comparison.decide(policy, pair)


def _impossible(policy: ComparisonPolicy, reason: str, rows: int) -> Standing:
    first, *others = (comparison.impossible(rule, reason, rows) for rule in (policy, *map(policy.of, policy.margins)))
    return Standing(first, others)


def _contrast(
    settings: ModelSettings, metric: str, holdout: Examples, candidate: Answers, champion: Answers
) -> Contrast | None:
    """Both models by the measurement called *metric*; None where this holdout has nothing to say of it."""
    dimension, _, name = metric.partition(".")
    task, labels = settings.task, holdout.labels
    if metric == VALUE_PER_ROW:
        return paired.of_worth(labels, candidate, champion, settings.evaluation.business)
    if dimension == "performance":
        return paired.of_score(task, name, labels, candidate, champion)
    if dimension == "calibration":
        return paired.of_calibration(task, name, labels, candidate, champion)
    attribute, _, name = name.rpartition(".")
    groups = evaluation.columns(holdout, [attribute])[attribute]
    return paired.of_fairness(task, name, labels, candidate, champion, groups)


def impact(
    settings: ModelSettings,
    policy: ComparisonPolicy,
    candidate: Predictor,
    incumbent: Predictor,
    answered: PairedAnswers,
    holdout: Examples,
    smallest_slice: int,
) -> list[Table]:
    """What a promotion would change on the rows of *holdout*, of two models that :func:`hold` could compare.

    *answered*: what they said there.
    """
    judges = decision_impact.Judges(
        task=settings.task,
        classes=candidate.signature.classes,
        labels=holdout.labels,
        candidate=answered.candidate,
        champion=answered.champion,
        confidence=policy.confidence,
        smallest_slice=smallest_slice,
        units=answered.units,
    )

    def reasons(places: npt.NDArray[np.int64]) -> list[dict[str, tuple[float, float]]]:
        decided = judges.candidate.predictions[places]
        now = _contributions(candidate, holdout.matrix[places], decided)
        before = _contributions(incumbent, answered.matrix[places], decided)
        return [
            {name: (was.get(name, 0.0), becomes.get(name, 0.0)) for name in {**becomes, **was}}
            for was, becomes in zip(before, now, strict=True)
        ]

    groups = evaluation.columns(
        holdout, list(dict.fromkeys([*settings.evaluation.slices, *settings.evaluation.sensitive]))
    )
    return decision_impact.tables(judges, groups, settings.evaluation.business, reasons)


def alone(
    settings: ModelSettings,
    measuring: Measuring,
    limited: Iterable[str],
    incumbent: Predictor,
    answered: PairedAnswers,
    labels: npt.NDArray[np.float64],
) -> dict[str, float | None]:
    """Of *limited*, what was measured of the incumbent by itself: its robustness and explainability on the same rows, by the same draws.

    All undefined (None) where it answers a row of these draws by no number.
    """
    asked = [name for name in dict.fromkeys(limited) if name.partition(".")[0] in ALONE]
    if not asked:
        return {}
    predictions = answered.champion.predictions
    try:
        found = evaluation.measure_alone(settings, incumbent, answered.matrix, labels, predictions, measuring)
    except UndefinedPrediction:
        return dict.fromkeys(asked)  # it is the champion that cannot answer: no reason to hold a candidate back
    return {name: found[name] for name in asked if name in found}


def curves(settings: ModelSettings, champion: Answers, holdout: Examples, candidate: list[Curve]) -> list[Curve]:
    """The *candidate*'s curves, those that are one line with those of the *champion*'s answers for the same rows beside it."""
    found = performance.curves(settings.task, holdout.labels, champion.predictions, settings.label.classes)
    found += calibration.measure(settings.task, holdout.labels, champion.predictions)[1]
    theirs = {curve.title: curve.series[MODEL] for curve in found if MODEL in curve.series}
    return [
        curve.model_copy(update={"series": {**curve.series, CHAMPION: theirs[curve.title]}})
        if MODEL in curve.series and curve.title in theirs
        else curve
        for curve in candidate
    ]


def _contributions(predictor: Predictor, matrix: Matrix, decided: npt.NDArray[np.float64]) -> list[dict[str, float]]:
    """For each row, feature to what it adds to the score; of a multiclass model to that of the class that *decided* is highest for."""
    found = predictor.contributions(matrix)
    if predictor.signature.task == "multiclass":
        found = found[np.arange(len(found)), np.argmax(decided, axis=1)]
    personal = {feature.name for feature in predictor.signature.features if feature.personal}
    names = [feature.name for feature in predictor.signature.features]
    return [
        {name: float(value) for name, value in zip(names, row[:-1], strict=True) if name not in personal}
        for row in found
    ]


def own_features(signature: Signature, holdout: Examples, left_out: pa.Table) -> pa.Table | str:
    """The columns that a model of *signature* reads, for the rows of *holdout*; else which of them cannot be had, and what to do."""
    columns = [(feature, _column(feature, holdout, left_out)) for feature in signature.features]
    if absent := [feature for feature, column in columns if column is None]:
        named = ", ".join(f"{feature.name!r} of the view {feature.view!r}" for feature in absent)
        return (
            f"the champion reads {named}, which this data or features.py no longer has: until the champion is replaced, keep the view "
            "there, and the column in the data and in model.yaml; the feature service may leave it out"
        )
    if other := [feature for feature, column in columns if _is_text(column) != (feature.type == "category")]:
        return f"the champion reads {other[0].name!r} as a {other[0].type}, and in this data it is none: it is another feature now"
    return pa.table({feature.name: column for feature, column in columns})


def _column(feature: FeatureColumn, holdout: Examples, left_out: pa.Table) -> pa.ChunkedArray | None:
    """The values of *feature*: as the candidate has it, else of the same view, else a column that examples carry along."""
    if feature.name in {own.name for own in holdout.schema.features}:
        return holdout.table.column(feature.name)
    if (named := f"{feature.view}:{feature.name}") in left_out.column_names:
        return left_out.column(named)
    return holdout.table.column(feature.name) if feature.name in holdout.schema.context else None


def _is_text(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _incomparable(candidate: Predictor, incumbent: Predictor) -> str | None:
    mine, theirs = candidate.signature, incumbent.signature
    if (theirs.task, theirs.classes) != (mine.task, mine.classes):
        return "the champion answers another question: its task or its classes differ"
    if theirs.join_keys != mine.join_keys:
        return (
            "the champion tells its examples apart by other keys, so it may have been trained on rows of this holdout"
        )
    return None
