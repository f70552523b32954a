"""Real performance is below its gate only where chance cannot have put it there."""

from typing import Any

import pytest

from argosy.domain import performance_verdicts
from argosy.domain.performance_report import LabelCounts, MeasuredScore
from argosy.domain.policy import ComparisonPolicy, Limit, Policy, Waiver

ROWS = LabelCounts(predictions=500, due=500, labelled=400, due_labelled=400, rows=400)


def policy(*limits: dict[str, Any]) -> Policy:
    """A policy with *limits*."""
    rest = ("performance", "fairness", "robustness", "calibration", "explainability", "latency")
    return Policy(
        model="leaving",
        owners=["retention"],
        limits=[Limit(why="", **limit) for limit in limits],
        waivers=[Waiver(dimension=each, owner="retention", reason="a test") for each in rest],  # type: ignore[arg-type]
        comparison=ComparisonPolicy(metric="auc", margin=0.01),
    )


AT_LEAST = policy({"metric": "performance.auc", "at_least": 0.8})
AT_MOST = policy({"metric": "performance.log_loss", "at_most": 0.5})


@pytest.mark.parametrize(
    ("metric", "limits", "value", "low", "high", "standing"),
    [
        pytest.param("auc", AT_LEAST, 0.85, 0.82, 0.88, "holds", id="all above"),
        pytest.param("auc", AT_LEAST, 0.8, 0.8, 0.9, "holds", id="on the gate"),
        pytest.param("auc", AT_LEAST, 0.82, 0.78, 0.86, "unclear", id="above, by luck perhaps"),
        pytest.param("auc", AT_LEAST, 0.78, 0.74, 0.82, "unclear", id="below, by chance perhaps"),
        pytest.param("auc", AT_LEAST, 0.7, 0.65, 0.75, "below", id="all below"),
        pytest.param("log_loss", AT_MOST, 0.6, 0.55, 0.65, "below", id="a loss that is too large"),
        pytest.param("log_loss", AT_MOST, 0.4, 0.35, 0.45, "holds", id="a loss that is small"),
        pytest.param("f1", AT_LEAST, 0.1, 0.0, 0.2, None, id="without a limit"),
        pytest.param("auc", AT_LEAST, None, None, None, None, id="undefined"),
    ],
)
def test_a_metric_stands_to_its_gate(
    metric: str, limits: Policy, value: float | None, low: float | None, high: float | None, standing: str | None
) -> None:
    """By all of its interval."""
    found = performance_verdicts.held(MeasuredScore(metric=metric, value=value, low=low, high=high), limits)
    assert found.standing == standing


def judged(score: MeasuredScore, *, answered: int = 500, labelled: int = 400) -> tuple[str, str]:
    """The verdict on one score."""
    return performance_verdicts.verdict(ROWS, answered, labelled, [score], 100)


BELOW = performance_verdicts.held(MeasuredScore(metric="auc", value=0.7, low=0.65, high=0.75), AT_LEAST)


def test_below_is_told_with_figure_interval_and_gate() -> None:
    """What a person needs to know is in the one sentence."""
    word, sentence = judged(BELOW)
    assert word == "below"
    assert (
        sentence == "auc is 0.7 (0.65 to 0.75), the policy asks for at least 0.8: all of its interval breaks the gate"
    )


@pytest.mark.parametrize(
    ("answered", "labelled", "word", "text"),
    [
        pytest.param(0, 0, "no data", "nothing was logged", id="nothing logged"),
        pytest.param(500, 0, "no labels", "none of the 500 logged predictions has a label yet", id="no label"),
        pytest.param(500, 99, "too few", "99 predictions have a label, 100 are needed", id="too few"),
    ],
)
def test_what_is_not_known_is_never_below(answered: int, labelled: int, word: str, text: str) -> None:
    """Nor does it hold: whoever has no labels is told that."""
    found, sentence = judged(BELOW, answered=answered, labelled=labelled)
    assert found == word
    assert text in sentence


def test_each_kind_of_bad_label_has_one_line() -> None:
    """With its count, its source, and what to do."""
    labels = LabelCounts(
        rows=900,
        unmatched=1200,
        future=2,
        undefined=3,
        ambiguous=4,
        contradicting=5,
        nameless=9,
        early=6,
        repeated=7,
        corrected=8,
    )
    lines = list(performance_verdicts.problems(labels, "outcomes", "request"))
    told = [line.removeprefix("source 'outcomes': ").split()[0] for line in lines]
    assert told == ["1,200", "2", "3", "4", "5", "9", "6"]
    assert list(performance_verdicts.problems(LabelCounts(rows=9, repeated=7, corrected=8), "outcomes", "entity")) == []
