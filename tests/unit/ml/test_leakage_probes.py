"""A column that gives the label away is found for every task; an honest one is not."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from argosy.domain.model_settings import Task
from argosy.ml import leakage

RANDOM = np.random.default_rng(6)
ROWS = 3000
CLASSES = RANDOM.integers(0, 3, ROWS).astype(float)
VALUES = RANDOM.normal(0.0, 1.0, ROWS)


def alone(task: Task, column: Any, labels: Any) -> float:
    """What *column* tells."""
    return leakage.gives_away(task, pa.chunked_array([pa.array(column)]), labels)


LEAKS = [
    pytest.param("binary", (CLASSES > 0) * 1.0, (CLASSES > 0) * 1.0, id="two-classes"),
    pytest.param("multiclass", CLASSES, CLASSES, id="class-as-a-number"),
    pytest.param("multiclass", [f"k{int(each)}" for each in CLASSES], CLASSES, id="class-as-a-text"),
    pytest.param("multiclass", CLASSES * 10 + RANDOM.normal(0, 1, ROWS), CLASSES, id="class-in-a-number"),
    pytest.param("regression", VALUES * 3 + 1, VALUES, id="value-in-another-unit"),
    pytest.param("regression", -VALUES, VALUES, id="value-turned"),
    pytest.param("regression", [f"{each:.1f}" for each in VALUES], VALUES, id="value-as-a-text"),
]
HONEST = [
    pytest.param("multiclass", RANDOM.normal(0, 1, ROWS), CLASSES, id="noise"),
    pytest.param("multiclass", (CLASSES == 0) * 1.0, CLASSES, id="one-class-of-three"),
    pytest.param("multiclass", [f"n{place}" for place in range(ROWS)], CLASSES, id="a-name-each"),
    pytest.param("regression", VALUES + RANDOM.normal(0, 1, ROWS), VALUES, id="half-of-it"),
    pytest.param("regression", [f"n{place}" for place in range(ROWS)], VALUES, id="a-name-each-value"),
    pytest.param("regression", np.ones(ROWS), VALUES, id="constant"),
]


@pytest.mark.parametrize(("task", "column", "labels"), LEAKS)
def test_what_gives_the_label_away_is_found(task: Task, column: Any, labels: Any) -> None:
    """Whatever way it is written."""
    assert alone(task, column, labels) > 0.97


@pytest.mark.parametrize(("task", "column", "labels"), HONEST)
def test_what_does_not_is_left_alone(task: Task, column: Any, labels: Any) -> None:
    """Half of a label, one class of several or a name of each row."""
    assert alone(task, column, labels) < 0.8


def test_a_value_that_goes_up_and_down_is_found_by_its_parts() -> None:
    """No order of the column is that of the label."""
    assert alone("regression", VALUES, np.abs(VALUES)) > 0.95


def test_missing_values_are_values() -> None:
    """That one is missing may tell as much."""
    column = [None if each == 2 else float(each) for each in CLASSES]
    assert alone("multiclass", column, CLASSES) > 0.97
