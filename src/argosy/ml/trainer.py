"""What fits a model and what such a model answers, as training, evaluation and serving ask for it: XGBoost, or what a package brings.

A package names a :class:`Trainer` in its entry points (`argosy.trainers`); ``training: {library: <name>}`` in ``model.yaml`` chooses it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from argosy.domain.data import FeatureColumn
from argosy.domain.model_settings import Task
from argosy.ml.encoding import Matrix

Labels = npt.NDArray[np.float64]
"""0 and 1 of a binary task, the number of the class of a multiclass one, the value of a regression."""
Point = Mapping[str, float | int]
"""A point of the search space: parameter to value."""


@dataclass(frozen=True)
class Learning:
    """What all fits of one model have in common."""

    task: Task
    classes: int
    """Classes of a multiclass task, numbered from 0; 2 of a binary one, 0 of a regression."""
    features: Sequence[FeatureColumn]
    """In the order of the matrix's columns: a number as it is; a category as the place of its level in ``levels``; NaN: missing."""
    seed: int
    nthread: int
    monotone: Mapping[str, int] = field(default_factory=dict)
    """Features that answers rise (1) or fall (-1) with; empty for a trainer that does not bind itself."""


@dataclass(frozen=True)
class Rows:
    """Rows to learn from, or to be judged by: those of *index* among *all_rows*, all where it is None."""

    all_rows: Matrix
    all_labels: Labels
    index: npt.NDArray[np.int64] | None = None
    _made: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.all_rows) if self.index is None else len(self.index)

    @property
    def matrix(self) -> Matrix:
        """The rows, float32, a column a feature. A copy where they are some of many."""
        return self.all_rows if self.index is None else self.all_rows[self.index]

    @property
    def labels(self) -> Labels:
        """The label of each row."""
        return self.all_labels if self.index is None else self.all_labels[self.index]

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What *make* makes of these rows, made once for all fits on them; *name* tells several such things apart."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]


class Model(Protocol):
    """A fitted model. Safe to share between threads, several of which may ask at once: nothing changes by asking it."""

    def predict(self, matrix: Matrix, /) -> npt.NDArray[Any]:
        """Answer rows: the probability of the positive class, one a row; multiclass: a line a row, a column a class; regression: the value.

        What one row is answered does not depend, to the last bit, on the rows that it comes with. It is calculated on the thread
        that asks, and wakes no other.
        """

    def contributions(self, matrix: Matrix, /) -> npt.NDArray[Any]:
        """What each feature adds to each answer, before a probability is made of it: a line a row, a column a feature and one more for what
        no feature adds. The columns of a line sum to that answer. Multiclass: a plane a class for each row.
        """

    def importance(self) -> Sequence[float]:
        """How much the model goes by each feature, in their order; 0: not at all."""

    def save(self) -> bytes:
        """The model as a file's content, the same for the same model, in a form from which :meth:`Trainer.load` runs no code of its own:
        never a pickle."""


@dataclass(frozen=True)
class WatchedFit:
    """A fit on some rows that was watched on others."""

    predictions: npt.NDArray[np.float32]
    """What the rows left out were answered."""
    rounds: int
    """After how many rounds it was best; 1 of a model that is not fitted in rounds."""
    losses: Mapping[str, list[float]]
    """The loss on ``validation``, the rows left out, and on ``train`` where that was asked for, each time it was looked at."""
    looked_at: Sequence[int]
    """After how many rounds that was."""


class Trainer(Protocol):
    """Fits models with one library. Equal inputs give an equal model, to the last byte."""

    version: str
    """Of the library: a model that one minor version fitted is not loaded by another."""
    is_monotone: bool
    """Whether it binds itself to ``monotone``."""

    def parameters(self, learning: Learning, point: Point) -> Mapping[str, float | int | str | bool]:
        """All parameters of a fit at *point*, the fixed and the found, for the record. Raises Misconfigured for one it does not know."""

    def loss(self, learning: Learning) -> str:
        """What the loss is called that :class:`WatchedFit` holds."""

    def fit(self, learning: Learning, point: Point, rows: Rows, *, rounds: int) -> Model:
        """Fit a model on *rows*, in exactly *rounds* rounds if that means something to it."""

    def watch(
        self, learning: Learning, point: Point, rows: Rows, left_out: Rows, *, rounds: int, patience: int, curves: bool
    ) -> WatchedFit:
        """Fit on *rows* until the loss on *left_out* has not fallen for *patience* rounds, *rounds* at most.

        *curves*: watch the loss on *rows*, too.
        """

    def load(self, learning: Learning, content: bytes) -> Model:
        """The model that :meth:`Model.save` wrote, its digest and its signature checked before. *learning*: without seed and monotone.

        Raises Misconfigured for content that is none, or of other features.
        """
