"""Where a point of the search space is fitted on the training side: in this process, or where the rows lie.

What a fit says is the same document either way; which rows make a fold is ``splits``' word, when one is over is ``boosting``'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from argosy.domain.model_settings import ModelSettings
from argosy.ml import crossvalidation, trainers
from argosy.ml.crossvalidation import FoldOutcome
from argosy.ml.frames import Examples
from argosy.ml.trainer import Model, Point, Rows


class Fitting(Protocol):
    """Fits on one training side."""

    @property
    def workers(self) -> int | None:
        """Tasks of Spark that fit a model together; None: it is fitted in this process."""

    def outcomes(self, point: Point) -> Sequence[FoldOutcome]:
        """The outcome of each fold at *point*, with learning curves."""

    def fit(self, point: Point, *, rounds: int) -> Model:
        """A model of all rows at *point*, of exactly so many *rounds*."""


@dataclass(frozen=True)
class InMemory:
    """Fits *examples*, which are here whole, with the trainer that *settings* name."""

    examples: Examples
    settings: ModelSettings
    workers: None = None

    def outcomes(self, point: Point) -> Sequence[FoldOutcome]:
        """See the interface."""
        return crossvalidation.CrossValidation(self.examples, self.settings).outcomes(point)

    def fit(self, point: Point, *, rounds: int) -> Model:
        """See the interface."""
        learning = trainers.learning(self.settings, self.examples.schema.features)
        rows = Rows(self.examples.matrix, self.examples.labels)
        return trainers.of(self.settings).fit(learning, point, rows, rounds=rounds)
