"""Scores points of a search space by cross-validation; the matrices are made and binned once and shared by all points.

A point's score depends on the examples, the settings and the point, and on nothing else: not on the points before it, not on the process.
Which points to score is ``sampling``'s business, whether to go on with one is ``pruning``'s.
"""

import functools
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argosy.domain.model_settings import ModelSettings
from argosy.domain.search import Asked, Trial
from argosy.ml import boosting, metrics, splits, trainers
from argosy.ml.frames import Examples
from argosy.ml.pruning import PercentilePruner
from argosy.ml.trainer import Rows


@dataclass(frozen=True)
class Fold:
    """One fold: what it is fitted on, what it is scored on, and which rows of the examples those are."""

    rows: npt.NDArray[np.int64]
    labels: npt.NDArray[np.float64]
    fitted_on: Rows
    scored_on: Rows


@dataclass(frozen=True)
class FoldOutcome:
    """The result of one fold: held-out predictions, score, losses by round, best round."""

    rows: npt.NDArray[np.int64]
    predictions: npt.NDArray[np.float32]
    score: float
    rounds: int
    losses: Mapping[str, list[float]]
    looked_at: Sequence[int]
    """After how many rounds the losses were measured."""


class CrossValidation:
    """The folds of one training side, ready to score points. Each fold's matrices are made for the first point and kept for all others."""

    def __init__(self, examples: Examples, settings: ModelSettings) -> None:
        boosting.refuse_unordered(settings, examples.schema.features)
        self._settings, self._examples = settings, examples
        self._trainer = trainers.of(settings)
        self._learning = trainers.learning(settings, examples.schema.features)
        self._assignment = splits.folds(examples, settings)

    @functools.cached_property
    def _folds(self) -> list[Fold]:
        return [self._fold(number) for number in range(self._settings.search.folds)]

    def score(self, asked: Asked, bar: PercentilePruner) -> Trial:
        """Score *asked*, fold by fold, until all are scored or *bar* stops it."""
        started = time.monotonic()
        outcomes: list[FoldOutcome] = []
        for fold in self._folds:
            outcomes.append(self._outcome(fold, asked.parameters, curves=False))
            if bar.stops([outcome.score for outcome in outcomes]):
                break
        return Trial(
            number=asked.number,
            parameters=asked.parameters,
            state="complete" if len(outcomes) == len(self._folds) else "pruned",
            fold_scores=[outcome.score for outcome in outcomes],
            boost_rounds=final_rounds([outcome.rounds for outcome in outcomes]),
            seconds=round(time.monotonic() - started, 3),
        )

    def outcomes(self, point: Mapping[str, float | int]) -> list[FoldOutcome]:
        """Every fold's outcome at *point*, with predictions and learning curves. Of one point alone, so that no fold outlasts its turn."""
        return [self._outcome(self._fold(number), point, curves=True) for number in range(self._settings.search.folds)]

    def _outcome(self, fold: Fold, point: Mapping[str, float | int], *, curves: bool) -> FoldOutcome:
        search = self._settings.search
        fitted = self._trainer.watch(
            self._learning,
            point,
            fold.fitted_on,
            fold.scored_on,
            rounds=search.max_boost_rounds,
            patience=search.early_stopping_rounds,
            curves=curves,
        )
        score = metrics.score(self._settings.task, search.metric, fold.labels, fitted.predictions)
        return FoldOutcome(fold.rows, fitted.predictions, score, fitted.rounds, fitted.losses, fitted.looked_at)

    def _fold(self, number: int) -> Fold:
        examples = self._examples
        inside, outside = np.flatnonzero(self._assignment == number), np.flatnonzero(self._assignment != number)
        fitted_on, scored_on = (Rows(examples.matrix, examples.labels, rows) for rows in (outside, inside))
        return Fold(inside, scored_on.labels, fitted_on, scored_on)


def final_rounds(rounds: Sequence[int]) -> int:
    """The number of boosting rounds of a model of all rows, from the rounds at which the folds were best."""
    return max(1, round(statistics.fmean(rounds)))


def out_of_fold(outcomes: Sequence[FoldOutcome]) -> npt.NDArray[np.float32]:
    """For each example what the model that has not seen it says; the estimate of what it says about rows to come."""
    total = sum(len(outcome.rows) for outcome in outcomes)
    predictions = np.empty((total, *outcomes[0].predictions.shape[1:]), dtype=np.float32)
    for outcome in outcomes:
        predictions[outcome.rows] = outcome.predictions
    return predictions
