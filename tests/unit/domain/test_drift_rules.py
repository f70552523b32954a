"""What is called drift, and what is not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from argosy.cli import drift_table
from argosy.domain import drift
from argosy.domain.bundle import Bins, Histogram
from argosy.domain.drift import About, Difference, Moments, Thresholds, Window

ABOUT = About(model="leaving", environment="production", model_digest="sha256:0", version=3)
BINS = Bins(
    rows=5000,
    columns=[Histogram(column="tenure", edges=[10.0], counts=[2500, 2500], missing=0)],
    prediction=Histogram(column="prediction", edges=[0.5], counts=[3500, 1500], missing=0),
    mean_prediction=0.3,
)


def difference(column: str, p_value: float, distance: float) -> Difference:
    """A measured difference."""
    return Difference(
        column=column,
        kind="number",
        psi=distance,
        jensen_shannon=distance,
        wasserstein=1.0,
        test="ks",
        statistic=0.1,
        p_value=p_value,
        missing=0.0,
        missing_before=0.0,
    )


def window(rows: int, mean: float = 0.3, deviation: float = 0.2) -> Window:
    """A window of *rows* whose scores have about that mean and deviation."""
    scores = Moments(
        count=rows,
        total=round(rows * mean * drift.SCALE),
        squares=round(rows * (mean**2 + deviation**2) * drift.SCALE),
    )
    return Window(rows=rows, columns=BINS.columns, prediction=BINS.prediction, scores=scores)


def reported(given: Window, *differences: Difference) -> drift.DriftReport:
    """The report with usual thresholds."""
    return drift.report(ABOUT, given, differences, BINS, thresholds=Thresholds())


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        pytest.param(0, "no data", id="nothing"),
        pytest.param(1, "too few", id="one"),
        pytest.param(199, "too few", id="below-the-minimum"),
        pytest.param(200, "drift", id="at-the-minimum"),
    ],
)
def test_a_small_window_is_no_verdict(rows: int, word: str) -> None:
    """However different its rows look."""
    differences = [difference("prediction", 1e-9, 0.9)] if rows else []
    assert reported(window(rows), *differences).verdict == word


def test_a_small_window_marks_no_column() -> None:
    """Neither a column nor the mean is called drift where the verdict is that nothing can be told."""
    differences = [difference(name, p_value=1e-9, distance=0.9) for name in ("prediction", "tenure")]
    few, enough = (reported(window(rows, mean=0.9), *differences) for rows in (199, 200))
    assert (few.verdict, few.drifted) == ("too few", [])
    assert few.mean
    assert not few.mean.drifted
    assert (enough.verdict, enough.drifted) == ("drift", ["prediction", "tenure"])
    assert "DRIFT" in drift_table.text(enough)
    assert "DRIFT" not in drift_table.text(few)


@pytest.mark.parametrize(
    ("p_value", "distance", "word"),
    [
        pytest.param(1e-9, 0.3, "drift", id="certain-and-large"),
        pytest.param(1e-9, 0.05, "no drift", id="certain-but-small"),
        pytest.param(0.2, 0.3, "no drift", id="large-but-by-chance"),
        pytest.param(math.nan, 0.3, "no drift", id="undefined"),
        pytest.param(1e-9, 0.1, "drift", id="on-the-limit"),
    ],
)
def test_drift_is_more_than_chance_and_as_much_as_matters(p_value: float, distance: float, word: str) -> None:
    """Both together; either alone is not."""
    report = reported(window(1000), difference("prediction", 0.5, 0.01), difference("tenure", p_value, distance))
    assert report.verdict == word
    assert report.drifted == (["tenure"] if word == "drift" else [])


def test_many_columns_do_not_make_drift_by_their_number() -> None:
    """A p-value of 0.01 is nothing among twenty columns."""
    many = [difference(f"f{place}", 0.01 if place == 3 else 0.5, 0.3) for place in range(20)]
    assert reported(window(1000), *many).verdict == "no drift"
    assert reported(window(1000), *many[3:5]).verdict == "drift"


@pytest.mark.parametrize(
    ("mean", "rows", "drifted"),
    [
        pytest.param(0.30, 1000, False, id="same"),
        pytest.param(0.34, 1000, False, id="13-percent"),
        pytest.param(0.36, 1000, True, id="20-percent"),
        pytest.param(0.24, 1000, True, id="20-percent-down"),
        pytest.param(0.36, 50, False, id="20-percent-of-few-rows"),
    ],
)
def test_a_mean_prediction_that_moves_is_drift(mean: float, rows: int, drifted: bool) -> None:
    """More than 15 percent, and more than chance."""
    shift = drift.mean_shift(window(rows, mean).scores, BINS, Thresholds())
    assert shift is not None
    assert shift.drifted == drifted
    assert shift.relative == pytest.approx(mean / 0.3 - 1, abs=1e-4)


def test_the_report_says_what_moved() -> None:
    """The explanation names the mean and the columns."""
    report = reported(window(1000, 0.5), difference("prediction", 1e-9, 0.4))
    assert (
        report.explanation
        == "the mean prediction is 0.5, it was 0.3 (+67%); prediction differs (Jensen-Shannon 0.40, p 1e-09)"
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_lies_between_no_adjustment_and_bonferroni(p_values: list[float]) -> None:
    """Between the raw p-value and Bonferroni's; in the same order."""
    adjusted = drift.holm(p_values)
    for raw, holm in zip(p_values, adjusted, strict=True):
        assert raw <= holm <= min(1.0, raw * len(p_values)) + 1e-12 or holm == max(adjusted)
    order = np.argsort(p_values, kind="stable")
    assert all(np.diff(np.array(adjusted)[order]) >= 0)


def test_holm_as_in_the_book() -> None:
    """Four p-values, by hand."""
    assert drift.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@pytest.mark.slow
def test_draws_of_one_distribution_are_rarely_drift() -> None:
    """A thousand windows of nothing new, twenty columns each: at most 5 percent alarms, by design nearly none."""
    from argosy.ml import drift as measures

    random = np.random.default_rng(11)
    before = Histogram(column="x", edges=[float(edge) for edge in range(1, 32)], counts=[175] * 32, missing=0)
    alarms = 0
    for _ in range(1000):
        columns = []
        for _ in range(20):
            counts = random.multinomial(300, [1 / 32] * 32).tolist()
            columns.append(measures.difference(before.model_copy(update={"counts": counts}), before))
        alarms += any(finding.drifted for finding in drift.judge(columns, Thresholds()))
    assert alarms <= stats.binom.ppf(0.999, 1000, 0.05)
