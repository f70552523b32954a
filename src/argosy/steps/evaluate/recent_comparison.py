"""The candidate of a retraining on the newest labelled rows, where it must beat the champion, and whether those rows are whole.

What follows from the figures is decided in ``domain.comparison``, ``domain.column_health`` and ``domain.verdicts``.
"""

from collections.abc import Iterator
from pathlib import Path

from argosy.domain import column_health, comparison
from argosy.domain.data import FeatureSchema
from argosy.domain.evidence import ComparisonResult, DataWindow, GateResult
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import ComparisonPolicy
from argosy.ml import bins as binning
from argosy.ml import frames, holdout
from argosy.ml.predictor import Predictor
from argosy.steps.evaluate import champion_comparison
from argosy.steps.evaluate.champion_comparison import Incumbent

NO_CHAMPION = "a retraining for this cause must beat the model in production, and there is none"
NOT_KEPT = (
    "there are no recent labelled rows to beat the champion on: set `evaluation.recent` in model.yaml, such as 30d, "
    "for a source that has times"
)
NONE_NEWER = (
    "there are no recent labelled rows to beat the champion on: the newest {recent} of the labelled rows lie in the holdout; "
    "it takes labelled rows that are newer than the holdout"
)
"""The holdout is never trained on and stays the same, so it cannot serve as what is new."""
SIDES = (
    (holdout.RECENT, frames.LEFT_OUT_RECENT, "newest labelled rows"),
    (holdout.HOLDOUT, frames.LEFT_OUT, "rows held out"),
)


def judge(
    settings: ModelSettings, policy: ComparisonPolicy, candidate: Predictor, incumbent: Incumbent | None, features: Path
) -> tuple[ComparisonResult, list[GateResult]]:
    """How *candidate* stands against the champion on the recent rows in *features*, and the gates that follow."""
    if incumbent is None:
        found = comparison.impossible(policy, NO_CHAMPION, 0)
        return found, [comparison.recent_gate(policy, found)]
    absent = _absent(settings, frames.schema(features))
    found = (
        comparison.impossible(policy, absent, 0) if absent else _held(settings, policy, candidate, incumbent, features)
    )
    return found, [comparison.recent_gate(policy, found), _whole(incumbent, features)]


def shown(
    settings: ModelSettings, policy: ComparisonPolicy, candidate: Predictor, incumbent: Incumbent, features: Path
) -> ComparisonResult | None:
    """How *candidate* stands on the recent rows where nothing hangs on it; None where there are none."""
    if not frames.schema(features).rows_recent:
        return None
    return _held(settings, policy, candidate, incumbent, features)


def trained_on(schema: FeatureSchema) -> DataWindow | None:
    """The training side, by its times."""
    if schema.trained_from is None or schema.trained_until is None:
        return None
    return DataWindow(since=schema.trained_from, until=schema.trained_until, rows=schema.rows_train)


def recent_rows(schema: FeatureSchema) -> DataWindow | None:
    """The newest labelled rows, kept for judging; None where there are none."""
    if schema.recent_after is None or schema.recent_until is None:
        return None
    return DataWindow(since=schema.recent_after, until=schema.recent_until, rows=schema.rows_recent)


def _absent(settings: ModelSettings, schema: FeatureSchema) -> str | None:
    """Why there are no recent rows; None where there are."""
    if settings.evaluation.recent is None:
        return NOT_KEPT
    return None if schema.rows_recent else NONE_NEWER.format(recent=settings.evaluation.recent)


def _held(
    settings: ModelSettings, policy: ComparisonPolicy, candidate: Predictor, incumbent: Incumbent, features: Path
) -> ComparisonResult:
    rows, theirs = frames.read(features, holdout.RECENT), incumbent.predictor.signature
    after = rows.schema.recent_after
    overlap = comparison.recent_overlap(after, theirs.split, theirs.trained_until) if after else None
    left_out = frames.left_out(features, frames.LEFT_OUT_RECENT)
    only = policy.model_copy(update={"beside": [], "margins": []})
    return champion_comparison.hold(
        settings, only, candidate, incumbent.predictor, rows, left_out, overlap=overlap
    ).result


def _whole(incumbent: Incumbent, features: Path) -> GateResult:
    """The gate that no column of the champion broke, in the recent rows or in the holdout that it knew whole."""
    return column_health.gate(
        (words, column, fault)
        for side, name, words in SIDES
        if side == holdout.HOLDOUT or frames.schema(features).rows_recent
        for column, fault in _faults(incumbent, features, side, name)
    )


def _faults(incumbent: Incumbent, features: Path, side: str, left_out: str) -> Iterator[tuple[str, str]]:
    """The columns that look broken on *side*, and why."""
    rows = frames.read(features, side)
    own = champion_comparison.own_features(incumbent.predictor.signature, rows, frames.left_out(features, left_out))
    if isinstance(own, str) or incumbent.bins is None:
        return  # the comparison says it
    for before in incumbent.bins.columns:
        if fault := column_health.broken(binning.count_column(own.column(before.column), before), before):
            yield before.column, fault
