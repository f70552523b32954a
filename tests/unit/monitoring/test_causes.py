"""The cause of a retraining says what the looks show: which columns moved, by how much, from when, and what the model was worth."""

import datetime

import pytest

from argosy.domain import retraining_cause
from argosy.domain.drift import About, Difference, DriftReport, Finding, MeanShift, Thresholds, Word
from argosy.domain.looks import Look, SliceLook
from argosy.domain.performance_report import LabelCounts, MeasuredScore, Performance
from argosy.domain.retraining_cause import Alert, MovedColumn, PerformanceChange
from argosy.monitoring import causes

BEGIN = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def finding(column: str, distance: float, *, missing: float = 0.0, drifted: bool = True) -> Finding:
    """A column that is *distance* away."""
    difference = Difference(
        column=column, kind="number", psi=0.5, jensen_shannon=distance, test="ks", statistic=0.4, p_value=0.0,
        missing=missing, missing_before=0.0,
    )  # fmt: skip
    return Finding(difference=difference, adjusted_p=1e-9, drifted=drifted)


def look(hour: int, verdict: Word, *features: Finding, performance: Performance | None = None) -> Look:
    """The look at the hour before *hour*."""
    about = About(model="toy", environment="production", model_digest="sha256:1", score="probability of yes")
    mean = MeanShift(mean=0.3, before=0.2, relative=0.5, p_value=0, adjusted_p=0, drifted=verdict == "drift")
    report = DriftReport(
        about=about, rows=900, rows_before=900, verdict=verdict, explanation="why", mean=mean, features=list(features)
    )
    sliced = report.model_copy(update={"mean": None, "features": [finding("size", 0.2)]})
    return Look(
        model="toy", environment="production", model_digest="sha256:1", since=BEGIN + (hour - 1) * HOUR,
        until=BEGIN + hour * HOUR, looked=BEGIN + hour * HOUR, rows=900, verdict=verdict, explanation="size differs",
        reference="holdout", thresholds=Thresholds(), report=report,
        slices=[SliceLook(column="kind", value="a", report=sliced)] if verdict == "drift" else [],
        performance=performance,
    )  # fmt: skip


DRIFTED = look(
    4, "drift", finding("weight", 0.1), finding("size", 0.4, missing=0.2), finding("calm", 0.01, drifted=False)
)


def test_what_moved_and_by_how_much() -> None:
    """The mean first, then the farthest column; a slice by its name; a column that did not drift not at all."""
    alert = Alert(name="ArgosyDrift", fingerprint="f", starts_at=BEGIN)
    cause = causes.of_looks("drift", [DRIFTED], alert=alert, admission="toy-1")
    assert [(moved.column, moved.measure, moved.before, moved.now) for moved in cause.columns] == [
        ("probability of yes", "mean", 0.2, 0.3),
        ("size", "Jensen-Shannon distance", 0.0, 0.4),
        ("size", "share missing", 0.0, 0.2),
        ("size (kind=a)", "Jensen-Shannon distance", 0.0, 0.2),
        ("weight", "Jensen-Shannon distance", 0.0, 0.1),
    ]
    assert (cause.environment, cause.model_digest, cause.admission) == ("production", "sha256:1", "toy-1")
    assert (cause.since, cause.until, cause.alert) == (DRIFTED.since, DRIFTED.until, alert)
    assert retraining_cause.parse(cause.text()) == cause


@pytest.mark.parametrize(
    ("verdicts", "began"),
    [
        pytest.param(["drift"], 0, id="the-window-where-nothing-is-known-before"),
        pytest.param(["no drift", "drift"], 1, id="after-the-last-that-was-calm"),
        pytest.param(["no drift", "drift", "drift", "drift"], 1, id="several-in-a-row"),
        pytest.param(["drift", "no drift", "drift"], 2, id="the-last-time"),
        pytest.param(["no drift", "no data", "drift"], 2, id="no-data-is-not-calm"),
        pytest.param(["drift", "no drift"], None, id="over"),
    ],
)
def test_from_when(verdicts: list[Word], began: int | None) -> None:
    """From the end of the last calm look, or the beginning of the first that was not."""
    looks = [look(hour, verdict, finding("size", 0.4)) for hour, verdict in enumerate(verdicts, 1)]
    assert causes.of_looks("drift", looks).began == (None if began is None else BEGIN + began * HOUR)


def test_real_performance_beside_what_was_approved() -> None:
    """The metric below its gate, what it was when the model was evaluated, and the reason in words."""
    performance = Performance(
        model="toy", environment="production", model_digest="sha256:1", task="binary", since=BEGIN, until=BEGIN + HOUR,
        as_of=BEGIN + HOUR, labels=LabelCounts(), verdict="below", explanation="auc is below its gate",
        scores=[
            MeasuredScore(metric="f1", value=0.6, at_least=0.5, standing="holds"),
            MeasuredScore(metric="auc", value=0.7, at_least=0.8, standing="below", approved=0.84),
        ],
    )  # fmt: skip
    cause = causes.of_looks("performance", [look(1, "no drift", performance=performance)])
    assert cause.performance == PerformanceChange(metric="auc", before=0.84, now=0.7)
    assert (cause.explanation, cause.columns) == ("auc is below its gate", [])


def test_no_look_is_no_hindrance() -> None:
    """Somebody's wish, a push, a schedule: nothing was looked at, and nothing is claimed."""
    cause = causes.of_looks("hand", [])
    assert (cause.kind, cause.columns, cause.since) == ("hand", [], None)


def test_a_wide_model() -> None:
    """Of a hundred columns that moved the farthest are named."""
    cause = causes.of_looks("drift", [look(1, "drift", *(finding(f"c{index}", index / 100) for index in range(100)))])
    assert len(cause.columns) == retraining_cause.MOST_COLUMNS
    assert cause.columns[1] == MovedColumn(
        column="c99", measure=causes.DISTANCE, before=0.0, now=0.99, explanation="p 1e-09, PSI 0.5"
    )
