"""How small a difference the rows held out can show: what the next run is told before it is started.

Of the two models that were compared it is known; where there was no champion, from how far the candidate's own scores vary. What follows
from it is ``domain.sample_size``'s word.
"""

import math
from collections.abc import Sequence

from argosy.domain.evidence import ComparisonResult, SampleSize
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import ComparisonPolicy
from argosy.ml import metrics, score_intervals
from argosy.ml.frames import Examples
from argosy.ml.predictor import Predictor
from argosy.ml.score_intervals import Labelled
from argosy.steps.evaluate import champion_comparison


def of_holdout(
    settings: ModelSettings,
    policy: ComparisonPolicy,
    predictor: Predictor,
    holdout: Examples,
    result: ComparisonResult | None,
    margins: Sequence[ComparisonResult],
) -> list[SampleSize]:
    """A line for each measurement that gates, where its error is known."""
    if result is not None and result.compared:
        return [
            SampleSize(metric=each.metric, rows=each.rows, error=each.error, paired=True)
            for each in (result, *margins)
            if each.error is not None
        ]
    error = _error(settings, policy, predictor, holdout)
    return [SampleSize(metric=policy.metric, rows=len(holdout), error=error, paired=False)] if error else []


def _error(settings: ModelSettings, policy: ComparisonPolicy, predictor: Predictor, holdout: Examples) -> float | None:
    """Of the difference of two models that err as far as this one and independently of each other; None where nothing tells it."""
    predictions, threshold = predictor.predict_matrix(holdout.matrix), predictor.signature.threshold
    decided = (
        holdout.labels
        if settings.task == "regression"
        else metrics.decisions(settings.task, predictions, 0.5 if threshold is None else threshold)
    )
    if policy.metric == "best_f1":
        return None
    found = score_intervals.influence(
        settings.task, policy.metric, Labelled(holdout.labels, predictions, decided.astype("int64"))
    )
    if found is None or math.isnan(found.value):
        return None
    error = math.sqrt(2 * score_intervals.variance(found.rows, champion_comparison.entities(policy, holdout).places))
    return error if math.isfinite(error) else None
