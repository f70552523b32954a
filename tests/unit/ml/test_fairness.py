"""Rates and differences between groups, as fairlearn has them, and what is said where groups cannot be compared."""

import numpy as np
import pytest
from fairlearn import metrics as reference

from argosy.domain import measurements
from argosy.domain.model_settings import Task
from argosy.ml import fairness

# A hundred of each group; of a, 50 have the label and 40 are selected (30 of them rightly); of b, 20 and 10 (all rightly).
GROUPS = ["a"] * 100 + ["b"] * 100
LABELS = np.array([1.0] * 50 + [0.0] * 50 + [1.0] * 20 + [0.0] * 80)
SELECTED = np.array([0.9] * 30 + [0.1] * 20 + [0.9] * 10 + [0.1] * 40 + [0.9] * 10 + [0.1] * 90)


def measured(groups: list[str] = GROUPS, labels: np.ndarray = LABELS) -> dict[str, float | None]:
    """The measurements by their last name."""
    found, _ = fairness.measure("binary", labels, SELECTED, 0.5, {"kind": groups})
    return {name.removeprefix("fairness.kind."): value for name, value in found.items()}


def test_figures_counted_by_hand() -> None:
    """Selected: 40 % and 10 %. Of those with the label 60 % and 50 %; of those without 20 % and 0 %."""
    assert measured() == {
        "demographic_parity_ratio": pytest.approx(0.25),
        "demographic_parity_difference": pytest.approx(0.3),
        "equalized_odds_ratio": pytest.approx(0.0),
        "equalized_odds_difference": pytest.approx(0.2),
        "equal_opportunity_difference": pytest.approx(0.1),
        # Of a, 0.42 is said and 0.5 seen; of b, 0.18 and 0.2.
        "calibration_gap": pytest.approx(0.08),
    }


def test_a_table_a_group() -> None:
    """Selection rates and true positive rates per group are for the reader."""
    _, (table,) = fairness.measure("binary", LABELS, SELECTED, 0.5, {"kind": GROUPS})
    assert table.title == "Groups of kind"
    assert [(row[0], row[1], row[5], row[6]) for row in table.rows] == [
        ("a", "100", "0.400", "0.600"),
        ("b", "100", "0.100", "0.500"),
    ]


@pytest.mark.parametrize(
    ("task", "header"),
    [
        pytest.param("multiclass", ["Group", "Rows", "accuracy"], id="multiclass"),
        pytest.param("regression", ["Group", "Rows", "Mean label", "r2"], id="regression"),
    ],
)
def test_numbers_of_classes_have_no_mean(task: Task, header: list[str]) -> None:
    """A table says of a group's labels what its task allows."""
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 200).astype(float)
    predictions = random.dirichlet([1, 1, 1], 200) if task == "multiclass" else labels + random.normal(size=200)
    _, (table,) = fairness.measure(task, labels, predictions, 0.5, {"kind": GROUPS})
    assert table.header == header
    assert all(len(row) == len(header) for row in table.rows)


def test_a_small_group_is_named_and_left_out() -> None:
    """29 people say nothing; that they were left out is said."""
    groups = ["tiny"] * 29 + GROUPS[29:]
    _, (table,) = fairness.measure("binary", LABELS, SELECTED, 0.5, {"kind": groups})
    assert table.rows[-1][:3] == ["tiny", "29", "too few rows"]
    kept = fairness.measure("binary", LABELS[29:], SELECTED[29:], 0.5, {"kind": GROUPS[29:]})[0]
    assert fairness.measure("binary", LABELS, SELECTED, 0.5, {"kind": groups})[0] == kept


def test_thirty_are_enough() -> None:
    """The size is a limit, and on the limit is enough."""
    groups = ["small"] * 30 + GROUPS[30:]
    _, (table,) = fairness.measure("binary", LABELS, SELECTED, 0.5, {"kind": groups})
    assert table.rows[-1][:2] == ["small", "30"]
    assert table.rows[-1][2] != "too few rows"


def test_one_group_alone_leaves_everything_undefined() -> None:
    """The names are there, so that a policy's gate fails as undefined and not as a typo."""
    found = measured(["a"] * 200)
    assert set(found) == set(measurements.FAIRNESS_OF_BINARY)
    assert set(found.values()) == {None}


def test_a_group_without_the_label_has_no_opportunity_to_compare() -> None:
    """fairlearn would call its true positive rate 0."""
    found = measured(labels=np.array([1.0] * 50 + [0.0] * 150))
    assert found["equal_opportunity_difference"] is None
    assert found["equalized_odds_ratio"] is None
    assert found["demographic_parity_ratio"] == pytest.approx(0.25)


def test_nobody_selected_is_undefined() -> None:
    """0 by 0: a model that selects nobody has not shown that it treats people alike."""
    found, _ = fairness.measure("binary", LABELS, np.full(200, 0.1), 0.5, {"kind": GROUPS})
    assert found["fairness.kind.demographic_parity_ratio"] is None


def test_other_tasks_compare_scores() -> None:
    """No class is the favourable one there; what can differ is how good the model is."""
    labels = np.concatenate([np.arange(100.0), np.arange(100.0)])
    values = np.concatenate([np.arange(100.0), np.arange(100.0) + 10])
    found, _ = fairness.measure("regression", labels, values, 0.5, {"kind": GROUPS})
    worse = 1 - 100 * 100 / float(np.sum((np.arange(100.0) - 49.5) ** 2))
    assert found["fairness.kind.score_difference"] == pytest.approx(1 - worse)
    assert found["fairness.kind.score_ratio"] == pytest.approx(worse)


def test_the_mitigated_model_selects_alike() -> None:
    """Beside the model as it is, one whose groups have thresholds of their own."""
    random = np.random.default_rng(3)
    groups = ["a", "b"] * 1000
    rates = np.where(np.asarray(groups) == "a", 0.5, 0.2)
    labels = (random.random(2000) < rates).astype(float)
    chances = np.clip(0.5 * rates + 0.4 * labels + 0.2 * random.random(2000), 0, 1)
    table = fairness.mitigated(labels, chances, 0.5, groups, "kind", seed=1)
    as_it_is, mitigated = (float(row[3]) for row in table.rows)
    assert as_it_is < 0.6
    assert mitigated > 0.85
    assert "on 1,000 of the 2,000 rows that the gates are measured on" in table.title
    assert all("on these rows" in row[0] for row in table.rows)


def test_mitigation_repeats() -> None:
    """fairlearn draws; the seed is the settings'."""
    random = np.random.default_rng(3)
    labels, chances = (random.random(400) < 0.4).astype(float), random.random(400)
    first, second = (fairness.mitigated(labels, chances, 0.5, ["a", "b", "b", "a"] * 100, "kind", 5) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("labels", "groups", "reason"),
    [
        pytest.param(LABELS, ["a"] * 200, "fewer than two groups", id="one-group"),
        pytest.param(np.array([1.0] * 50 + [0.0] * 150), GROUPS, "group b .* have one label", id="one-label"),
    ],
)
def test_where_nothing_can_be_mitigated_that_is_said(labels: np.ndarray, groups: list[str], reason: str) -> None:
    """A report with a reason is better than a run that stops."""
    table = fairness.mitigated(labels, SELECTED, 0.5, groups, "kind", seed=1)
    assert table.header == ["Not shown"]
    assert np.char.count(table.rows[0][0], "one label" if "label" in reason else reason) == 1


def test_rows_counted_give_what_rows_one_by_one_do() -> None:
    """fairlearn's own figures of all rows, to the last bit; of a million they would take a minute."""
    random = np.random.default_rng(8)
    labels = (random.random(3000) < 0.3).astype(float)
    chances, groups = random.random(3000), random.choice(["a", "b", "c"], 3000)
    found, _ = fairness.measure("binary", labels, chances, 0.4, {"group": groups.tolist()})
    for name in measurements.FAIRNESS_OF_BINARY[:5]:
        own = getattr(reference, name)(labels, chances >= 0.4, sensitive_features=groups)
        assert found[f"fairness.group.{name}"] == own


def test_a_large_holdout_is_mitigated_on_some_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each probability is a threshold to try: of many rows some are drawn, which the title says."""
    monkeypatch.setattr(fairness, "MOST_MITIGATED", 400)
    random = np.random.default_rng(8)
    labels, groups = (random.random(3000) < 0.3).astype(float), random.choice(["a", "b"], 3000).tolist()
    table = fairness.mitigated(labels, random.random(3000), 0.4, groups, "group", 1)
    assert "on 200 of the 3,000 rows" in table.title
    assert "as many others chose" in table.title
