"""Where a model is worst: two harmless columns may be none together."""

import numpy as np

from argosy.domain.evidence import Table
from argosy.ml import worst_slices
from argosy.ml.score_intervals import Labelled


def crossed() -> list[Table]:
    """A model that is good wherever one column is looked at, and no better than a coin where young is 1 and far is 1."""
    random = np.random.default_rng(5)
    young, far = (random.integers(0, 2, 4000) for _ in range(2))
    labels = random.integers(0, 2, 4000).astype(np.float64)
    lost = (young == 1) & (far == 1)
    scores = np.clip(0.5 + np.where(lost, 0.0, 0.3) * (2 * labels - 1) + random.normal(0, 0.2, 4000), 0.01, 0.99)
    found = Labelled(labels, scores, (scores > 0.5).astype(np.int64))
    return worst_slices.tables("binary", found, {"young": [*map(str, young)], "far": [*map(str, far)]}, 50)


def test_two_columns_crossed() -> None:
    """The slice that only both columns together tell is the first, with its interval; of every score it is the worst."""
    first, every = crossed()
    assert first.title == "Where auc is worst, of 8 slices by one column or two"
    assert [row[0] for row in first.rows[:2]] == ["all", "young = 1, far = 1"]
    assert len(first.rows) == 1 + worst_slices.MOST
    value, _, interval = first.rows[1][2].partition(" ")
    low, high = map(float, interval.strip("[]").split(", "))
    assert low < float(value) < high
    assert low < 0.5 < high
    assert {"auc", "log_loss", "f1"} <= {row[0] for row in every.rows}
    assert {row[3] for row in every.rows} == {"young = 1, far = 1"}


def test_small_slices_are_left_out() -> None:
    """Of a few rows nobody can tell; where none is larger, there is no table."""
    few = Labelled(np.array([0.0, 1.0]), np.array([0.2, 0.8]), np.array([0, 1]))
    assert worst_slices.tables("binary", few, {"young": ["0", "1"]}, 50) == []


def test_other_tasks() -> None:
    """A regression's worst slice is where its error is largest, a multiclass model's where its first score is lowest."""
    random = np.random.default_rng(6)
    far = random.integers(0, 2, 600)
    labels = random.normal(size=600)
    errs = labels + random.normal(0, 0.1 + far, 600)
    first, _ = worst_slices.tables(
        "regression", Labelled(labels, errs, np.zeros(600, np.int64)), {"far": [*map(str, far)]}, 50
    )
    assert first.rows[1][0] == "far = 1"
    classes = random.integers(0, 3, 600)
    shares = np.where(far[:, None] == 1, 1 / 3, 0.1 + 0.7 * np.eye(3)[classes])
    found = Labelled(classes.astype(np.float64), shares, np.argmax(shares, axis=1))
    first, _ = worst_slices.tables("multiclass", found, {"far": [*map(str, far)]}, 50)
    assert first.rows[1][0] == "far = 1"
