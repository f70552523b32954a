"""A search over several columns finds what no single column does, and nothing beyond what a row might be."""

from typing import Any

import numpy as np
import pytest

from argosy.domain.measuring import Measuring
from argosy.domain.model_settings import Task
from argosy.ml import adversarial, sampled

RANDOM = np.random.default_rng(3)
ROWS = 400
MATRIX = np.column_stack(
    [
        RANDOM.normal(0.0, 1.0, ROWS),
        RANDOM.normal(0.0, 1.0, ROWS),
        RANDOM.integers(0, 3, ROWS),
        RANDOM.integers(0, 60, ROWS),
    ]
).astype(np.float32)
NAMES = ["first", "second", "plan", "months"]
NUMERIC = [0, 1, 3]


def measured(predict: Any, task: Task = "binary", **changes: Any) -> tuple[float, float, list[list[str]]]:
    """The two shares, and the table's lines."""
    measuring = Measuring(attacked_rows=200, **{"reach": 0.1, "attacked_columns": 2} | changes)
    found, table = adversarial.measure(
        task, predict, MATRIX, 1.0, NAMES, NUMERIC, [4.0, 3.0, 2.0, 1.0], 0.5, 1, measuring
    )
    numbers, both = found.values()
    assert numbers is not None
    assert both is not None
    return numbers, both, table.rows


def by_sum(matrix: Any) -> Any:
    """Goes by two numbers together."""
    return 0.5 + 0.2 * np.tanh(np.asarray(matrix[:, 0] + matrix[:, 1], dtype=np.float64))


def by_plan(matrix: Any) -> Any:
    """Goes by a category alone."""
    return np.where(matrix[:, 2] == 1, 0.9, 0.1)


def test_two_columns_turn_what_one_does_not() -> None:
    """A tenth of a standard deviation of each of two reaches twice as far as of one."""
    numbers, both, lines = measured(by_sum)
    drawn = MATRIX[sampled.rows(ROWS, 200, 1, adversarial.PURPOSE)]
    distance = np.abs(drawn[:, 0] + drawn[:, 1])
    reach = 0.1 * (MATRIX[:, 0].std() + MATRIX[:, 1].std())
    assert numbers == pytest.approx(float((distance < reach).mean()), abs=0.011)
    assert float(lines[0][1].rstrip("%")) / 100 == pytest.approx(float((distance < reach / 2).mean()), abs=0.011)
    assert both == numbers


def test_a_category_turns_a_decision_that_no_number_does() -> None:
    """Each row has a plan that is decided otherwise."""
    numbers, both, lines = measured(by_plan)
    assert numbers == 0.0
    assert both == 1.0
    assert lines[-1] == ["changed most often", "none", "plan (200)"]


def test_nothing_leaves_what_the_holdout_has() -> None:
    """No batch holds a number beyond the highest or the lowest, a level that is none, or a part of a month."""
    asked = []

    def watching(matrix: Any) -> Any:
        asked.append(np.array(matrix))
        return by_sum(matrix)

    measured(watching, reach=3.0, attacked_columns=3)
    seen = np.concatenate(asked)
    assert (seen.min(axis=0) >= MATRIX.min(axis=0)).all()
    assert (seen.max(axis=0) <= MATRIX.max(axis=0)).all()
    assert (seen[:, 2:] == np.round(seen[:, 2:])).all()


def test_what_is_missing_stays_missing() -> None:
    """Nobody can push a value that is not there."""
    gaps = MATRIX.copy()
    gaps[:, 0] = np.where(np.arange(ROWS) % 2 == 0, np.nan, gaps[:, 0])
    changes = adversarial._moves(gaps, 0, 1.0)
    values = gaps[:6, 0].copy()
    changes[0].apply(values)
    assert np.isnan(values).tolist() == np.isnan(gaps[:6, 0]).tolist()
    assert changes


def test_a_regression_is_told_how_far_it_moved() -> None:
    """The sum of two numbers moves by what they are pushed by, and a search never moves back."""
    numbers, _, lines = measured(lambda matrix: np.asarray(matrix[:, 0] + matrix[:, 1], dtype=np.float64), "regression")
    assert numbers == pytest.approx(0.1 * float(MATRIX[:, 0].std() + MATRIX[:, 1].std()), rel=0.05)
    assert float(lines[0][1]) < float(lines[1][1])


def test_several_classes() -> None:
    """What turns is the class with the highest probability."""

    def classes(matrix: Any) -> Any:
        third = np.where(matrix[:, 2] == 1, 0.5, 0.0)
        return np.column_stack([np.full(len(matrix), 0.4), np.full(len(matrix), 0.1), third])

    numbers, both, _ = measured(classes, "multiclass")
    assert (numbers, both) == (0.0, 1.0)


def test_the_same_seed_gives_the_same() -> None:
    """Rows are drawn by it."""
    assert measured(by_sum) == measured(by_sum)


def test_a_wide_model_is_searched_where_it_looks() -> None:
    """Of more columns than are searched those with the most weight, which the table says."""
    wide = np.repeat(MATRIX[:, :1], adversarial.MOST_COLUMNS + 5, axis=1)
    names = [f"c{place}" for place in range(wide.shape[1])]
    importance = [float(place) for place in range(wide.shape[1])]
    asked = []

    def watching(matrix: Any) -> Any:
        asked.append(np.array(matrix))
        return np.full(len(matrix), 0.9)

    _, table = adversarial.measure(
        "binary",
        watching,
        wide,
        1.0,
        names,
        list(range(wide.shape[1])),
        importance,
        0.5,
        1,
        Measuring(attacked_rows=20),
    )
    rows = wide[sampled.rows(ROWS, 20, 1, adversarial.PURPOSE)]
    moved = np.concatenate([(block.reshape(-1, *rows.shape) != rows).any(axis=(0, 1))[None] for block in asked]).any(
        axis=0
    )
    assert moved.tolist() == [place >= 5 for place in range(wide.shape[1])]
    assert "of the 40 it goes by most" in table.header[0]
