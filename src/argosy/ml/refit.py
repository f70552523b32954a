"""Fits the final model and says everything about the fit: how the chosen point scored fold by fold, and the model of all training rows.

The decision threshold and the scores come from out-of-fold predictions: each row judged by a model that has not seen it. The holdout is
not looked at here; it belongs to ``evaluate``.
"""

import importlib.metadata
import math
import platform
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argosy.domain.model_settings import XGBOOST, ModelSettings
from argosy.domain.search import Choice
from argosy.domain.training_record import ClassRecord, LearningCurve, TrainingRecord
from argosy.ml import crossvalidation, metrics, trainers
from argosy.ml.crossvalidation import FoldOutcome
from argosy.ml.fitting import Fitting, InMemory
from argosy.ml.frames import Examples
from argosy.ml.trainer import Model

LIBRARIES = ("numpy", "optuna", "pyarrow", "xgboost")
"""Packages whose versions are recorded, beside the trainer's own."""


@dataclass(frozen=True)
class Fitted:
    """A final model with what cross-validation said of its parameters."""

    model: Model
    threshold: float | None
    predictions: npt.NDArray[np.float32]
    """Out of fold, in the order of the examples."""
    outcomes: Sequence[FoldOutcome]
    rounds: int
    """Boosting rounds of the model."""
    workers: int | None = None
    """See :class:`argosy.ml.fitting.Fitting`."""


def fit(examples: Examples, choice: Choice, settings: ModelSettings, fitting: Fitting | None = None) -> Fitted:
    """Fit *choice* on all of *examples*; its threshold is the setting's, from out-of-fold predictions.

    *fitting*: who fits on these very rows, of which *examples* may then be without features; None: this process.
    """
    fitting = fitting or InMemory(examples, settings)
    outcomes = fitting.outcomes(choice.parameters)
    predictions = crossvalidation.out_of_fold(outcomes)
    rounds = choice.boost_rounds
    if settings.search.rows is not None and settings.search.rows < len(examples):
        # More rows than the trials saw bear more rounds.
        rounds = crossvalidation.final_rounds([outcome.rounds for outcome in outcomes])
    model = fitting.fit(choice.parameters, rounds=rounds)
    threshold = _threshold(examples, predictions, settings)
    return Fitted(model, threshold, predictions, outcomes, rounds, fitting.workers)


def record(
    fitted: Fitted,
    examples: Examples,
    choice: Choice,
    settings: ModelSettings,
    *,
    model_digest: str,
    features_digest: str,
) -> TrainingRecord:
    """Everything about the fit that does not follow from the bundle."""
    decided = _decided(fitted, settings)
    trainer, learning = trainers.of(settings), trainers.learning(settings, examples.schema.features)
    classes = settings.label.classes
    confusion = metrics.confusion(examples.labels, decided, len(classes)) if decided is not None else []
    return TrainingRecord(
        model=settings.model,
        model_digest=model_digest,
        task=settings.task,
        features_digest=features_digest,
        seed=settings.seed,
        nthread=settings.training.nthread,
        workers=fitted.workers,
        rows=len(examples),
        library=None if settings.training.library == XGBOOST else settings.training.library,
        parameters=dict(trainer.parameters(learning, choice.parameters)),
        boost_rounds=fitted.rounds,
        threshold=fitted.threshold,
        trial=choice.trial,
        search_metric=choice.metric,
        search_score=choice.score,
        fold_rows=[len(outcome.rows) for outcome in fitted.outcomes],
        fold_rounds=[outcome.rounds for outcome in fitted.outcomes],
        fold_metrics=fold_scores(fitted, examples, settings),
        cross_validated=_scores(examples.labels, fitted.predictions, settings, fitted.threshold),
        classes=classes,
        confusion=confusion,
        classification_report=class_report(confusion, classes),
        importance=_importance(fitted.model, [feature.name for feature in examples.schema.features]),
        learning_curve=_curve(fitted.outcomes, trainer.loss(learning)),
        libraries={name: importlib.metadata.version(name) for name in LIBRARIES}
        | {settings.training.library: trainer.version}
        | {"python": platform.python_version()},
    )


def fold_scores(fitted: Fitted, examples: Examples, settings: ModelSettings) -> dict[str, list[float]]:
    """Score by name, a value a fold, at the model's threshold; a score that some fold leaves undefined is left out."""
    folds = [
        _scores(examples.labels[outcome.rows], outcome.predictions, settings, fitted.threshold)
        for outcome in fitted.outcomes
    ]
    return {name: [fold[name] for fold in folds] for name in folds[0] if all(name in fold for fold in folds)}


def class_report(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> list[ClassRecord]:
    """Precision, recall and F1 of each class, from the counts."""
    lines = []
    for index, name in enumerate(classes):
        hits, present = confusion[index][index], sum(confusion[index])
        decided = sum(line[index] for line in confusion)
        lines.append(
            ClassRecord(
                name=name,
                precision=hits / decided if decided else None,
                recall=hits / present if present else None,
                f1=2 * hits / (decided + present) if decided + present else None,
                rows=present,
            )
        )
    return lines


def _threshold(examples: Examples, predictions: npt.NDArray[np.float32], settings: ModelSettings) -> float | None:
    if settings.task != "binary":
        return None
    if settings.training.threshold == "half":
        return 0.5
    return metrics.best_threshold(examples.labels, predictions)


def _decided(fitted: Fitted, settings: ModelSettings) -> npt.NDArray[np.int64] | None:
    if settings.task == "regression":
        return None
    return metrics.decisions(settings.task, fitted.predictions, 0.5 if fitted.threshold is None else fitted.threshold)


def _scores(
    labels: npt.NDArray[np.float64],
    predictions: npt.NDArray[np.float32],
    settings: ModelSettings,
    threshold: float | None,
) -> dict[str, float]:
    cut = 0.5 if threshold is None else threshold
    scores = {
        name: metrics.score(settings.task, name, labels, predictions, threshold=cut)
        for name in metrics.METRICS[settings.task]
    }
    return {name: value for name, value in scores.items() if not math.isnan(value)}


def _importance(model: Model, names: Sequence[str]) -> dict[str, float]:
    """Feature to how much the model goes by it, largest first."""
    found = zip(names, map(float, model.importance()), strict=True)
    return dict(sorted(found, key=lambda pair: (-pair[1], pair[0])))


def _curve(outcomes: Sequence[FoldOutcome], loss: str) -> LearningCurve:
    shortest = min(len(outcome.losses["validation"]) for outcome in outcomes)

    def mean(name: str) -> list[float]:
        return [float(value) for value in np.mean([outcome.losses[name][:shortest] for outcome in outcomes], axis=0)]

    return LearningCurve(
        loss=loss,
        rounds=list(outcomes[0].looked_at[:shortest]),
        train=mean("train"),
        validation=mean("validation"),
    )
