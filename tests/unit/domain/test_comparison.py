"""What follows from the interval of a difference; and which champions a holdout may not be used against."""

import datetime
import math
from typing import Any

import pytest

from argosy.domain import comparison
from argosy.domain.comparison import Paired
from argosy.domain.evidence import ComparisonResult, GateResult
from argosy.domain.model_settings import EntitySplit, TimeSplit
from argosy.domain.policy import ComparisonPolicy, Margin

POLICY = ComparisonPolicy(metric="auc", margin=0.01, minimum_rows=500)


def paired(low: float, high: float, *, rows: int = 1000, p_value: float = 0.5) -> Paired:
    """Figures whose difference lies in the middle."""
    return Paired(0.84, 0.83, (low + high) / 2, low, high, p_value, rows)


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        pytest.param(0.001, 0.02, "better", id="above-zero"),
        pytest.param(0.0, 0.02, "not-inferior", id="from-zero"),
        pytest.param(-0.005, 0.02, "not-inferior", id="above-the-margin"),
        pytest.param(-0.01, -0.001, "not-inferior", id="on-the-margin"),
        pytest.param(-0.0101, 0.02, "inconclusive", id="across-the-margin"),
        pytest.param(-0.03, -0.01, "inconclusive", id="up-to-the-margin"),
        pytest.param(-0.03, -0.0101, "inferior", id="below-the-margin"),
        pytest.param(-math.inf, math.inf, "inconclusive", id="unknown"),
        pytest.param(math.nan, math.nan, "inconclusive", id="nan"),
    ],
)
def test_outcome_by_interval(low: float, high: float, outcome: str) -> None:
    """The whole interval decides; where it lies on both sides of the margin, nothing is decided."""
    assert comparison.decide(POLICY, paired(low, high)).outcome == outcome


@pytest.mark.parametrize(("rows", "outcome"), [(499, "inconclusive"), (500, "better")])
def test_a_minimum_of_rows(rows: int, outcome: str) -> None:
    """Below it the best figures say nothing."""
    result = comparison.decide(POLICY, paired(0.1, 0.2, rows=rows))
    assert result.outcome == outcome
    assert outcome == "better" or result.reason == "499 rows to compare on; the policy wants 500"


def test_the_reason_holds_the_numbers() -> None:
    """A reader can check the outcome against its figures."""
    assert comparison.decide(POLICY, paired(-0.03, -0.02)).reason == (
        "auc is worse than the champion's by more than 0.01: -0.0250 [-0.0300, -0.0200] on 1,000 rows"
    )


def test_a_result_can_be_written_whatever_the_figures() -> None:
    """JSON has no infinity: an interval without end is a very long one."""
    written = comparison.decide(POLICY, Paired(0.8, 0.8, 0.0, -math.inf, math.inf, 1.0, 900))
    assert ComparisonResult.model_validate_json(written.canonical_json()).low == -comparison.UNBOUNDED


@pytest.mark.parametrize(
    ("low", "high", "passed", "measured", "would_pass"),
    [
        pytest.param(0.01, 0.03, True, 0.01, None, id="better"),
        pytest.param(-0.01, 0.03, True, -0.01, None, id="not-inferior"),
        pytest.param(-0.03, 0.01, False, -0.03, "by +0.0100 or more", id="inconclusive"),
        pytest.param(-0.05, -0.03, False, -0.05, "by +0.0000 or more", id="inferior"),
    ],
)  # fmt: skip
def test_the_gate_holds_the_low_end_against_the_margin(
    low: float, high: float, passed: bool, measured: float, would_pass: str | None
) -> None:
    """What is measured and what is asked are the same quantity, so that a reader sees why it failed."""
    gate = comparison.gate(POLICY, comparison.decide(POLICY, paired(low, high)))
    assert (gate.passed, gate.limit) == (passed, ">= -0.01")
    assert gate.measured == measured
    assert gate.would_pass == (would_pass and f"auc different from the champion's {would_pass}, on rows like these")


@pytest.mark.parametrize(
    ("result", "would_pass"),
    [
        pytest.param(
            comparison.impossible(POLICY, "other classes", 900),
            "a champion and a holdout that can be compared; more rows do not help",
            id="impossible",
        ),
        pytest.param(
            comparison.decide(POLICY, paired(0.1, 0.2, rows=499)),
            "500 rows or more that both models can answer and neither was trained on",
            id="too-few-rows",
        ),
    ],
)
def test_what_could_not_be_compared_has_no_measurement(result: ComparisonResult, would_pass: str) -> None:
    """Figures that would pass beside a failure would puzzle; what would pass is a comparison."""
    gate = comparison.gate(POLICY, result)
    assert (gate.passed, gate.measured, result.outcome) == (False, None, "inconclusive")
    assert gate.would_pass == would_pass


def test_scores_beside_are_adjusted_for_being_several() -> None:
    """A p-value of 0.03 among two is one of 0.06."""
    table = comparison.beside({"f1": paired(0.0, 0.02, p_value=0.03), "pr_auc": paired(-0.01, 0.01, p_value=0.9)})
    assert table.rows == [
        ["f1", "0.84", "0.83", "+0.0100 [+0.0000, +0.0200]", "0.06"],
        ["pr_auc", "0.84", "0.83", "+0.0000 [-0.0100, +0.0100]", "0.9"],
    ]


def by_entity(**fields: Any) -> EntitySplit:
    """A fifth of the entities."""
    return EntitySplit.model_validate({"by": "entity", "holdout": 0.2, **fields})


def first_of(month: int) -> datetime.datetime:
    """The beginning of *month*."""
    return datetime.datetime(2013, month, 1, tzinfo=datetime.UTC)


def by_time(month: int, until: int | None = None) -> TimeSplit:
    """Everything from the first of *month*, to that of the month *until*."""
    return TimeSplit(by="time", holdout_from=first_of(month), holdout_until=first_of(until) if until else None)


@pytest.mark.parametrize(
    ("candidate", "champion", "why"),
    [
        pytest.param(by_entity(), by_entity(), None, id="same-entities"),
        pytest.param(by_entity(holdout=0.1), by_entity(), None, id="fewer-entities"),
        pytest.param(by_entity(holdout=0.3), by_entity(), "was smaller", id="more-entities"),
        pytest.param(by_entity(key="new"), by_entity(), "another key", id="another-key"),
        pytest.param(by_time(11), by_time(11), None, id="same-time"),
        pytest.param(by_time(12), by_time(11), None, id="later"),
        pytest.param(by_time(10), by_time(11), "trained on rows up to 2013-11-01", id="earlier"),
        pytest.param(by_time(10, 12), by_time(10), None, id="ends-where-the-champions-did-not"),
        pytest.param(by_time(10, 12), by_time(10, 12), None, id="same-end"),
        pytest.param(by_time(10, 11), by_time(10, 12), None, id="ends-earlier"),
        pytest.param(by_time(10, 12), by_time(10, 11), "trained on rows from 2013-11-01 on", id="ends-later"),
        pytest.param(by_time(10), by_time(10, 11), "trained on rows from 2013-11-01 on", id="ends-no-more"),
        pytest.param(by_time(10), by_entity(), "in another way", id="another-kind"),
        pytest.param(by_entity(), by_time(10), "in another way", id="another-kind-back"),
    ],
)
def test_a_champion_may_not_have_seen_the_holdout(
    candidate: EntitySplit | TimeSplit, champion: EntitySplit | TimeSplit, why: str | None
) -> None:
    """It would look better than it is, and a good candidate worse."""
    found = comparison.overlap(candidate, champion, entities=(["id"], ["id"]))
    assert (found is None) if why is None else (found is not None and why in found)


@pytest.mark.parametrize(
    ("champion", "trained_until", "why"),
    [
        pytest.param(by_entity(), first_of(10), None, id="trained-on-older-rows"),
        pytest.param(by_entity(), first_of(11), None, id="up-to-that-moment"),
        pytest.param(by_entity(), first_of(12), "trained on rows up to 2013-12-01 00:00", id="trained-on-newer-rows"),
        pytest.param(by_entity(), None, "does not say up to when", id="of-an-earlier-release"),
        pytest.param(by_time(9), None, None, id="of-an-earlier-release-by-time"),
        pytest.param(by_time(12), None, "trained on rows up to 2013-12-01 00:00", id="by-time-but-later"),
        pytest.param(by_time(9, 10), None, "does not say up to when", id="by-time-with-an-end"),
    ],
)
def test_a_champion_may_not_have_seen_the_recent_rows(
    champion: EntitySplit | TimeSplit, trained_until: datetime.datetime | None, why: str | None
) -> None:
    """What it was trained on is no test of it; and what cannot be proven counts as seen."""
    found = comparison.recent_overlap(first_of(11), champion, trained_until)
    assert (found is None) if why is None else (found is not None and why in found)


@pytest.mark.parametrize(
    ("low", "high", "rows", "passes", "would_pass"),
    [
        pytest.param(0.001, 0.02, 1000, True, None, id="better"),
        pytest.param(0.0, 0.02, 1000, False, "+0.0100 or more", id="equal-at-worst"),
        pytest.param(-0.005, 0.02, 1000, False, "different from the champion's", id="not-inferior"),
        pytest.param(-0.03, -0.02, 1000, False, "different from the champion's", id="inferior"),
        pytest.param(0.1, 0.2, 499, False, "500 labelled rows or more", id="too-few-rows"),
    ],
)
def test_on_recent_rows_it_must_be_better(
    low: float, high: float, rows: int, passes: bool, would_pass: str | None
) -> None:
    """The whole interval above 0, of enough rows; not being worse is not enough."""
    pair = comparison.Paired(0.8, 0.8, (low + high) / 2, low, high, 0.5, rows)
    gate = comparison.recent_gate(POLICY, comparison.decide(POLICY, pair))
    assert gate.passed is passes
    assert (gate.would_pass is None) if would_pass is None else would_pass in (gate.would_pass or "")


def test_on_recent_rows_that_are_not_there() -> None:
    """There is no figure, and the gate says which rows are wanted."""
    gate = comparison.recent_gate(POLICY, comparison.impossible(POLICY, "none", 0))
    assert (gate.passed, gate.measured) == (False, None)
    assert "labelled rows that are newer" in (gate.would_pass or "")


SEVERAL = POLICY.model_copy(
    update={
        "margins": [
            Margin(metric="calibration.ece", margin=0.01, why="w"),
            Margin(metric="performance.log_loss", margin=0.0, goal="better", why="w"),
        ],
        "improves": True,
    }
)


def measured(difference: float, error: float) -> Paired:
    """Figures with their error, and the interval that follows from it."""
    return Paired(0.8, 0.8, difference, difference - 1.96 * error, difference + 1.96 * error, 0.5, 1000, None, error)


def held(*figures: tuple[float, float]) -> dict[str, GateResult]:
    """The gates by SEVERAL of a difference and its error for each measurement."""
    rules = [SEVERAL, *map(SEVERAL.of, SEVERAL.margins)]
    results = [comparison.decide(rule, measured(*pair)) for rule, pair in zip(rules, figures, strict=True)]
    first, *others = comparison.settle(SEVERAL, results)
    return {gate.gate: gate for gate in comparison.gates(SEVERAL, first, others)}


def test_each_measurement_of_the_policy_is_a_gate_of_its_dimension() -> None:
    """By its own margin; where the policy asks for a better one, equal is not enough."""
    gates = held((0.0, 0.004), (0.0, 0.004), (0.0, 0.004))
    assert {name: (gate.dimension, gate.passed) for name, gate in gates.items()} == {
        "champion": ("performance", True),
        "champion:calibration.ece": ("calibration", True),
        "champion:performance.log_loss": ("performance", False),
        "champion-improves": ("performance", False),
    }
    assert gates["champion:performance.log_loss"].limit == "> 0"
    assert all(map(comparison.is_compared, gates))
    assert all(gate.passed for gate in held((0.0, 0.004), (0.0, 0.004), (0.02, 0.004)).values())


def test_what_is_low_by_chance_among_several_is_not_called_inferior() -> None:
    """One of three that is just below its margin waits for more rows; far below it is inferior."""
    waits, fails = held((0.0, 0.004), (-0.018, 0.004), (0.02, 0.004)), held((0.0, 0.004), (-0.05, 0.004), (0.02, 0.004))
    assert "inferior" not in waits["champion:calibration.ece"].reason
    alone = comparison.decide(SEVERAL.of(SEVERAL.margins[0]), measured(-0.018, 0.004))
    assert (alone.outcome, comparison.settle(SEVERAL, [alone])[0].outcome) == ("inferior", "inferior")
    assert not waits["champion:calibration.ece"].passed
    assert "by chance (p" in waits["champion:calibration.ece"].reason
    assert "by chance" not in fails["champion:calibration.ece"].reason


def test_better_in_one_counts_how_many_were_asked() -> None:
    """A difference of 2.1 errors is beyond chance alone, and not as the best of three."""
    policy = SEVERAL.model_copy(update={"margins": []})
    one = comparison.decide(policy, measured(0.0084, 0.004))
    assert comparison.improves_gate(policy, [one]).passed
    others = [
        one.model_copy(update={"metric": name, "difference": 0.0}) for name in ("performance.f1", "calibration.ece")
    ]
    assert not comparison.improves_gate(policy, [one, *others]).passed


def test_few_entities_say_nothing_however_many_rows() -> None:
    """Ten customers with a hundred orders each are ten."""
    few = Paired(0.84, 0.83, 0.01, 0.005, 0.02, 0.01, 1000, 10, 0.004)
    result = comparison.decide(POLICY, few)
    assert result.outcome == "inconclusive"
    assert result.reason == "10 entities to compare on, of 1,000 rows; the policy wants 30"
    assert comparison.gate(POLICY, result).would_pass == "30 entities or more; there are 10, with 1,000 rows"


def test_how_small_a_difference_was_to_be_seen() -> None:
    """Textbook: 1.96 and 0.84 standard errors together; a margin of a third of that takes nine times the rows."""
    result = comparison.decide(POLICY, measured(0.0, 0.01))
    assert result.smallest_shown == pytest.approx(0.02802, rel=1e-3)
    assert result.rows_for_margin == math.ceil(1000 * (0.0280159 / 0.01) ** 2)
    assert "or 7,849 rows of an equal model, for 80% of them" in (comparison.gate(POLICY, result).would_pass or "")
    assert comparison.told(result) == [
        "A holdout like this shows a difference of 0.02802 in auc; to show an equal model not worse than the margin it takes 7,849 rows."
    ]


def test_one_margin_a_measurement() -> None:
    """Two of one would be one gate twice."""
    twice = [{"metric": "performance.auc", "margin": 0.1, "why": "w"}]
    with pytest.raises(ValueError, match=r"performance\.auc has two margins"):
        ComparisonPolicy.model_validate({"metric": "auc", "margin": 0.01, "margins": twice})


def test_which_gates_hold_a_model_against_another() -> None:
    """An override may answer these without a measurement; those that hold a measurement against a limit need one."""
    names = ["champion", "champion-on-recent-rows", "champion-improves", "champion:calibration.ece"]
    assert all(map(comparison.is_compared, names))
    assert not any(map(comparison.is_compared, ["performance.auc", "championship", "serving parity"]))


@pytest.mark.parametrize("error", [None, math.inf, math.nan], ids=str)
def test_an_error_that_is_no_number_is_none(error: float | None) -> None:
    """JSON has no word for it, and nothing follows from it: no power, no p-value."""
    result = comparison.decide(POLICY, Paired(0.8, 0.8, 0.0, -0.005, 0.005, 0.5, 1000, None, error))
    assert (result.error, result.smallest_shown, result.rows_for_margin) == (None, None, None)


def low_by(error: float | None, metric: str = "calibration.ece") -> ComparisonResult:
    """Inferior by its interval, which a resampling drew; by its error alone that is one time of three."""
    policy = POLICY.model_copy(update={"metric": metric})
    return comparison.decide(policy, Paired(0.8, 0.8, -0.012, -0.02, -0.0101, 0.5, 1000, None, error))


def test_one_comparison_alone_is_not_adjusted() -> None:
    """There is no second one among which it could be low by chance; one that could not be made is none."""
    assert comparison.settle(POLICY, [low_by(0.004)])[0].outcome == "inferior"
    nothing = comparison.impossible(POLICY, "other classes", 900)
    assert [each.outcome for each in comparison.settle(POLICY, [low_by(0.004), nothing])] == [
        "inferior",
        "inconclusive",
    ]
    assert comparison.settle(POLICY, [low_by(0.004), low_by(None, "auc")])[0].outcome == "inferior"


def test_two_comparisons_are_adjusted() -> None:
    """Then one that is low by chance is inconclusive; one of which no error is known stays what its interval says."""
    equal = comparison.decide(POLICY, measured(0.0, 0.004))
    settled = comparison.settle(POLICY, [equal, low_by(0.004), low_by(None, "performance.f1")])
    assert [each.outcome for each in settled] == ["not-inferior", "inconclusive", "inferior"]
    assert [each.outcome for each in comparison.settle(POLICY, [equal, low_by(0.004)])] == [
        "not-inferior",
        "inconclusive",
    ]


def test_an_improvement_has_an_error_to_be_held_against() -> None:
    """A difference of which no error is known, or which could not be measured, is no improvement; nor is nothing at all."""
    without = comparison.decide(POLICY, Paired(0.9, 0.8, 0.1, 0.05, 0.15, 0.01, 1000))
    for asked in ([without], [comparison.impossible(POLICY, "other classes", 900)], []):
        gate = comparison.improves_gate(POLICY, asked)
        assert (gate.passed, gate.measured) == (False, None)
    assert comparison.improves_gate(POLICY, [without, comparison.decide(POLICY, measured(0.1, 0.01))]).passed


@pytest.mark.parametrize(
    ("difference", "passes"),
    [
        pytest.param(0.0, False, id="the-same-answers"),
        pytest.param(-0.001, False, id="worse-in-each-draw"),
        pytest.param(0.001, True, id="better-in-each-draw"),
    ],
)
def test_what_does_not_vary_is_certain(difference: float, passes: bool) -> None:
    """A candidate that answers as the champion does is no improvement, though its difference has no error."""
    result = comparison.decide(POLICY, measured(difference, 0.0))
    gate = comparison.improves_gate(POLICY, [result])
    assert (gate.passed, gate.measured) == (passes, 0.0 if passes else 1.0)
    worse = comparison.decide(POLICY, measured(-0.02, 0.0))
    assert [each.outcome for each in comparison.settle(POLICY, [result, worse])][1] == "inferior"


def test_the_gate_on_an_improvement_says_where() -> None:
    """And where there is none, among which, and what would be one."""
    better = comparison.decide(POLICY, measured(0.02, 0.004))
    found = comparison.improves_gate(POLICY, [better])
    assert (found.reason, found.would_pass, found.limit) == (
        "better in auc, counting that 1 were asked",
        None,
        "<= 0.025",
    )
    none = comparison.improves_gate(POLICY, [comparison.decide(POLICY, measured(0.0, 0.004))])
    assert none.reason == "better in none of auc, counting that 1 were asked"
    assert "better beyond chance" in (none.would_pass or "")


def test_what_cannot_be_compared_has_no_figures() -> None:
    """Nothing that could be read as equal to the champion by chance: zeros, and a p-value of 1."""
    found = comparison.impossible(POLICY, "other classes", 900)
    figures = (found.candidate, found.champion, found.difference, found.low, found.high, found.p_value)
    assert (figures, found.rows, found.compared) == ((0, 0, 0, 0, 0, 1), 900, False)


def test_where_it_must_be_better_a_margin_excuses_nothing() -> None:
    """Equal within the margin is not what was asked for: the low end must lie above 0, and nothing else would pass."""
    policy = POLICY.model_copy(update={"goal": "better", "margin": 0.05})
    equal = comparison.decide(policy, paired(-0.01, 0.02))
    gate = comparison.gate(policy, equal)
    assert (equal.outcome, gate.passed, gate.measured, gate.limit) == ("not-inferior", False, -0.01, "> 0")
    assert gate.would_pass == "auc different from the champion's by +0.0150 or more, on rows like these"
    better = comparison.gate(policy, comparison.decide(policy, paired(0.001, 0.02)))
    assert (better.passed, better.measured, better.would_pass) == (True, 0.001, None)


def test_an_improvement_may_be_in_the_first_score() -> None:
    """All that gate are asked, the score that the policy names first as well."""
    gates = held((0.02, 0.004), (0.0, 0.004), (0.0, 0.004))
    assert gates["champion-improves"].passed
    assert "better in auc" in gates["champion-improves"].reason


def test_a_champion_that_says_up_to_when_is_believed() -> None:
    """Its bundle's word counts, and not the moment at which its holdout began."""
    assert comparison.recent_overlap(first_of(11), by_time(9), first_of(12)) is not None
    assert comparison.recent_overlap(first_of(11), by_time(12), first_of(10)) is None


def test_figures_of_recent_rows_are_measured() -> None:
    """The low end of the interval is what is held against 0."""
    gate = comparison.recent_gate(POLICY, comparison.decide(POLICY, paired(-0.005, 0.02)))
    assert (gate.measured, gate.limit) == (-0.005, "> 0")


@pytest.mark.parametrize(
    ("ours", "theirs", "seen"),
    [
        pytest.param(["account"], ["customer"], True, id="another-entity"),
        pytest.param(["customer", "day"], ["customer"], True, id="one-more-column"),
        pytest.param(["day", "customer"], ["customer", "day"], True, id="another-order"),
        pytest.param(["customer", "day"], ["customer", "day"], False, id="the-same"),
    ],
)
def test_a_holdout_is_of_entities(ours: list[str], theirs: list[str], seen: bool) -> None:
    """Drawn by another column, the same share by the same key is another side of each row; by time it is not drawn at all."""
    found = comparison.overlap(by_entity(), by_entity(), entities=(ours, theirs))
    assert (found is not None) is seen
    assert not seen or f"was drawn by {' and '.join(theirs)}, this one by {' and '.join(ours)}" in (found or "")
    assert comparison.overlap(by_time(11), by_time(11), entities=(ours, theirs)) is None
