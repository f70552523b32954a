"""Labels are held against those of the holdout: told where they moved, and nothing said where nobody can tell."""

import datetime
from typing import Any

import numpy as np
import pytest

from argosy.domain.bundle import Histogram
from argosy.domain.monitor_settings import Monitor
from argosy.domain.performance_report import LabelCounts, Performance
from argosy.exporter import look_samples, series
from argosy.ml import live_performance
from argosy.ml.live_performance import LiveAnswers
from argosy.monitoring import label_drift
from argosy.report import performance_table
from kit import looked

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
CLASSES = ["no", "yes"]


def answered(labels: Any, task: Any = "binary") -> LiveAnswers:
    """Answers with *labels*, NaN where there is none."""
    given = np.asarray(labels, dtype=np.float64)
    return LiveAnswers(
        task=task,
        release=np.zeros(len(given), dtype=np.int32),
        times=np.arange(len(given)),
        labels=given,
        predictions=np.full(len(given), 0.5),
        decisions=np.zeros(len(given), dtype=np.int64),
        outcomes={},
        slices={},
    )


def classes(no: int, yes: int) -> Histogram:
    """The holdout of a model of two classes."""
    return Histogram(column="label", levels=CLASSES, counts=[no, yes, 0], missing=0)


def found(labels: Any, reference: Histogram, monitor: Monitor | None = None) -> Any:
    """What is said of *labels*."""
    counted = live_performance.counted_labels(answered(labels), CLASSES, reference)
    return label_drift.of(counted, reference, monitor or Monitor())


def outcomes(no: int, yes: int) -> list[float]:
    """So many of each class, and as many predictions that wait for theirs."""
    return [0.0] * no + [1.0] * yes + [float("nan")] * (no + yes)


def test_labels_as_in_the_holdout() -> None:
    """Are no drift, whatever part of the predictions has one."""
    same = found(outcomes(780, 220), classes(3900, 1100))
    assert (same.finding.drifted, same.rows, same.rows_before) == (False, 1000, 5000)
    assert same.explanation.startswith("no drift: Jensen-Shannon distance 0 of labels from the holdout's")


def test_a_class_that_became_frequent_is_told() -> None:
    """With its share before and now, and by the limit of the settings."""
    moved = found(outcomes(500, 500), classes(3900, 1100))
    assert moved.finding.drifted
    assert moved.explanation.startswith("drift: ")
    assert moved.explanation.endswith("; no was 78.0% and is 50.0%")
    assert not found(
        outcomes(500, 500), classes(3900, 1100), Monitor.model_validate({"thresholds": {"distance": 0.5}})
    ).finding.drifted


@pytest.mark.parametrize(
    ("labels", "reference", "said"),
    [
        pytest.param(
            outcomes(600, 0),
            classes(740, 260),
            "all 600 labels are 'no', and of the holdout's 26.0% were not",
            id="broken",
        ),
        pytest.param(outcomes(40, 0), classes(740, 260), "", id="few"),
        pytest.param(outcomes(600, 1), classes(740, 260), "", id="one-of-the-other"),
        pytest.param(outcomes(600, 0), classes(1000, 0), "", id="always-so"),
        pytest.param(outcomes(600, 0), classes(997, 3), "", id="a-rare-class"),
        pytest.param(outcomes(0, 600), classes(1000, 0), "all 600 labels are 'yes'", id="never-seen"),
        pytest.param([], classes(740, 260), "", id="none"),
    ],
)
def test_labels_of_one_kind_are_no_measure(labels: Any, reference: Histogram, said: str) -> None:
    """Where the holdout's were of several, and that is no chance."""
    counted = live_performance.counted_labels(answered(labels), CLASSES, reference)
    found_out = label_drift.of_one_kind(counted, reference)
    assert found_out.startswith(said)
    assert bool(found_out) == bool(said)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_labels_that_are_numbers(shift: float) -> None:
    """Are counted in the bins of the holdout's."""
    random = np.random.default_rng(1)
    edges = [float(edge) for edge in np.linspace(-2, 2, 11)]
    reference = live_performance.counted_labels(
        answered(random.normal(size=5000), "regression"),
        [],
        Histogram(column="label", edges=edges, counts=[0] * 12, missing=0),
    )
    now = live_performance.counted_labels(answered(random.normal(shift, size=2000), "regression"), [], reference)
    said = label_drift.of(now, reference, Monitor())
    assert said is not None
    assert said.finding.drifted is (shift > 0)


@pytest.mark.parametrize(
    ("labels", "reference", "monitor"),
    [
        pytest.param(outcomes(50, 50), classes(3900, 1100), Monitor(), id="too-few-labels"),
        pytest.param(outcomes(500, 500), classes(60, 20), Monitor(), id="a-small-holdout"),
        pytest.param(
            outcomes(500, 500), classes(3900, 1100), Monitor(baseline="previous window"), id="another-baseline"
        ),
        pytest.param([], classes(3900, 1100), Monitor(), id="no-labels"),
    ],
)
def test_nothing_is_said_where_nobody_can_tell(labels: Any, reference: Histogram, monitor: Monitor) -> None:
    """Neither drift nor none."""
    assert found(labels, reference, monitor) is None


def test_prometheus_and_people_are_shown_it() -> None:
    """Beside features and answers, under a name that no feature can have."""
    moved = found(outcomes(500, 500), classes(3900, 1100))
    report = Performance(
        model="toy", environment="production", model_digest="sha256:1", task="binary", since=NOON, until=NOON, as_of=NOON,
        labels=LabelCounts(), verdict="no gate", explanation="there is none", label_drift=moved,
    )  # fmt: skip
    look = looked.look("no drift", model="toy").model_copy(update={"performance": report})
    shown = {each.series: each.value for each in look_samples.of_look(look) if "the label" in each.labels}
    assert shown == {
        series.DRIFT_DISTANCE: pytest.approx(moved.finding.difference.jensen_shannon),
        series.DRIFT_COLUMN: 1,
    }
    assert f"labels: {moved.explanation}" in performance_table.text(report).splitlines()
