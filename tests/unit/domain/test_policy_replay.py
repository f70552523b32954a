"""Evidence of before under gates of now: what flips, what stays, and what no evidence can tell."""

import datetime
from typing import Any

import pytest

from argosy.domain import comparison, gates, policy_replay, verdicts
from argosy.domain.comparison import Paired
from argosy.domain.evidence import ChampionRef, Evidence
from argosy.domain.measuring import Measuring
from argosy.domain.overrides import Override
from argosy.domain.policy import ComparisonPolicy, Margin, Policy
from argosy.domain.policy_replay import ACCEPTED, FAILS, HOLDS, NO_GATE, OVERRIDDEN, PolicyReplay
from argosy.domain.provenance import Provenance
from argosy.domain.retraining_cause import Cause
from kit import toy

DAY = datetime.date(2026, 6, 1)
METRICS = {"performance.auc": 0.83, "fairness.age.ratio": 0.7}
CHAMPION = ChampionRef(
    model="toy", policy_digest="sha256:p", model_digest="sha256:champion", version=3, storage_uri="file:///x"
)
WAIVED = [
    {"dimension": name, "owner": "ann", "reason": "a toy"}
    for name in ("fairness", "robustness", "calibration", "explainability", "latency")
]


def policy(auc: float = 0.8, **changes: Any) -> Policy:
    """Gates on one score."""
    values = {
        "model": "toy",
        "owners": ["ann"],
        "limits": [{"metric": "performance.auc", "at_least": auc, "why": "enough"}],
        "waivers": WAIVED,
        "comparison": {"metric": "auc", "margin": 0.01},
    }
    return Policy.model_validate(values | changes)


def rules(**changes: Any) -> ComparisonPolicy:
    """A comparison's rules."""
    return policy().comparison.model_copy(update=changes)


def judged(by: Policy, low: float | None = None, rows: int = 1000, **changes: Any) -> Evidence:
    """Evidence as evaluate writes it under *by*; *low*: the low end of the interval against a champion."""
    results = [*gates.judge(by, METRICS, DAY), gates.parity(None)]
    against = None
    if low is not None:
        against = comparison.decide(by.comparison, Paired(0.83, 0.82, low + 0.01, low, low + 0.02, 0.5, rows))
        results.append(comparison.gate(by.comparison, against))
    champion = CHAMPION if against else ChampionRef(model="toy", policy_digest="sha256:p")
    verdict, why = verdicts.decide(model_digest="sha256:new", champion=champion, gates=results, comparison=against)
    values = {
        "model": "toy",
        "task": "binary",
        "model_digest": "sha256:new",
        "snapshot_digest": "sha256:s",
        "policy_digest": "sha256:p",
        "champion": champion,
        "provenance": toy.CLEAN,
        "rows_train": 1,
        "rows_holdout": rows,
        "metrics": METRICS,
        "gates": results,
        "comparison": against,
        "verdict": verdict,
        "explanation": why,
    }
    return Evidence(**(values | changes))


def asked(evidence: Evidence, now: Policy, then: Policy | None = None) -> PolicyReplay:
    """The evidence under the policy of now."""
    return policy_replay.replay(evidence, now, then or policy(), DAY)


@pytest.mark.parametrize("low", [None, 0.005, -0.02])
def test_the_policy_of_then_says_what_it_said(low: float | None) -> None:
    """Word, reasons and gates, whatever they were."""
    evidence = judged(policy(), low)
    found = asked(evidence, policy())
    assert (found.would_be, found.why, found.changes, found.flips) == (
        evidence.verdict,
        evidence.explanation,
        [],
        False,
    )


def test_a_stricter_limit() -> None:
    """The model would not have been promoted, by that gate, with its number."""
    found = asked(judged(policy()), policy(0.9))
    assert (found.was, found.would_be, found.flips) == ("promote", "reject", True)
    assert [(one.gate, one.was, one.would_be, one.why) for one in found.changes] == [
        ("performance.auc", HOLDS, FAILS, "performance.auc is 0.83 and must be >= 0.9")
    ]


def test_a_laxer_limit() -> None:
    """What was refused would have been let in."""
    found = asked(judged(policy(0.9)), policy())
    assert (found.was, found.would_be, found.flips) == ("reject", "promote", True)
    (gate,) = (one for one in gates.judge(policy(), METRICS, DAY) if one.passed)
    assert [one.why for one in found.changes] == [gate.reason]


def test_a_gate_that_comes_and_one_that_goes() -> None:
    """What was measured then is held against the new limit; nothing measured under its name never passes."""
    limits = [{"metric": "performance.f1", "at_least": 0.5, "why": "enough"}]
    found = asked(judged(policy()), policy(limits=limits))
    assert [(one.gate, one.was, one.would_be) for one in found.changes] == [
        ("performance.auc", HOLDS, NO_GATE),
        ("performance.f1", NO_GATE, FAILS),
    ]
    assert found.would_be == "reject"


def test_a_deviation_runs_out() -> None:
    """By the day that is asked about."""
    deviation = {
        "metric": "fairness.age.ratio",
        "at_least": 0.8,
        "owner": "ann",
        "reason": "small groups",
        "expires": "2026-06-01",
    }
    accepting = policy(deviations=[deviation])
    assert asked(judged(policy()), accepting).changes[0].would_be == ACCEPTED
    late = policy_replay.replay(judged(accepting), accepting, accepting, DAY + datetime.timedelta(days=1))
    assert (late.changes[0].was, late.changes[0].would_be, late.would_be) == (ACCEPTED, FAILS, "reject")


def test_what_no_policy_sets_stays_found() -> None:
    """A server that answers otherwise than training is no matter of limits."""
    evidence = judged(policy())
    other = gates.parity("row 3 differs")
    broken = evidence.model_copy(
        update={"gates": [*[one for one in evidence.gates if one.gate != gates.PARITY], other], "verdict": "reject"}
    )
    assert asked(broken, policy(0.1)).would_be == "reject"


@pytest.mark.parametrize(
    ("low", "rows", "changes", "word"),
    [
        pytest.param(-0.005, 1000, {}, "promote", id="as it was"),
        pytest.param(-0.005, 1000, {"margin": 0.001}, "inconclusive", id="a smaller margin"),
        pytest.param(-0.02, 1000, {"margin": 0.05}, "promote", id="a wider margin"),
        pytest.param(0.005, 1000, {"minimum_rows": 2000}, "inconclusive", id="more rows than there were"),
    ],
)
def test_the_comparison(low: float, rows: int, changes: dict[str, Any], word: str) -> None:
    """Margin and least number of rows are held against the interval that was drawn."""
    assert asked(judged(policy(), low, rows), policy(comparison=rules(**changes))).would_be == word


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"metric": "f1"},
            "the models were compared by auc, and the policy asks for f1: only another evaluation tells",
        ),
        (
            {"confidence": 0.99},
            "the interval was drawn at 0.95, and the policy asks for 0.99: only another evaluation tells",
        ),
    ],
)
def test_what_the_evidence_cannot_tell(changes: dict[str, Any], why: str) -> None:
    """It is said and not guessed; but a gate that fails decides all the same."""
    evidence = judged(policy(), 0.005)
    found = asked(evidence, policy(comparison=rules(**changes)))
    assert (found.would_be, found.why, found.flips) == (None, why, False)
    assert asked(evidence, policy(0.9, comparison=rules(**changes))).would_be == "reject"


def test_a_policy_of_then_that_is_lost() -> None:
    """Nobody knows at which confidence its interval was drawn; without a comparison that does not matter."""
    assert policy_replay.replay(judged(policy(), 0.005), policy(), None, DAY).would_be is None
    assert policy_replay.replay(judged(policy()), policy(), None, DAY).would_be == "promote"


def test_rows_that_a_retraining_must_be_better_on() -> None:
    """Where the cause asked for it, the recent rows gate again, by the policy of now."""
    result = comparison.decide(policy().comparison, Paired(0.8, 0.7, 0.1, 0.05, 0.15, 0.01, 600))
    cause = Cause(kind="drift", explanation="moved")
    evidence = judged(policy(), 0.005, cause=cause, recent=result)
    with_gate = evidence.model_copy(
        update={"gates": [*evidence.gates, comparison.recent_gate(policy().comparison, result)]}
    )
    assert asked(with_gate, policy()).would_be == "promote"
    stricter = asked(with_gate, policy(comparison=rules(minimum_rows=700)))
    assert (stricter.would_be, [one.gate for one in stricter.changes]) == ("inconclusive", [comparison.RECENT_GATE])


def test_provenance_that_was_waived() -> None:
    """Production would ask for it now; or would no more."""
    doubtful = judged(policy(), provenance=Provenance(), provenance_waiver="a trial (ann)")
    found = asked(doubtful, policy())
    assert (found.would_be, found.changes[-1].gate) == ("reject", policy_replay.PROVENANCE)
    waived = policy(provenance={"required": False, "owner": "ann", "reason": "a trial"})
    assert asked(judged(policy(), provenance=Provenance()), waived).changes[-1].would_be == ACCEPTED
    assert asked(doubtful, waived).changes == []


def test_the_champion_itself() -> None:
    """A run that made the model of production again was no question of gates."""
    evidence = judged(policy(), verdict="champion")
    assert asked(evidence, policy(0.9)).would_be == "champion"


def test_a_margin_that_no_evidence_measured() -> None:
    """What was not compared then cannot be known now; where it was, its own margin is asked."""
    margins = [Margin(metric="calibration.ece", margin=0.02, why="w")]
    now = policy().model_copy(update={"comparison": rules(margins=margins)})
    old = judged(policy(), low=0.0)
    found = policy_replay.replay(old, now, policy(), DAY)
    assert found.would_be is None
    assert "not compared by calibration.ece" in found.why
    pair = Paired(0.02, 0.03, -0.015, -0.03, 0.0, 0.2, 1000, None, 0.0075)
    known = old.model_copy(update={"margins": [comparison.decide(rules().of(margins[0]), pair)]})
    assert policy_replay.replay(known, now, policy(), DAY).would_be == "inconclusive"
    wider = rules(margins=[margins[0].model_copy(update={"margin": 0.04})])
    assert (
        policy_replay.replay(known, policy().model_copy(update={"comparison": wider}), policy(), DAY).would_be
        == "promote"
    )


def test_overrides_of_then() -> None:
    """Main let the candidate past; it still would, and whose word it is stands there. One of another gate lets nothing past."""
    word = Override(gate="performance.auc", reason="known", by="ada", expires=DAY)
    champion = ChampionRef(model="toy", policy_digest="sha256:p", overrides=[word])
    found = asked(judged(policy(), champion=champion), policy(0.9))
    assert (found.would_be, found.flips) == ("promote", False)
    assert [(one.would_be, one.why) for one in found.changes] == [(OVERRIDDEN, word.said())]


def test_two_bounds_of_one_measurement() -> None:
    """Are two gates, each with its own word; a gate that goes is said to."""
    low = {"metric": "performance.auc", "at_least": 0.8, "why": "enough"}
    high = {"metric": "performance.auc", "at_most": 0.9, "why": "too good to be true"}
    both = policy(limits=[low, high])
    found = asked(judged(both), policy(limits=[low, {**high, "at_most": 0.82}]))
    assert [(one.was, one.would_be) for one in found.changes] == [(HOLDS, FAILS)]
    assert "<= 0.82" in found.changes[0].why
    (gone,) = asked(judged(both), policy()).changes
    assert (gone.would_be, gone.why) == (NO_GATE, "the policy has no such gate")


def test_what_would_be_measured_otherwise() -> None:
    """Only what hangs on the size is left open, of limits as of deviations; what is measured without it decides all the same."""
    auc = {"metric": "performance.auc", "at_least": 0.8, "why": "enough"}
    limits = [auc, {"metric": "robustness.noise_drop", "at_most": 0.1, "why": "w"}]
    other: dict[str, Any] = {"measuring": {"noise": 0.2}}
    then = judged(policy(limits=limits)).model_copy(update={"verdict": "promote"})
    found = asked(then, policy(limits=limits, **other))
    assert (found.would_be, found.changes) == (None, [])
    assert (
        found.why
        == "measuring.noise was 0.1, and the policy asks for 0.2: only another evaluation tells robustness.noise_drop"
    )
    deviation = {
        "metric": "robustness.noise_drop",
        "at_most": 0.1,
        "owner": "ann",
        "reason": "r",
        "expires": "2026-06-01",
    }
    assert asked(judged(policy()), policy(deviations=[deviation], **other)).would_be is None
    measured = judged(policy(limits=limits), measuring=Measuring(noise=0.2))
    assert asked(measured, policy(limits=limits, **other)).would_be == "reject"
    assert asked(judged(policy()), policy(**other)).would_be == "promote"


def test_rows_by_other_entities() -> None:
    """The interval was drawn of other units; gates of the comparison stay as they were found, and nothing of them has changed."""
    found = asked(judged(policy(), 0.005), policy(comparison=rules(entity=["customer"])))
    assert (found.would_be, found.changes) == (None, [])
    assert (
        found.why == "the interval was drawn by other entities than the policy asks for: only another evaluation tells"
    )


def test_recent_rows_that_nobody_asked_to_be_better_on() -> None:
    """They are shown and gate nothing."""
    worse = comparison.decide(policy().comparison, Paired(0.7, 0.8, -0.1, -0.15, -0.05, 0.01, 600))
    assert asked(judged(policy(), 0.005, recent=worse), policy()).would_be == "promote"


def test_provenance_that_was_in_doubt_all_along() -> None:
    """Production refused it then as now: no change."""
    doubtful = judged(policy(), provenance=Provenance())
    assert asked(doubtful, policy()).changes == []
