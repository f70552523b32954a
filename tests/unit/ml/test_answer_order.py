"""An order of answers that is declared, asked of models that keep it and of one that does not; and training that is held to it."""

from typing import Any

import numpy as np
import pytest

from argosy import errors
from argosy.domain.measuring import AS_EVER
from argosy.ml import answer_order, boosting, crossvalidation, frames, trainers
from argosy.ml.encoding import Encoder
from argosy.ml.frames import Examples
from kit.examples import Given, make_settings, write_features

MATRIX = np.random.default_rng(2).normal(0.0, 1.0, (500, 2)).astype(np.float32)


def share(predict: Any, declared: dict[str, Any]) -> float | None:
    """Of the rows that go against it."""
    found, _ = answer_order.measure(predict, MATRIX, ["a", "b"], declared, 1, AS_EVER, bound=True)
    return found["robustness.order_violations"]


def rising(matrix: Any) -> Any:
    """With the first column, whatever the second is."""
    return 1 / (1 + np.exp(-np.asarray(matrix[:, 0] + matrix[:, 1], dtype=np.float64)))


def bent(matrix: Any) -> Any:
    """Down for high values of the first column, where the second is above zero."""
    high = (matrix[:, 0] > 1) & (matrix[:, 1] > 0)
    return np.where(high, 0.0, rising(matrix))


def test_what_keeps_it_and_what_does_not() -> None:
    """The share is of rows, whatever their own value is."""
    assert share(rising, {"a": "increasing"}) == 0.0
    assert share(rising, {"a": "decreasing"}) == 1.0
    assert share(bent, {"a": "increasing"}) == pytest.approx(float((MATRIX[:, 1] > 0).mean()), abs=0.01)
    assert share(bent, {"b": "increasing", "a": "increasing"}) == share(bent, {"a": "increasing"})


def test_nothing_is_measured_of_what_nobody_declared() -> None:
    """No figure that says nothing."""
    assert answer_order.measure(rising, MATRIX, ["a", "b"], {}, 1, AS_EVER, bound=True) == ({}, [])


def noisy(tmp_path: Any) -> Examples:
    """A label that rises with its column in the middle and falls at the ends."""
    random = np.random.default_rng(4)
    values = random.normal(0.0, 1.0, 1200)
    labels = (random.random(1200) < np.clip(0.5 + 0.4 * np.sin(3 * values), 0, 1)).astype(int)
    columns = {"value": values.tolist(), "kind": random.choice(["x", "y"], 1200).tolist()}
    return frames.read(write_features(tmp_path, columns, labels.tolist(), task="binary"), "train")


def test_training_is_held_to_it(tmp_path: Any) -> None:
    """The same rows, with and without: only what is bound keeps the order."""
    examples = noisy(tmp_path)
    encoder, found = Encoder(examples.schema.features), {}
    data = boosting.data(encoder, examples.matrix, examples.labels, nthread=1)
    for bind in (True, False):
        training = {"monotone": {"value": "increasing"}, "bind_monotone": bind}
        settings = make_settings("binary", ["no", "yes"], "auc", training=training)
        fitted = boosting.fit(
            boosting.parameters(trainers.learning(settings, examples.schema.features), {"max_depth": 3}), data, 20
        )

        def predict(matrix: Any, booster: Any = fitted.booster) -> Any:
            return np.asarray(booster.inplace_predict(matrix), dtype=np.float64)

        measured, _ = answer_order.measure(
            predict, examples.matrix, encoder.names, settings.training.monotone, 1, AS_EVER, bound=bind
        )
        found[bind] = measured["robustness.order_violations"]
    assert found[True] == 0.0
    assert (found[False] or 0) > 0.5


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("kind", "'kind' is a category, whose levels have no order", id="category"),
        pytest.param("valeu", "'valeu' is no feature", id="typo"),
    ],
)
def test_what_has_no_order_is_refused(tmp_path: Any, name: str, told: str) -> None:
    """Before anything is fitted."""
    examples = noisy(tmp_path)
    settings = make_settings("binary", ["no", "yes"], "auc", training={"monotone": {name: "increasing"}})
    with pytest.raises(errors.Misconfigured, match=told):
        crossvalidation.CrossValidation(examples, settings)


def test_without_it_parameters_are_as_ever(leavers: Given) -> None:
    """A model's digest does not hang on a setting that nobody made."""
    features = frames.schema(leavers.features).features
    assert "monotone_constraints" not in boosting.parameters(trainers.learning(leavers.settings, features), {})
