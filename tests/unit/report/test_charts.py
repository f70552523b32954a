"""Where the marks of a chart lie."""

import math
from dataclasses import replace

import pytest

from argosy.domain.evidence import Curve, GateResult, Table
from argosy.domain.search import Choice, SearchHistory, Trial
from argosy.report import charts, timeline, views
from argosy.report.record import RunReport


def _gate(measured: float | None, limit: str) -> GateResult:
    return GateResult(
        gate="latency.p95_ms", dimension="latency", passed=True, measured=measured, limit=limit, reason="measured"
    )


def _trial(number: int, score: float, *, state: str = "complete") -> Trial:
    return Trial.model_validate(
        {
            "number": number,
            "parameters": {"depth": 3},
            "state": state,
            "fold_scores": [score],
            "boost_rounds": 10,
            "seconds": 0.1,
        }
    )


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        pytest.param(0.0, 1.0, [0.0, 0.25, 0.5, 0.75, 1.0], id="rates"),
        pytest.param(0.0, 100.0, [0.0, 25.0, 50.0, 75.0, 100.0], id="hundred"),
        pytest.param(0.61, 0.65, [0.61, 0.62, 0.63, 0.64, 0.65], id="narrow"),
        pytest.param(3.0, 3.0, [3.0], id="one-value"),
    ],
)
def test_ticks_are_round_values_within_the_axis(low: float, high: float, expected: list[float]) -> None:
    """Ticks are values that a person would have chosen."""
    assert charts.ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(0.5, 50.0, id="middle"),
        pytest.param(-3.0, 0.0, id="below-moves-to-the-end"),
        pytest.param(9.0, 100.0, id="above-moves-to-the-end"),
    ],
)
def test_a_scale_keeps_marks_inside_the_plot(value: float, expected: float) -> None:
    """Nothing is drawn outside the plot, where it would cover text."""
    assert charts.Scale(0.0, 1.0).at(value) == expected


def test_a_curve_is_drawn_upside_up() -> None:
    """SVG counts downwards: the highest point has the smallest y."""
    curve = Curve(
        title="ROC", dimension="performance", x_label="x", y_label="y", series={"model": [(0.0, 0.0), (1.0, 1.0)]}
    )
    assert charts.of_curve(curve).lines[0].points == "0.0,100.0 100.0,0.0"


def test_the_models_own_line_comes_first() -> None:
    """Documents sort their keys; what a chart is about has the strongest colour all the same."""
    points = [(0.0, 0.0), (1.0, 1.0)]
    curve = Curve(title="c", dimension="p", x_label="x", y_label="y", series={"chance": points, "model": points})
    drawn = charts.of_curve(curve).lines
    assert [(line.name, line.reference) for line in drawn] == [("model", False), ("chance", True)]


def test_points_that_are_not_finite_are_left_out() -> None:
    """An undefined point is no position; the rest of the line is still drawn."""
    points = [(0.0, 0.2), (0.5, math.nan), (math.inf, 0.7), (1.0, 0.9)]
    curve = Curve(title="c", dimension="calibration", x_label="x", y_label="y", series={"model": points})
    assert len(charts.of_curve(curve).lines[0].points.split()) == 2


def test_a_long_line_is_thinned_and_keeps_its_ends() -> None:
    """The file stays small however many rows the holdout has."""
    points = [(index / 9999, index / 9999) for index in range(10_000)]
    curve = Curve(title="c", dimension="performance", x_label="x", y_label="y", series={"model": points})
    drawn = charts.of_curve(curve).lines[0].points.split()
    assert len(drawn) <= charts.MOST_POINTS + 1
    assert (drawn[0], drawn[-1]) == ("0.0,100.0", "100.0,0.0")


@pytest.mark.parametrize(
    ("direction", "scores", "expected"),
    [
        pytest.param("maximize", [0.5, 0.7, 0.6], "0.7", id="maximize"),
        pytest.param("minimize", [0.5, 0.7, 0.4], "0.4", id="minimize"),
    ],
)
def test_best_so_far_follows_the_direction(direction: str, scores: list[float], expected: str) -> None:
    """The best of a score to minimise is the least one."""
    history = SearchHistory.model_validate(
        {"metric": "score", "direction": direction, "trials": [_trial(i, score) for i, score in enumerate(scores)]}
    )
    drawn = charts.of_search(history, None)
    assert drawn is not None
    assert f"score of the best: {expected}" in drawn.summary


def test_best_so_far_ignores_pruned_trials() -> None:
    """A pruned trial's score covers fewer folds: it is drawn, and never the best."""
    history = SearchHistory(
        metric="f1", direction="maximize", trials=[_trial(0, 0.5), _trial(1, 0.9, state="pruned"), _trial(2, 0.6)]
    )
    drawn = charts.of_search(history, Choice(trial=2, score=0.6, metric="f1", parameters={}, boost_rounds=10))
    assert drawn is not None
    assert "1 pruned" in drawn.summary
    assert "F1 of the best: 0.6" in drawn.summary
    assert [mark.kind for mark in drawn.marks] == ["complete", "pruned", "chosen"]


def test_a_search_without_a_complete_trial_has_no_chart() -> None:
    """There is nothing to draw, and that is no error."""
    assert charts.of_search(SearchHistory(metric="f1", direction="maximize", trials=[]), None) is None


@pytest.mark.parametrize(
    ("measured", "limit", "expected"),
    [
        pytest.param(0.9, ">= 0.8", charts.Bullet(90.0, 80.0, passes_above=True), id="rate-at-least"),
        pytest.param(50.0, "<= 100", charts.Bullet(40.0, 80.0, passes_above=False), id="beyond-one"),
        pytest.param(None, ">= 0.8", charts.Bullet(None, 80.0, passes_above=True), id="undefined"),
        pytest.param(-0.5, ">= -1", charts.Bullet(25.0, 0.0, passes_above=True, zero=50.0), id="below-zero"),
        pytest.param(0.9, "equal", None, id="no-number"),
    ],
)
def test_a_gate_is_a_measurement_against_its_limit(
    measured: float | None, limit: str, expected: charts.Bullet | None
) -> None:
    """A rate is drawn from zero to one, anything else to a little beyond the greater of the two; below zero it is known where that is."""
    assert charts.of_gate(_gate(measured, limit)) == expected


def test_blocks_of_the_ledger_stay_within_the_run(report: RunReport) -> None:
    """Each attempt is drawn where it was, as wide as it took."""
    times = timeline.of(report.facts, report.entries)
    rows = dict(charts.of_timeline(times))
    evaluate = rows["evaluate"][0]
    assert (evaluate.x, evaluate.width) == pytest.approx((100 * 12.1 / 24, 100 * 7.9 / 24), abs=0.02)
    assert all(block.x + block.width <= 100.31 for blocks in rows.values() for block in blocks)


def test_a_run_without_a_ledger_has_no_blocks(report: RunReport) -> None:
    """A run that was refused before its first step draws nothing."""
    empty = replace(report, entries=())
    assert charts.of_timeline(timeline.of(empty.facts, empty.entries)) == ()


def test_a_learning_curve_says_after_which_round_a_loss_was_measured(report: RunReport) -> None:
    """The losses are looked at now and then; the axis counts boosting rounds, as the text beside it does."""
    assert report.training
    curve = report.training.learning_curve
    drawn = charts.of_learning(curve)
    assert curve.rounds[-1] == 20
    assert drawn.x_ticks[-1].text == "20"


def test_columns_of_numbers_are_aligned_as_numbers() -> None:
    """Text stays on the left; a cell that is empty, undefined or says why there is no number makes no column text."""
    table = Table(
        title="t",
        dimension="performance",
        header=["Group", "Value", "Rows", "Change", "p"],
        rows=[["a", "Month-to-month", "1,045", "7.28% turned", ""], ["b", "12", "3", "\N{MINUS SIGN}0.1", "undefined"]],
    )
    assert views.aligned(table) == ["", "", "n", "n", "n"]
    slices = Table(title="t", dimension="d", header=["AUC"], rows=[["0.61"], ["too few rows"], ["0.7"]])
    assert views.aligned(slices) == ["n"]
    assert views.aligned(Table(title="t", dimension="d", header=["a", "b"], rows=[])) == ["n", "n"]
