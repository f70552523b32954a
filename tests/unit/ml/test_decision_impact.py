"""What a promotion would change: counted by hand, and held against other libraries' tests."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from argosy.domain.evidence import Table
from argosy.domain.model_settings import Task
from argosy.ml import decision_impact
from argosy.ml.decision_impact import Judges
from argosy.ml.paired import Answers

RANDOM = np.random.default_rng(3)


def judges(
    before: Sequence[float], now: Sequence[float], labels: Sequence[int] | None = None, task: Task = "binary"
) -> Judges:
    """Two models' scores on the same rows."""
    return Judges(
        task=task,
        classes=["stays", "leaves"] if task == "binary" else [],
        labels=np.asarray(labels if labels is not None else [0] * len(now), dtype=np.float64),
        candidate=Answers(np.asarray(now, dtype=np.float64), 0.4),
        champion=Answers(np.asarray(before, dtype=np.float64), 0.5),
        confidence=0.95,
    )


def nobody(places: npt.NDArray[np.int64]) -> list[Mapping[str, tuple[float, float]]]:
    """No reasons."""
    return [{} for _ in places]


def found(of: Judges, title: str, **groups: Sequence[str]) -> Table:
    """The table with *title*."""
    tables = decision_impact.tables(of, groups, {"true_positive": 10.0, "false_positive": -1.0}, nobody)
    return next(table for table in tables if table.title.startswith(title))


def test_which_decisions_change() -> None:
    """By direction, each model at its own threshold, and how many of them were right before and are now."""
    table = found(judges([0.1, 0.45, 0.6, 0.9], [0.1, 0.45, 0.3, 0.9], [0, 1, 0, 1]), "Decisions that would change")
    assert [row[:2] + row[3:] for row in table.rows[:3]] == [
        ["all", "2", "0", "2"],
        ["stays → leaves", "1", "0", "1"],
        ["leaves → stays", "1", "0", "1"],
    ]
    assert table.rows[3] == ["right in one model alone (p of McNemar)", "0.5", "", "0", "2"]


def test_shares_and_p_values_are_those_of_statsmodels() -> None:
    """Wilson's interval and McNemar's exact test, as a library that is not ours has them."""
    labels = RANDOM.integers(0, 2, 600)
    scores = RANDOM.random((2, 600))
    table = found(judges(scores[0], scores[1], labels.tolist()), "Decisions that would change")
    before, now = scores[0] >= 0.5, scores[1] >= 0.4
    low, high = proportion_confint(int((before != now).sum()), 600, method="wilson")
    assert table.rows[0][2] == f"{(before != now).mean():.1%} [{low:.1%}, {high:.1%}]"
    right = np.array([before == labels, now == labels])
    counts = [[np.sum(right[0] & right[1]), np.sum(right[0] & ~right[1])], [np.sum(~right[0] & right[1]), 0]]
    assert float(table.rows[-1][1]) == pytest.approx(mcnemar(counts, exact=True).pvalue, abs=1e-3)


def test_nothing_changes() -> None:
    """Then there is nobody whose decisions change, and no example."""
    tables = decision_impact.tables(judges([0.1, 0.9], [0.1, 0.9]), {"plan": ["a", "b"]}, {}, nobody)
    assert [table.rows for table in tables] == [
        [["all", "0", "0.0% [0.0%, 65.8%]", "0", "0"], ["right in one model alone (p of McNemar)", "1", "", "0", "0"]]
    ]


def test_whose_decisions_change() -> None:
    """The groups with the largest share first; those too small to tell are left out."""
    before, now = [0.9] * 130, [0.9] * 100 + [0.1] * 30
    plans = ["a"] * 60 + ["b"] * 60 + ["c"] * 10
    table = found(judges(before, now), "Whose decisions", plan=plans)
    assert [row[:3] for row in table.rows] == [["plan = b", "60", "20"], ["plan = a", "60", "0"]]


def test_what_they_are_worth() -> None:
    """The mean of the differences per row, and an interval that holds it."""
    table = found(
        judges([0.9, 0.9, 0.1, 0.1] * 50, [0.9, 0.1, 0.9, 0.1] * 50, [1, 0, 1, 0] * 50), "What its decisions are worth"
    )
    more = np.array([0, 1, 10, 0] * 50)
    half = 1.97196 * more.std(ddof=1) / np.sqrt(200)
    assert table.rows[0][:3] == ["per 1,000 rows", "5,000", "2,250"]
    assert table.rows[0][3].startswith("+2,750 [")
    low, high = (float(one.replace(",", "")) for one in table.rows[0][3][8:-1].split(", "))
    assert (low, high) == pytest.approx((1000 * (2.75 - half), 1000 * (2.75 + half)), rel=1e-3)


def test_examples_say_what_moves_them() -> None:
    """The largest steps first, by the features whose contribution changes most."""

    def reasons(places: npt.NDArray[np.int64]) -> list[Mapping[str, tuple[float, float]]]:
        return [{"tenure": (0.2, -1.0), "charges": (0.1, 0.1), f"row {place}": (0.0, 0.3)} for place in places]

    tables = decision_impact.tables(judges([0.9, 0.6, 0.2], [0.1, 0.3, 0.2]), {}, {}, reasons)
    assert tables[-1].rows == [
        ["leaves → stays", "90% → 10%", "tenure +0.20 → -1.00; row 0 +0.00 → +0.30; charges +0.10 → +0.10"],
        ["leaves → stays", "60% → 30%", "tenure +0.20 → -1.00; row 1 +0.00 → +0.30; charges +0.10 → +0.10"],
    ]


def test_several_classes() -> None:
    """A decision is the likeliest class; its score is that of the class decided for now."""
    of = Judges(
        task="multiclass",
        classes=["a", "b", "c"],
        labels=np.array([1.0, 2.0]),
        candidate=Answers(np.array([[0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])),
        champion=Answers(np.array([[0.7, 0.2, 0.1], [0.2, 0.2, 0.6]])),
        confidence=0.9,
    )
    tables = decision_impact.tables(of, {}, {"true_positive": 1.0}, nobody)
    assert [row[0] for row in tables[0].rows] == ["all", "a → b", "right in one model alone (p of McNemar)"]
    assert tables[-1].rows == [["a → b", "20% → 80%", ""]]
    assert len(tables) == 2


def test_a_regression_has_distances() -> None:
    """In the label's unit, and how many answers come closer."""
    tables = decision_impact.tables(judges([1.0, 2.0, 3.0], [1.5, 2.0, 7.0], [2, 2, 3], "regression"), {}, {}, nobody)
    (table,) = tables
    assert [row[1] for row in table.rows[:4]] == ["0.5", "3.3", "3.93", "4"]
    assert table.rows[4][1].startswith("33.3% [")
