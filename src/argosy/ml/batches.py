"""Encodes and answers rows a batch of Arrow at a time, in whichever process they lie: instances can be sent there.

The features of an encoded batch are its first columns, in their order, called ``f0``, ``f1`` and so on, whatever they are called elsewhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from argosy.domain.data import FeatureColumn
from argosy.ml.boosting import LossWatch
from argosy.ml.encoding import Encoder
from argosy.ml.trainer import Learning
from argosy.ml.xgboost_library import xgboost
from argosy.ml.xgboost_trainer import XGBoostTrainer

LABEL, NUMBER, FOLD, ANSWER = (f"argosy_{name}" for name in ("label", "number", "fold", "answer"))


class Sent(Protocol):
    """What was sent to many processes once."""

    value: npt.NDArray[np.int16]


def names(features: Sequence[FeatureColumn]) -> list[str]:
    """What the columns of *features* are called in an encoded batch."""
    return [f"f{place}" for place in range(len(features))]


@dataclass(frozen=True)
class EncodeBatches:
    """Encodes rows to fit on: batches of *features*, ``LABEL`` and ``NUMBER``; adds ``FOLD``.

    *folds*: the fold of each row, by its number. *version*: of the XGBoost that asks.
    """

    features: Sequence[FeatureColumn]
    folds: Sent
    version: str

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The encoded batches. Raises RuntimeError where this process would fit by another XGBoost."""
        if XGBoostTrainer.version != self.version:
            raise RuntimeError(f"this process fits by XGBoost {XGBoostTrainer.version}, and {self.version} asks it")
        encoder = Encoder(self.features)
        for batch in batches:
            rows = pa.table(batch.columns[: len(self.features)], names=encoder.names)
            number = batch.column(NUMBER)
            fold = pa.array(self.folds.value[number.to_numpy()])
            columns = [pa.array(column) for column in encoder.table(rows).T]
            yield pa.RecordBatch.from_arrays(
                [*columns, batch.column(LABEL), number, fold], names=[*names(self.features), LABEL, NUMBER, FOLD]
            )


@dataclass(frozen=True)
class AnswerBatches:
    """Answers encoded rows with the model *content* as the server would: of each ``NUMBER``, and ``ANSWER``, a list of a value a class."""

    learning: Learning
    content: bytes

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The answers, a batch a batch."""
        model = XGBoostTrainer().load(self.learning, self.content)
        for batch in batches:
            columns = batch.columns[: len(self.learning.features)]
            matrix = np.column_stack([column.to_numpy(zero_copy_only=False) for column in columns])
            answers = np.asarray(model.predict(matrix.astype(np.float32)), np.float32).reshape(batch.num_rows, -1)
            offsets = pa.array(np.arange(batch.num_rows + 1, dtype=np.int32) * answers.shape[1])
            lists = pa.ListArray.from_arrays(offsets, pa.array(answers.ravel()))
            yield pa.RecordBatch.from_arrays([batch.column(NUMBER), lists], names=[NUMBER, ANSWER])


class StopTogether(xgboost.callback.TrainingCallback):  # type: ignore[misc]  # of no type to mypy
    """Ends a fit of several processes by the rule of :class:`argosy.ml.boosting.LossWatch`, which all of them see alike."""

    def __init__(self, rounds: int, patience: int) -> None:
        super().__init__()
        self._watch = LossWatch(rounds, patience)

    def after_iteration(
        self,
        model: xgboost.Booster,  # noqa: ARG002 - XGBoost hands it over
        epoch: int,
        evals_log: dict[str, dict[str, list[float]]],
    ) -> bool:
        """True where the fit is over; *evals_log* has the loss on ``validation``, a value a round."""
        (losses,) = evals_log["validation"].values()
        return self._watch.looks(epoch + 1) and self._watch.stops(epoch + 1, losses[-1])
