"""What is called drift, and what is not."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from argosy.domain import drift
from argosy.domain.bundle import SCALE, Bins, Histogram, Moments
from argosy.domain.drift import About, Difference, Thresholds, Window
from argosy.report import drift_table
from bench import drift_alarms

ABOUT = About(model="leaving", environment="production", model_digest="sha256:0", version=3)


def moments(rows: int, mean: float, deviation: float = 0.2) -> Moments:
    """Of *rows* scores with about that mean and deviation."""
    return Moments(count=rows, total=round(rows * mean * SCALE), squares=round(rows * (mean**2 + deviation**2) * SCALE))


BINS = Bins(
    reference="holdout",
    rows=5000,
    columns=[Histogram(column="tenure", edges=[10.0], counts=[2500, 2500], missing=0)],
    prediction=Histogram(column="prediction", edges=[0.5], counts=[3500, 1500], missing=0),
    scores=moments(5000, 0.3),
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
    return Window(rows=rows, columns=BINS.columns, prediction=BINS.prediction, scores=moments(rows, mean, deviation))


def reported(given: Window, *differences: Difference) -> drift.DriftReport:
    """The report with usual thresholds."""
    return drift.report(ABOUT, given, differences, drift.holdout(BINS), thresholds=Thresholds())


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
    """A p-value of 0.001 is nothing among twenty columns."""
    many = [difference(f"f{place}", 0.001 if place == 3 else 0.5, 0.3) for place in range(20)]
    assert reported(window(1000), *many).verdict == "no drift"
    assert reported(window(1000), *many[3:5]).verdict == "drift"


@pytest.mark.parametrize(
    ("mean", "rows", "p_value", "drifted"),
    [
        pytest.param(0.30, 1000, 1e-9, False, id="same"),
        pytest.param(0.34, 1000, 1e-9, False, id="13-percent"),
        pytest.param(0.36, 1000, 1e-9, True, id="20-percent"),
        pytest.param(0.24, 1000, 1e-9, True, id="20-percent-down"),
        pytest.param(0.36, 30, 1e-9, False, id="20-percent-of-few-rows"),
        pytest.param(0.36, 1000, 0.02, False, id="its-distribution-may-be-the-same"),
    ],
)
def test_a_mean_prediction_that_moves_is_drift(mean: float, rows: int, p_value: float, drifted: bool) -> None:
    """More than 15 percent, and more than chance: by the mean's own test and by that of the whole distribution."""
    thresholds = Thresholds(minimum_rows=10)
    shift = drift.mean_shift(moments(rows, mean), BINS.scores)
    _, judged = drift.judge([difference("prediction", p_value, 0.01)], shift, thresholds)
    assert judged is not None
    assert judged.drifted == drifted
    assert judged.relative == pytest.approx(mean / 0.3 - 1, abs=1e-4)


def test_a_mean_near_nothing_moves_by_deviations() -> None:
    """Where scores lie round 0 any change is many times the mean: what counts is the spread."""
    before = moments(5000, 0.001, 1.0)
    certain = [difference("prediction", 1e-9, 0.01)]
    for mean, drifted in ((0.05, False), (0.3, True)):
        _, judged = drift.judge(certain, drift.mean_shift(moments(50_000, mean, 1.0), before), Thresholds())
        assert judged is not None
        assert judged.relative is not None
        assert judged.relative > 10
        assert judged.drifted == drifted


def test_a_small_reference_is_no_verdict() -> None:
    """Of a model whose holdout has few rows nothing can be told, and that is not "no drift"."""
    small = BINS.model_copy(update={"rows": 99})
    report = drift.report(
        ABOUT, window(1000), [difference("prediction", 1e-9, 0.9)], drift.holdout(small), thresholds=Thresholds()
    )
    assert (report.verdict, report.drifted) == ("too few", [])
    assert "the model's holdout has 99 rows, 100 are needed" in report.explanation


def test_the_report_says_what_moved() -> None:
    """The explanation names the mean and the columns."""
    report = reported(window(1000, 0.5), difference("prediction", 1e-9, 0.4))
    assert (
        report.explanation
        == "the mean prediction is 0.5, it was 0.3 (+67%); prediction differs (Jensen-Shannon 0.40, p 1e-09)"
    )


@pytest.mark.parametrize("name", drift_alarms.MADE_UP)
def test_an_unchanged_stream_is_not_drift(name: str, tmp_path: Path) -> None:
    """However few or many rows it has: at most the stated share of windows, of a model with few scores, classes, values, ties or gaps."""
    subject = drift_alarms.made_up(name, tmp_path, pool=60_000)
    pool, random = drift_alarms.Counted.of(subject, subject.rows), np.random.default_rng(2)
    for size, windows in ((400, 100), (5_000, 40), (200_000, 3)):
        allowed = stats.binom.ppf(0.999, windows, Thresholds().significance)
        assert drift_alarms.alarms([pool], random, size, windows) <= allowed, f"{size} rows"


@pytest.mark.parametrize(
    ("name", "column", "shift"),
    [
        pytest.param("few_scores", "seats", 0.5, id="half-a-deviation"),
        pytest.param("few_scores", "plan", 0.25, id="a-quarter-to-one-level"),
        pytest.param("rare", "x0", 0.5, id="skewed"),
        pytest.param("ties", "n0", 0.5, id="whole-numbers-that-are-none-any-more"),
        pytest.param("gaps", "x0", 0.5, id="with-gaps"),
        pytest.param("many_levels", "shop", 0.25, id="many-levels"),
    ],
)
def test_a_planted_shift_is_found(name: str, column: str, shift: float, tmp_path: Path) -> None:
    """Nine times in ten with 2,000 rows."""
    subject = drift_alarms.made_up(name, tmp_path, pool=20_000)
    changed = drift_alarms.moved(subject, column, shift)
    assert drift_alarms.alarms([changed], np.random.default_rng(2), 2_000, 20) >= 18
