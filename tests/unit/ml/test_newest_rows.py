"""The newest rows against the others, where rows have times."""

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from argosy.domain.data import FeatureSchema
from argosy.ml import frames, newest_rows
from argosy.ml.frames import Examples

DAY_ONE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ROWS = 1000
RANDOM = np.random.default_rng(1)
LABELS = (RANDOM.random(ROWS) < 0.5).astype(float)
GOOD = 0.5 * LABELS + RANDOM.random(ROWS) * 0.6


def examples(days: Any, labels: Any = LABELS) -> Examples:
    """Rows of those days."""
    moments = pa.array([DAY_ONE + datetime.timedelta(days=int(day)) for day in days], pa.timestamp("us", "UTC"))
    schema = FeatureSchema(
        features=[], context=[], join_keys=[], rows_train=0, rows_holdout=len(labels), online_digest=""
    )
    return Examples(schema, pa.table({frames.TIME: moments}), np.zeros((len(labels), 0), np.float32), labels)


def test_a_model_that_ages_is_worse_on_the_newest() -> None:
    """It knows nothing of the last fifth."""
    days = np.arange(ROWS) // 10
    answers = np.where(days >= 80, RANDOM.random(ROWS), GOOD)
    found, (table,) = newest_rows.measure("binary", examples(days), answers, 0.5, 0.2, None)
    drop = found["performance.newest_drop"]
    assert drop is not None
    assert 0.3 < drop < 0.5
    assert [line[1] for line in table.rows] == ["800", "200"]
    low, high = (float(end) for end in table.rows[1][3].partition("[")[2].rstrip("]").split(", "))
    assert low < -drop < high < 0


def test_rows_of_one_moment_are_not_divided() -> None:
    """No row is newer than another: nothing is said, and a gate on it does not pass."""
    assert newest_rows.measure("binary", examples(np.zeros(ROWS)), GOOD, 0.5, 0.2, None) == ({}, [])


def test_a_last_day_that_is_longer_than_the_share_is_the_newest_part() -> None:
    """Half of the rows are of it, and stay together."""
    _, (table,) = newest_rows.measure("binary", examples(np.arange(ROWS) // 500), GOOD, 0.5, 0.2, None)
    assert [line[1] for line in table.rows] == ["500", "500"]


def test_rows_kept_apart_are_the_newest() -> None:
    """The holdout is then what they are held against, all of it."""
    recent = examples(np.full(200, 200), LABELS[:200])
    found, (table,) = newest_rows.measure("binary", examples(np.arange(ROWS)), GOOD, 0.5, 0.2, (recent, 1 - GOOD[:200]))
    assert (found["performance.newest_drop"] or 0) > 0.5
    assert "nothing was trained on" in table.rows[1][0]
    assert [line[1] for line in table.rows] == ["1,000", "200"]


def test_of_one_class_it_is_undefined() -> None:
    """Nothing to rank."""
    found, _ = newest_rows.measure("binary", examples(np.arange(ROWS), LABELS * 0), GOOD, 0.5, 0.2, None)
    assert found == {"performance.newest_drop": None}


@pytest.mark.parametrize("sign", [pytest.param(1, id="rises"), pytest.param(-1, id="falls")])
def test_a_regression(sign: int) -> None:
    """By its own score."""
    values = np.linspace(0.0, 1.0, ROWS)
    answers = np.where(np.arange(ROWS) >= 800, values[::sign], values)
    found, _ = newest_rows.measure("regression", examples(np.arange(ROWS), values), answers, 0.5, 0.2, None)
    assert ((found["performance.newest_drop"] or 0) > 1) == (sign == -1)
