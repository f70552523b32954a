"""Rows that are encoded and answered in batches, in whichever process: the bits are those of a whole side in this one."""

import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from argosy.domain.search import Choice
from argosy.ml import batches, boosting, frames, refit, splits, trainers
from argosy.ml.batches import ANSWER, FOLD, LABEL, NUMBER
from argosy.ml.xgboost_trainer import XGBoostTrainer
from kit.examples import Given

CHOICE = Choice(trial=3, score=0.4, metric="log_loss", parameters={"max_depth": 3}, boost_rounds=5)


@dataclass
class Sent:
    """What Spark sends once."""

    value: npt.NDArray[np.int16]


def encoded(given: Given, version: str = XGBoostTrainer.version) -> pa.Table:
    """The training side of *given*, by seven rows at a time."""
    side, places = frames.read(given.features, "train"), frames.places(given.features, "train")
    folds = np.full(places[-1] + 1, -1, np.int16)
    folds[places] = splits.folds(frames.outline(given.features, "train"), given.settings)
    features = side.schema.features
    table = pa.table(
        [*(side.table.column(feature.name) for feature in features), pa.array(side.labels), pa.array(places)],
        names=[*batches.names(features), LABEL, NUMBER],
    )
    encode = pickle.loads(pickle.dumps(batches.EncodeBatches(features, Sent(folds), version)))  # noqa: S301 - made here
    return pa.Table.from_batches(encode(iter(table.combine_chunks().to_batches(7))))


def test_encoded_as_a_whole(each_task: Given) -> None:
    """Matrix, labels, and each row's place and fold."""
    side, found = frames.read(each_task.features, "train"), encoded(each_task)
    matrix = np.column_stack([found.column(name).to_numpy() for name in batches.names(side.schema.features)])
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, side.matrix)
    np.testing.assert_array_equal(found.column(LABEL).to_numpy(), side.labels)
    np.testing.assert_array_equal(found.column(NUMBER).to_numpy(), frames.places(each_task.features, "train"))
    np.testing.assert_array_equal(found.column(FOLD).to_numpy(), splits.folds(side, each_task.settings))


def test_answered_as_the_server_answers(each_task: Given) -> None:
    """To the last bit, of one class or several."""
    side, rows = frames.read(each_task.features, "train"), encoded(each_task)
    model = refit.fit(side, CHOICE, each_task.settings).model
    learning = trainers.learning(each_task.settings, side.schema.features)
    answer = pickle.loads(pickle.dumps(batches.AnswerBatches(learning, model.save())))  # noqa: S301 - made here
    found = pa.Table.from_batches(answer(iter(rows.to_batches())))
    expected = np.asarray(model.predict(side.matrix), np.float32).reshape(len(side), -1)
    np.testing.assert_array_equal(np.array(found.column(ANSWER).to_pylist(), np.float32), expected)
    assert found.column(NUMBER) == rows.column(NUMBER)


def test_another_xgboost_fits_nothing(leavers: Given) -> None:
    """Its trees would be others."""
    with pytest.raises(RuntimeError, match=r"this process fits by XGBoost .*, and 0\.1 asks it"):
        encoded(leavers, version="0.1")


@pytest.mark.parametrize("rounds", [23, 60])
def test_a_fit_of_many_ends_where_one_would(leavers: Given, rounds: int) -> None:
    """By the same losses, looked at after the same rounds."""
    side, settings = frames.read(leavers.features, "train"), leavers.settings
    learning = trainers.learning(settings, side.schema.features)
    parameters = boosting.parameters(learning, {"max_depth": 6, "learning_rate": 0.3})
    folds = splits.folds(side, settings)
    encoder = boosting.Encoder(side.schema.features)
    fitted_on, scored_on = (
        boosting.data(encoder, side.matrix[rows], side.labels[rows], nthread=1) for rows in (folds != 0, folds == 0)
    )
    expected = boosting.fit_until_it_stops(parameters, fitted_on, {"validation": scored_on}, rounds=rounds, patience=10)
    stop: Any = batches.StopTogether(rounds, 10)
    losses: dict[str, Any] = {}
    boosting.xgboost.train(
        parameters,
        fitted_on,
        rounds,
        evals=[(scored_on, "validation")],
        evals_result=losses,
        callbacks=[stop],
        verbose_eval=False,
    )
    told = next(iter(losses["validation"].values()))
    assert stop._watch.best == expected.rounds
    assert boosting.looked_at(len(expected.losses["validation"]), rounds)[-1] == len(told)
