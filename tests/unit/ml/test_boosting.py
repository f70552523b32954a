"""A fit is decided by its parameters alone, and stops where its loss was lowest."""

import numpy as np
import pytest
import xgboost

from argosy.domain.data import FeatureColumn
from argosy.ml import boosting, frames, trainers
from argosy.ml.encoding import Encoder
from kit.examples import Given

POINT = {"learning_rate": 0.3, "max_depth": 4}


def matrices(given: Given) -> tuple[xgboost.DMatrix, xgboost.DMatrix]:
    """Two thirds to fit on and the rest to watch."""
    examples = frames.read(given.features, "train")
    encoder = Encoder(examples.schema.features)
    inside, outside = np.arange(len(examples)) % 3 != 0, np.arange(len(examples)) % 3 == 0
    first = boosting.data(encoder, examples.matrix[inside], examples.labels[inside], nthread=1)
    return first, boosting.data(encoder, examples.matrix[outside], examples.labels[outside], nthread=1)


def test_stops_where_the_loss_was_lowest(each_task: Given) -> None:
    """The kept round is a minimum of the watched loss, and no more than the patience was spent after it."""
    data, watched = matrices(each_task)
    parameters = boosting.parameters(
        trainers.learning(each_task.settings, frames.schema(each_task.features).features), POINT
    )
    fit = boosting.fit_until_it_stops(parameters, data, {"validation": watched}, rounds=400, patience=20)
    losses = fit.losses["validation"]
    assert fit.rounds == boosting.STRIDE * (int(np.argmin(losses)) + 1)
    assert fit.booster.num_boosted_rounds() == fit.rounds + 20
    assert fit.rounds < 300


def test_the_kept_rounds_are_the_model_of_as_many_rounds(each_task: Given) -> None:
    """Predicting with the first rounds equals fitting that many and no more, to the bit: the final fit repeats a fold's."""
    data, watched = matrices(each_task)
    parameters = boosting.parameters(
        trainers.learning(each_task.settings, frames.schema(each_task.features).features), POINT
    )
    stopped = boosting.fit_until_it_stops(parameters, data, {"validation": watched}, rounds=400, patience=20)
    again = boosting.fit(parameters, data, stopped.rounds)
    assert boosting.predict(stopped, watched).tobytes() == boosting.predict(again, watched).tobytes()


def test_the_last_rounds_are_looked_at_too(leavers: Given) -> None:
    """A limit that is no multiple of the stride still has its loss taken."""
    data, watched = matrices(leavers)
    parameters = boosting.parameters(
        trainers.learning(leavers.settings, frames.schema(leavers.features).features), {"learning_rate": 0.05}
    )
    fit = boosting.fit_until_it_stops(parameters, data, {"validation": watched}, rounds=12, patience=20)
    assert fit.rounds == 12
    assert len(fit.losses["validation"]) == 3
    assert boosting.looked_at(3, 12) == [5, 10, 12]


def test_importance_names_every_feature(leavers: Given) -> None:
    """Features that no tree uses are listed with 0, after the others."""
    data, _ = matrices(leavers)
    examples = frames.read(leavers.features, "train")
    names = [feature.name for feature in examples.schema.features]
    fit = boosting.fit(
        boosting.parameters(trainers.learning(leavers.settings, examples.schema.features), {"max_depth": 1}), data, 2
    )
    gains = boosting.importance(fit.booster, names)
    assert sorted(gains) == sorted(names)
    assert list(gains.values()) == sorted(gains.values(), reverse=True)
    assert list(gains.values())[-1] == 0.0


def test_columns_with_names_that_xgboost_does_not_take() -> None:
    """Fitted and explained all the same, and the importance is told by the columns' own names."""
    encoder = Encoder([FeatureColumn(name=name, type="number", view="v") for name in ("Seats [n]", "a<b")])
    matrix = np.arange(200, dtype=np.float32).reshape(100, 2)
    matrix[:, 1] = 7
    data = boosting.data(encoder, matrix, (matrix[:, 0] > 90).astype(np.float64), nthread=1)
    fit = boosting.fit({"objective": "binary:logistic"}, data, 3)
    importance = boosting.importance(fit.booster, encoder.names)
    assert importance["Seats [n]"] > 0 == importance["a<b"]


def test_parts_give_the_same_model(each_task: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handed over in parts and kept as bins, rows come to the very model that they come to as they are."""
    examples = frames.read(each_task.features, "train")
    encoder, parameters = (
        Encoder(examples.schema.features),
        boosting.parameters(trainers.learning(each_task.settings, examples.schema.features), POINT),
    )
    rows = np.flatnonzero(np.arange(len(examples)) % 3)

    def fitted() -> tuple[type[xgboost.DMatrix], bytes]:
        data = boosting.to_fit(encoder, examples.matrix, examples.labels, nthread=1, rows=rows)
        return type(data), bytes(boosting.fit(parameters, data, 20).booster.save_raw("ubj"))

    plain = fitted()
    monkeypatch.setattr(boosting, "STREAMED", 1)
    monkeypatch.setattr(boosting, "_PART", 37)
    assert plain[0] is xgboost.DMatrix
    assert fitted() == (xgboost.QuantileDMatrix, plain[1])
