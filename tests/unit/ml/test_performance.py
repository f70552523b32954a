"""Scores by name and by slice, confusion, curves and worth, each against figures counted by hand or by scikit-learn."""

import math

import numpy as np
import pytest
from sklearn import metrics as reference

from argosy.domain.model_settings import Task
from argosy.ml import performance

LABELS = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 1.0])
CHANCES = np.array([0.1, 0.2, 0.6, 0.3, 0.7, 0.4])


@pytest.mark.parametrize(
    ("task", "names"),
    [
        pytest.param("binary", {"accuracy", "precision", "recall", "f1", "auc", "pr_auc", "log_loss"}, id="binary"),
        pytest.param("multiclass", {"accuracy", "precision", "recall", "f1", "auc", "pr_auc", "log_loss"}, id="multiclass"),
        pytest.param("regression", {"rmse", "mae", "r2"}, id="regression"),
    ],
)  # fmt: skip
def test_every_score_of_the_task_is_measured(task: Task, names: set[str]) -> None:
    """Under the names that policies use; what only a search needs is left out."""
    labels = np.array([0.0, 1.0, 2.0, 1.0, 0.0, 2.0]) if task == "multiclass" else LABELS
    predictions = np.full((6, 3), 1 / 3) if task == "multiclass" else CHANCES
    assert set(performance.measure(task, labels, predictions, 0.5)) == {f"performance.{name}" for name in names}


def test_scores_agree_with_scikit_learn() -> None:
    """At the model's own threshold, not at a half."""
    found = performance.measure("binary", LABELS, CHANCES, 0.4)
    decided = CHANCES >= 0.4
    assert found["performance.f1"] == pytest.approx(reference.f1_score(LABELS, decided))
    assert found["performance.auc"] == pytest.approx(reference.roc_auc_score(LABELS, CHANCES))
    assert found["performance.pr_auc"] == pytest.approx(reference.average_precision_score(LABELS, CHANCES))
    assert found["performance.log_loss"] == pytest.approx(reference.log_loss(LABELS, CHANCES))


def test_an_undefined_score_is_none() -> None:
    """With one class in the holdout there is no ranking to score; NaN could not be written down."""
    found = performance.measure("binary", np.zeros(6), CHANCES, 0.5)
    assert found["performance.auc"] is None
    assert found["performance.accuracy"] == pytest.approx(4 / 6)


def test_slices_have_their_own_scores_and_the_worst_is_named() -> None:
    """A slice that is good at large can hide one that is not; too small ones are shown as such."""
    random = np.random.default_rng(1)
    labels = (random.random(250) < 0.5).astype(float)
    plans = ["a"] * 100 + ["b"] * 100 + ["c"] * 50
    good = labels * 0.5 + random.random(250) * 0.6
    chances = np.where(np.arange(250) < 100, good, random.random(250))
    chances[200:] = 1 - labels[200:]
    found, table = performance.by_slice("binary", labels, chances, {"plan": [*plans[:201], *["rare"] * 49]}, 50)
    assert found["performance.slice.plan.a.auc"] == pytest.approx(reference.roc_auc_score(labels[:100], chances[:100]))
    assert found["performance.worst_slice"] == found["performance.slice.plan.b.auc"]
    assert ["plan", "rare", "49", "too few rows"] in table.rows
    assert "performance.slice.plan.rare.auc" not in found
    found, _ = performance.by_slice("binary", labels, chances, {"plan": plans}, 50)
    assert found["performance.worst_slice"] == found["performance.slice.plan.c.auc"] == 0.0


def test_a_slice_of_one_class_is_undefined_and_not_the_worst() -> None:
    """All of it right or all of it wrong: there is nothing to rank."""
    labels, chances = np.repeat([0.0, 1.0], 60), np.linspace(0, 1, 120)
    found, table = performance.by_slice("binary", labels, chances, {"side": ["left"] * 60 + ["right"] * 60}, 50)
    assert found == {
        "performance.slice.side.left.auc": None,
        "performance.slice.side.right.auc": None,
        "performance.worst_slice": None,
    }
    assert table.rows[0][3] == "undefined"


def test_worth_counts_each_kind_of_decision() -> None:
    """Decided: the third and the fifth; of them one leaves; one leaver is missed; three are rightly left alone."""
    worth = {"true_positive": 100.0, "false_positive": -10.0, "false_negative": -50.0, "true_negative": 1.0}
    found = performance.business(LABELS, CHANCES, 0.5, worth)
    assert found["performance.value_per_row"] == pytest.approx((100 - 10 - 50 + 3) / 6)
    assert found["performance.lift_top_tenth"] == pytest.approx(3.0)


def test_without_prices_there_is_no_worth() -> None:
    """Nobody said what a decision is worth; 0 would be a claim."""
    assert "performance.value_per_row" not in performance.business(LABELS, CHANCES, 0.5, {})


def test_confusion_and_report() -> None:
    """A line a true class; precision, recall and F1 by class."""
    table = performance.confusion("binary", LABELS, CHANCES, 0.5, ["stays", "leaves"])
    assert table.rows == [["stays", "3", "1"], ["leaves", "1", "1"]]
    rows = performance.report("binary", LABELS, CHANCES, 0.5, ["stays", "leaves"]).rows
    assert rows == [["stays", "0.750", "0.750", "0.750", "4"], ["leaves", "0.500", "0.500", "0.500", "2"]]


def test_a_class_nobody_decided_for_has_no_precision() -> None:
    """0 of 0 is not 0."""
    rows = performance.report("binary", LABELS, np.zeros(6), 0.5, ["stays", "leaves"]).rows
    assert rows[1][1:] == ["nan", "0.000", "0.000", "2"]


def test_curves_start_and_end_where_they_must() -> None:
    """From nobody to everybody; their area is the AUC that is told."""
    roc, precision = performance.curves("binary", LABELS, CHANCES, ["no", "yes"])
    line = roc.series["model"]
    assert (line[0], line[-1]) == ((0.0, 0.0), (1.0, 1.0))
    area = np.trapezoid([y for _, y in line], [x for x, _ in line])
    assert area == pytest.approx(reference.roc_auc_score(LABELS, CHANCES))
    assert list(precision.series["model"][-1]) == pytest.approx([1.0, 2 / 6])


def test_each_class_has_a_line_of_its_own() -> None:
    """Against the others, the five commonest; one that is called as a standard is, is told apart; one that never comes has none."""
    classes = ["chance", *"bcdefg"]
    labels = np.repeat([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [30, 25, 20, 15, 10, 5])
    chances = np.full((len(labels), 7), 0.05)
    chances[np.arange(len(labels)), labels.astype(int)] = 0.7
    roc, precision = performance.curves("multiclass", labels, chances, classes)
    assert list(roc.series) == ["class chance", "b", "c", "d", "e", "chance"]
    assert list(precision.series) == ["class chance", "b", "c", "d", "e"]
    assert (0.0, 1.0) in roc.series["b"]  # it tells them apart


def test_values_are_drawn_as_what_lies_round_each_prediction() -> None:
    """Of rows that were told about the same the middle and the outer tenths; nothing of so few rows that a tenth is a row."""
    draw = np.random.default_rng(3)
    predicted = draw.uniform(0.0, 100.0, 4000)
    actual = predicted + draw.normal(0.0, 5.0, 4000)
    against, left = performance.curves("regression", actual, predicted, [])
    assert [point[1] - point[0] for point in against.series["model"]] == pytest.approx([0.0] * 20, abs=2.5)
    assert all(y == pytest.approx(6.4, abs=2.5) for _, y in left.series["a tenth lies above"])
    assert left.series["perfect"][1][1] == 0.0
    assert performance.curves("regression", actual[:30], predicted[:30], []) == []


def test_no_curve_without_both_classes() -> None:
    """There would be nothing to draw."""
    assert performance.curves("binary", np.ones(6), CHANCES, ["no", "yes"]) == []


def test_defined() -> None:
    """None stands for NaN, and only for it."""
    assert performance.defined(math.nan) is None
    assert performance.defined(0.0) == 0.0
