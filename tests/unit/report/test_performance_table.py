"""Real performance on a terminal: what is below its gate first, and a word where nothing can be said."""

import datetime

from argosy.domain.performance_report import (
    BusinessValue,
    EstimatedScore,
    LabelCounts,
    MeasuredScore,
    Performance,
    PerformanceEstimate,
    SlicePerformance,
    VersionPerformance,
)
from argosy.report import performance_table

END = datetime.datetime(2026, 3, 29, tzinfo=datetime.UTC)
AUC = MeasuredScore(metric="auc", value=0.7, low=0.65, high=0.75, at_least=0.8, standing="below")
F1 = MeasuredScore(metric="f1", value=0.6, low=0.5, high=0.7)
REPORT = Performance(
    model="churn", environment="production", model_digest=f"sha256:{'a' * 64}", version=3, task="binary",
    since=END - datetime.timedelta(days=28), until=END, as_of=END,
    labels=LabelCounts(predictions=1500, due=1000, labelled=900, due_labelled=900, corrected=7),
    scores=[F1, AUC],
    business=[BusinessValue(name="revenue", rows=900, total=45000, per_prediction=50, low=45, high=55)],
    slices=[
        SlicePerformance(column="contract", value="monthly", labelled=800, scores=[AUC]),
        SlicePerformance(column="contract", value="yearly", labelled=12, scores=[]),
    ],
    versions=[VersionPerformance(model_digest=f"sha256:{'a' * 64}", version=3, predictions=1500, labelled=900, scores=[AUC, F1])],
    estimate=PerformanceEstimate(
        since=END, until=END, rows=500, assumes="much", scores=[EstimatedScore(metric="auc", value=0.8, low=0.7, high=0.9)]
    ),
    verdict="below", explanation="auc is too low", problems=["source 'outcomes': 3 labels without a value"],
)  # fmt: skip

TEXT = """\
churn version 3 (sha256:aaaaaaaaaaaa) in production, predictions from 2026-03-01 00:00 to 2026-03-29 00:00 UTC, \
labels as of 2026-03-29 00:00 UTC
1,500 predictions of all versions, 900 with a label (90.0% of those due, 7 corrected)

metric         value      interval    gate
auc     BELOW    0.7  0.65 to 0.75  >= 0.8
f1               0.6    0.5 to 0.7

value      per prediction  interval  rows
revenue                50  45 to 55   900

slice               labelled  scores
contract=monthly         800  auc 0.7 (0.65 to 0.75)
contract=yearly           12  too few labels

version          predictions  labelled  scores
3        served        1,500       900  auc 0.7 (0.65 to 0.75), f1 0.6 (0.5 to 0.7)

expected of the 500 predictions without a label yet: auc 0.8 (0.7 to 0.9)
assumes much

note: source 'outcomes': 3 labels without a value

below: auc is too low"""


def test_the_whole_report() -> None:
    """As a person reads it."""
    assert performance_table.text(REPORT) == TEXT


def test_nothing_known_is_said_in_three_lines() -> None:
    """Without labels there is no empty table."""
    bare = REPORT.model_copy(
        update={"labels": LabelCounts(), "scores": [], "business": [], "slices": [], "versions": [], "estimate": None}
    )
    bare = bare.model_copy(update={"verdict": "no data", "explanation": "nothing was logged", "problems": []})
    lines = performance_table.text(bare).splitlines()
    assert lines[1:] == [
        "0 predictions of all versions, 0 with a label (none is due yet)",
        "",
        "no data: nothing was logged",
    ]
