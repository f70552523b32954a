"""A gate passes on its limit and never on something that is no number; what fails says what was measured and what would pass."""

import datetime
import math
from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from argosy.domain import gates
from argosy.domain.evidence import GateResult
from argosy.domain.overrides import Override
from argosy.domain.policy import (
    DIMENSIONS,
    ComparisonPolicy,
    Deviation,
    Limit,
    Margin,
    Policy,
    ProvenancePolicy,
    Waiver,
)

TODAY = datetime.date(2026, 11, 21)
AUC = Limit(metric="performance.auc", at_least=0.8, why="A list must be worth calling.")
LATENCY = Limit(metric="latency.p95_ms", at_most=100, why="A page waits.")


def policy(limits: Sequence[Limit] = (), deviations: Sequence[Deviation] = ()) -> Policy:
    """A policy of *limits* and *deviations*, every other dimension waived."""
    waived = set(DIMENSIONS) - {limit.dimension for limit in limits}
    return Policy(
        model="toy",
        owners=["tests"],
        limits=list(limits),
        deviations=list(deviations),
        waivers=[Waiver(dimension=dimension, owner="tests", reason="a test") for dimension in sorted(waived)],
        comparison=ComparisonPolicy(metric="auc", margin=0.01),
    )


def deviation(**more: object) -> Deviation:
    """A parity ratio accepted until the end of the year."""
    fields = {
        "metric": "fairness.age.demographic_parity_ratio",
        "at_least": 0.8,
        "owner": "ethics",
        "reason": "rates differ in the world",
        "expires": datetime.date(2026, 12, 31),
    }
    return Deviation.model_validate(fields | more)


def judged(limit: Limit, measured: float | None) -> GateResult:
    """The one result of *limit*."""
    (result,) = gates.judge(policy([limit]), {limit.metric: measured}, TODAY)
    return result


@pytest.mark.parametrize(
    ("measured", "passed"),
    [
        pytest.param(0.81, True, id="above"),
        pytest.param(0.8, True, id="on-the-limit"),
        pytest.param(math.nextafter(0.8, 0), False, id="a-bit-below"),
        pytest.param(0.0, False, id="zero"),
        pytest.param(math.nan, False, id="nan"),
        pytest.param(math.inf, False, id="infinite"),
        pytest.param(None, False, id="undefined"),
    ],
)
def test_at_least(measured: float | None, passed: bool) -> None:
    """A lower bound holds on it and above it, for real numbers only."""
    assert judged(AUC, measured).passed is passed


@pytest.mark.parametrize(
    ("measured", "passed"),
    [
        pytest.param(2.0, True, id="below"),
        pytest.param(100.0, True, id="on-the-limit"),
        pytest.param(math.nextafter(100, 200), False, id="a-bit-above"),
        pytest.param(math.nan, False, id="nan"),
        pytest.param(-math.inf, False, id="infinitely-small"),
        pytest.param(None, False, id="undefined"),
    ],
)
def test_at_most(measured: float | None, passed: bool) -> None:
    """An upper bound holds on it and below it, for real numbers only."""
    assert judged(LATENCY, measured).passed is passed


def test_zero_is_a_bound_like_any_other() -> None:
    """A limit of 0 is not the absence of a limit."""
    none = Limit(metric="robustness.undefined", at_most=0, why="Numbers only.")
    assert judged(none, 0.0).passed
    assert not judged(none, 1.0).passed


def test_a_failed_gate_says_measured_limit_and_what_would_pass() -> None:
    """Whoever is told no is told by how much, why it matters, and what a yes takes."""
    result = judged(AUC, 0.71)
    assert (result.measured, result.limit, result.would_pass) == (0.71, ">= 0.8", "performance.auc of 0.8 or more")
    assert (result.reason, result.dimension, result.deviation) == (AUC.why, "performance", False)
    assert judged(LATENCY, 250.0).would_pass == "latency.p95_ms of 100 or less"


def test_a_limit_is_told_in_full() -> None:
    """Rounding a limit would make a failure by a hair look like a mistake."""
    assert judged(Limit(metric="performance.auc", at_least=0.8123456, why="w"), 0.8).limit == ">= 0.8123456"


def test_a_gate_that_holds_needs_nothing() -> None:
    """What would pass is only said of what did not."""
    assert judged(AUC, 0.9).would_pass is None


@pytest.mark.parametrize("measured", [pytest.param(None, id="none"), pytest.param(math.nan, id="nan")])
def test_undefined_is_reported_as_such(measured: float | None) -> None:
    """NaN has no place in JSON, and a reader must see that there was no number rather than a bad one."""
    result = judged(AUC, measured)
    assert result.measured is None
    assert "undefined" in result.reason
    assert result.would_pass == "performance.auc of 0.8 or more"


def test_a_name_nobody_measured_fails_and_suggests() -> None:
    """A typo in a policy must not switch a gate off."""
    (result,) = gates.judge(policy([AUC]), {"performance.auc_": 0.9, "latency.p95_ms": 1.0}, TODAY)
    assert (result.passed, result.measured) == (False, None)
    assert result.reason == "nothing was measured under this name; did the policy mean 'performance.auc_'?"


def test_a_name_like_no_other_gets_no_suggestion() -> None:
    """A wrong suggestion is worse than none."""
    (result,) = gates.judge(policy([AUC]), {"x": 1.0}, TODAY)
    assert result.reason == "nothing was measured under this name"


@pytest.mark.parametrize(
    ("expires", "accepted"),
    [
        pytest.param(datetime.date(2026, 11, 22), True, id="tomorrow"),
        pytest.param(TODAY, True, id="today"),
        pytest.param(datetime.date(2026, 11, 20), False, id="yesterday"),
    ],
)
def test_a_deviation_gates_from_the_day_after_it_expires(expires: datetime.date, accepted: bool) -> None:
    """Accepted means shown and not gating; nobody has to remember the date."""
    name = "fairness.age.demographic_parity_ratio"
    (result,) = gates.judge(policy(deviations=[deviation(expires=expires)]), {name: 0.5}, TODAY)
    assert (result.passed, result.deviation, result.measured) == (False, accepted, 0.5)
    assert result.dimension == "fairness"
    assert result.reason == (
        f"accepted until {expires} by ethics: rates differ in the world"
        if accepted
        else f"the accepted deviation ran out on {expires}; ethics decides whether it is renewed"
    )


def test_a_deviation_that_is_not_needed_is_a_gate_that_holds() -> None:
    """Good news does not read as an excuse, and passes after the expiry too."""
    late = deviation(expires=datetime.date(2020, 1, 1))
    (result,) = gates.judge(policy(deviations=[late]), {late.metric: 0.9}, TODAY)
    assert (result.passed, result.deviation) == (True, False)
    assert "not needed" in result.reason


@pytest.mark.parametrize(
    "metrics", [pytest.param({}, id="unmeasured"), pytest.param({deviation().metric: None}, id="undefined")]
)
def test_a_deviation_without_a_number_gates(metrics: dict[str, float | None]) -> None:
    """What was accepted is a known value; a measurement that went missing was never accepted."""
    (result,) = gates.judge(policy(deviations=[deviation()]), metrics, TODAY)
    assert (result.passed, result.deviation) == (False, False)


def test_every_limit_and_deviation_is_judged() -> None:
    """In the order of the policy, limits first."""
    results = gates.judge(policy([AUC, LATENCY], [deviation()]), {}, TODAY)
    assert [result.gate for result in results] == [AUC.metric, LATENCY.metric, deviation().metric]


def test_parity_cannot_be_left_out() -> None:
    """Equal answers pass; a difference is the reason of the failure."""
    held = gates.parity(None)
    assert (held.passed, held.measured, held.limit, held.would_pass) == (True, 0.0, "<= 0", None)
    failed = gates.parity("golden row 3: expected [0.1], got [0.2]")
    assert (failed.passed, failed.measured, failed.dimension) == (False, 1.0, "latency")
    assert failed.reason == "golden row 3: expected [0.1], got [0.2]"
    assert failed.would_pass == "answers equal to the last bit"


@pytest.mark.parametrize(
    "bounds",
    [
        pytest.param({}, id="none"),
        pytest.param({"at_least": 0.1, "at_most": 0.2}, id="both"),
        pytest.param({"at_least": math.nan}, id="nan"),
        pytest.param({"at_most": math.inf}, id="infinite"),
    ],
)
def test_a_bound_is_one_real_number(bounds: dict[str, float]) -> None:
    """A limit that everything keeps, or nothing, is a mistake; so is a deviation without one."""
    with pytest.raises(ValidationError, match=r"at_least|finite"):
        Limit.model_validate({"metric": "performance.auc", "why": "w", **bounds})
    with pytest.raises(ValidationError, match=r"at_least|finite"):
        deviation(**{"at_least": None, **bounds})


def test_a_deviation_of_an_unknown_dimension_is_refused() -> None:
    """It would be shown under no heading."""
    with pytest.raises(ValidationError, match="unknown dimension 'fairnes'"):
        policy([AUC], [deviation(metric="fairnes.age.demographic_parity_ratio")])


def test_every_dimension_has_a_limit_or_a_waiver() -> None:
    """A deviation alone does not cover a dimension: nothing would gate."""
    with pytest.raises(ValidationError, match="no limit and no waiver for fairness, robustness"):
        Policy(
            model="toy", owners=["tests"], limits=[AUC], deviations=[deviation()], comparison=ComparisonPolicy(metric="auc", margin=0.01)
        )  # fmt: skip


def test_an_override_is_for_what_failed_alone() -> None:
    """A gate that holds, or whose failure was accepted as a deviation, needs nobody's word: nobody is named for it."""
    held, failed = judged(AUC, 0.9), judged(AUC, 0.7)
    accepted = failed.model_copy(update={"deviation": True})
    word = Override(gate=AUC.metric, reason="the season", by="ada", expires=TODAY)
    found = gates.past([held, accepted, failed], [word], "sha256:x", TODAY)
    assert [one.override for one in found] == [None, None, word]
    assert [one.model_copy(update={"override": None}) for one in found] == [held, accepted, failed]


def test_the_word_is_of_that_very_gate() -> None:
    """Of several overrides the one that names the gate lets past; where none does, nothing."""
    failed = judged(AUC, 0.7)
    words = [
        Override(gate=gate, reason="the season", by="ada", expires=TODAY) for gate in ("latency.p95_ms", AUC.metric)
    ]
    assert gates.past([failed], words, "sha256:x", TODAY)[0].override == words[1]
    assert gates.past([failed], words[:1], "sha256:x", TODAY) == [failed]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        pytest.param({"required": False}, "needs an `owner` and a `reason`", id="nobody"),
        pytest.param({"required": False, "owner": "ops"}, "needs an `owner` and a `reason`", id="no-reason"),
        pytest.param({"required": False, "reason": "a try"}, "needs an `owner` and a `reason`", id="no-owner"),
        pytest.param(
            {"required": False, "owner": "ops", "reason": "a try", "staging": True}, "leave one of them out", id="both"
        ),
    ],
)
def test_a_waived_provenance_is_answered_for(given: dict[str, object], why: str) -> None:
    """Somebody, and why; and what is waived for production is not asked of staging. Without a word it is asked, and waived by nobody."""
    with pytest.raises(ValidationError, match=why):
        ProvenancePolicy.model_validate(given)
    assert ProvenancePolicy(required=False, owner="ops", reason="a try").waiver == "a try (ops)"
    assert (ProvenancePolicy().required, ProvenancePolicy().waiver) == (True, None)
    assert ProvenancePolicy(staging=True).waiver is None


def test_a_measurement_has_one_margin() -> None:
    """Among the margins as beside the score that is named first; different ones may be several."""
    ece, brier = (Margin(metric=name, margin=0.01, why="w") for name in ("calibration.ece", "calibration.brier"))
    assert len(ComparisonPolicy(metric="auc", margin=0.01, margins=[ece, brier]).margins) == 2
    with pytest.raises(ValidationError, match=r"calibration\.ece has two margins"):
        ComparisonPolicy(metric="auc", margin=0.01, margins=[ece, brier, ece])


def test_a_margin_is_held_by_its_own_rules() -> None:
    """What is asked beside the first score alone, further margins and an improvement, is not asked once more of each."""
    brier = Margin(metric="calibration.brier", margin=0.02, goal="better", why="w")
    rules = ComparisonPolicy(metric="auc", margin=0.01, margins=[brier], beside=["f1"], improves=True, power=0.9)
    its = rules.of(brier)
    assert (its.metric, its.margin, its.goal) == ("calibration.brier", 0.02, "better")
    assert (its.margins, its.beside, its.improves, its.power) == ([], [], False, 0.9)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("margin", -0.001),
        ("margin", math.inf),
        ("margin", math.nan),
        ("confidence", 0.5),
        ("confidence", 1.0),
        ("power", 0.49),
        ("power", 1.0),
        ("resamples", 99),
        ("minimum_rows", 0),
        ("minimum_entities", 1),
        ("goal", "superior"),
    ],
)
def test_rules_by_which_anything_would_pass_are_refused(field: str, value: object) -> None:
    """An endless margin, an interval of no confidence, a sample of nothing: the field is named, where it is written down."""
    given = {"metric": "auc", "margin": 0.01, field: value}
    with pytest.raises(ValidationError, match=field):
        ComparisonPolicy.model_validate(given)
    if field in {"margin", "goal"}:
        with pytest.raises(ValidationError, match=field):
            Margin.model_validate({**given, "metric": "calibration.ece", "why": "w"})


def test_a_policy_has_owners() -> None:
    """Somebody answers for its gates."""
    with pytest.raises(ValidationError, match="owners"):
        Policy.model_validate(policy([AUC]).model_dump() | {"owners": []})
