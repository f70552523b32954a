"""Joined predictions become arrays, also where versions with other classes answered among them."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

from argosy.domain.model_settings import Task
from argosy.ml import live_performance
from argosy.ml.live_performance import LiveAnswers

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
CLASSES = ["low", "middle", "high"]

Row = tuple[list[float] | None, str | None, float | None]
"""Scores, decision and label of an answer."""


def answers(rows: list[Row], classes: list[str], task: Task = "multiclass") -> LiveAnswers:
    """The answers *rows* of a model that has *classes* now."""
    table = pa.table(
        {
            "release": pa.array(range(len(rows)), pa.int32()),
            "time": pa.array([NOON] * len(rows), pa.timestamp("us", tz="UTC")),
            "score": pa.array([scores for scores, _, _ in rows], pa.list_(pa.float64())),
            "decision": pa.array([decision for _, decision, _ in rows], pa.string()),
            "label": pa.array([label for _, _, label in rows], pa.float64()),
        }
    )
    return live_performance.answers(table, task, classes, {}, {})


OWN: list[Row] = [([0.1, 0.2, 0.7], "high", 2.0), ([0.6, 0.3, 0.1], "low", 0.0), ([0.2, 0.5, 0.3], "middle", None)]


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([([0.4, 0.6], "middle", 1.0)], id="fewer"),
        pytest.param([([0.1, 0.2, 0.3, 0.4], "high", 2.0)], id="more"),
        # Together they have as many numbers as rows of three would: flat, nobody would see it.
        pytest.param([([0.4, 0.6], "low", 0.0), ([0.1, 0.2, 0.3, 0.4], "low", 0.0)], id="as-many-together"),
        pytest.param([([], "low", 0.0), (None, "low", 0.0)], id="none"),
        pytest.param([([0.1, 0.2, 0.7], "highest", 2.0)], id="a-class-that-was-renamed"),
    ],
)
def test_other_classes_change_nothing_of_the_models_own(others: list[Row]) -> None:
    """Wherever they stand, those rows are neither scored nor estimated, and the rest is as if they were not there."""
    alone = answers(OWN, CLASSES)
    mixed = answers([*others, *OWN, *others], CLASSES)
    assert mixed.scored.tolist() == [False] * len(others) + [True] * 3 + [False] * len(others)
    assert np.array_equal(mixed.only(mixed.scored).predictions, alone.predictions)
    assert live_performance.scores(mixed, 0.95) == live_performance.scores(alone, 0.95)
    assert live_performance.estimate(mixed, 0.95) == live_performance.estimate(alone, 0.95)


def test_a_binary_model_that_had_three_classes() -> None:
    """One score a row now, three then."""
    found = answers([*OWN, ([0.8], "low", 0.0)], ["low", "high"], "binary")
    assert found.predictions.shape == (4,)
    assert found.scored.tolist() == [False, False, False, True]


def test_no_answers_at_all() -> None:
    """Have the width of the model all the same."""
    assert answers([], CLASSES).predictions.shape == (0, 3)
    assert answers([], [], "regression").predictions.shape == (0,)
