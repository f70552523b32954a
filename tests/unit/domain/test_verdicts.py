"""One word and one paragraph: all gates hold and the champion is not better, or the reason why not."""

import datetime

import pytest

from argosy.domain import column_health, comparison, evidence, verdicts
from argosy.domain.comparison import Paired
from argosy.domain.evidence import ChampionRef, ComparisonResult, GateResult
from argosy.domain.overrides import Override
from argosy.domain.policy import ComparisonPolicy

POLICY = ComparisonPolicy(metric="auc", margin=0.01)
NOBODY = ChampionRef(model="toy", policy_digest="sha256:p")
SOMEBODY = ChampionRef(
    model="toy", policy_digest="sha256:p", model_digest="sha256:champion", version=3, storage_uri="file:///x"
)


def gate(
    name: str = "performance.auc", *, passed: bool = True, deviation: bool = False, measured: float | None = 0.7
) -> GateResult:
    """A gate that holds, or one that does not."""
    return GateResult(
        gate=name, dimension="performance", passed=passed, measured=measured, limit=">= 0.8", reason="why", deviation=deviation
    )  # fmt: skip


def against(low: float, high: float) -> ComparisonResult:
    """The outcome of an interval."""
    return comparison.decide(POLICY, Paired(0.8, 0.8, (low + high) / 2, low, high, 0.5, 1000))


def decide(*gates: GateResult, with_champion: ComparisonResult | None = None) -> tuple[str, str]:
    """The verdict on a new model; the comparison is a gate among the others, as evaluate hands it over."""
    compared = [comparison.gate(POLICY, with_champion)] if with_champion else []
    champion = SOMEBODY if with_champion else NOBODY
    return verdicts.decide(
        model_digest="sha256:new", champion=champion, gates=[*gates, *compared], comparison=with_champion
    )


def test_the_first_model_needs_its_gates_only() -> None:
    """Before the first release there is nothing to compare with."""
    assert decide(gate(), gate()) == ("promote", "Every gate holds. There is no model in production to compare with.")


def test_a_failed_gate_rejects_with_its_numbers() -> None:
    """The paragraph that people read first says by how much."""
    assert decide(gate("a.b"), gate("c.d", passed=False)) == (
        "reject",
        "1 of 2 gates failed: c.d is 0.7 and must be >= 0.8.",
    )


def test_an_undefined_gate_rejects_as_undefined() -> None:
    """No number is no 0."""
    assert (
        decide(gate("c.d", passed=False, measured=None))[1]
        == "1 of 1 gates failed: c.d is undefined and must be >= 0.8."
    )


def test_an_accepted_deviation_does_not_reject() -> None:
    """It is said, though: not all gates hold."""
    word, why = decide(gate(), gate("fairness.age.ratio", passed=False, deviation=True))
    assert (word, why.partition(".")[0]) == ("promote", "Every gate that counts holds")


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        pytest.param(0.001, 0.02, "promote", id="better"),
        pytest.param(-0.005, 0.02, "promote", id="not-inferior"),
        pytest.param(-0.02, 0.02, "inconclusive", id="inconclusive"),
        pytest.param(-0.03, -0.02, "reject", id="inferior"),
    ],
)
def test_against_the_champion(low: float, high: float, word: str) -> None:
    """Not being worse is enough; not knowing is no reason to reject, nor to promote."""
    found, why = decide(gate(), with_champion=against(low, high))
    assert found == word
    assert "champion" in why


def test_a_failed_gate_rejects_however_the_comparison_ends() -> None:
    """Better than the champion is not good enough, and not knowing does not hide a failure."""
    poor = gate("c.d", passed=False)
    assert decide(poor, with_champion=against(0.01, 0.02)) == (
        "reject",
        "1 of 2 gates failed: c.d is 0.7 and must be >= 0.8.",
    )
    assert decide(poor, with_champion=against(-0.02, 0.02)) == (
        "reject",
        "2 of 2 gates failed: c.d is 0.7 and must be >= 0.8; champion is -0.02 and must be >= -0.01.",
    )


def test_an_accepted_deviation_is_not_counted() -> None:
    """The verdict's figure is the one that every view of the evidence shows: gates that can hold a model back."""
    gates = [gate("a.b"), gate("c.d", passed=False), gate("fairness.age.ratio", passed=False, deviation=True)]
    assert decide(*gates)[1].startswith("1 of 2 gates failed: c.d")
    assert evidence.tally(gates) == "1 of 2 gates failed"


def test_the_champion_again_is_no_news() -> None:
    """The same digest is the same model, whatever today's gates say of it."""
    word, why = verdicts.decide(
        model_digest="sha256:champion", champion=SOMEBODY, gates=[gate(passed=False)], comparison=None
    )
    assert word == "champion"
    assert why.startswith("This model is in production already")


@pytest.mark.parametrize(
    ("frozen", "low", "high", "word"),
    [
        pytest.param((-0.005, 0.02), 0.001, 0.02, "promote", id="better-on-recent-rows"),
        pytest.param((-0.005, 0.02), -0.005, 0.02, "reject", id="not-inferior-is-not-enough"),
        pytest.param((-0.005, 0.02), -0.02, 0.02, "inconclusive", id="cannot-tell-on-recent-rows"),
        pytest.param((-0.03, -0.02), 0.001, 0.02, "reject", id="forgot-the-holdout"),
        pytest.param((-0.02, 0.02), 0.001, 0.02, "inconclusive", id="cannot-tell-on-the-holdout"),
        pytest.param((-0.02, 0.02), -0.03, -0.02, "reject", id="worse-on-recent-rows"),
    ],
)
def test_a_retraining_for_drift(frozen: tuple[float, float], low: float, high: float, word: str) -> None:
    """It must beat the champion on the newest rows and not be worse on the holdout: both, or nothing."""
    held, recent = against(*frozen), against(low, high)
    found, why = verdicts.decide(
        model_digest="sha256:new",
        champion=SOMEBODY,
        gates=[gate(), comparison.gate(POLICY, held), comparison.recent_gate(POLICY, recent)],
        comparison=held,
        recent=recent,
    )
    assert found == word
    assert word != "promote" or "on the newest labelled rows auc is better" in why


def test_a_broken_column_is_the_one_explanation() -> None:
    """What else fails follows from it."""
    broken = column_health.gate([("rows held out", "n", "is missing in 100% of the rows")])
    found, why = verdicts.decide(
        model_digest="sha256:new", champion=SOMEBODY, gates=[gate(passed=False), broken], comparison=against(0.1, 0.2)
    )
    assert found == "reject"
    assert why.startswith("Nothing is promoted from such data: this looks broken upstream, not drifted: n is missing")
    assert "gates failed" not in why


def let_past(failed: GateResult) -> GateResult:
    """A gate that failed, and an override for it."""
    override = Override(gate=failed.gate, reason="known", by="ada", expires=datetime.date(2026, 3, 1))
    return failed.model_copy(update={"override": override})


def against_somebody(held: ComparisonResult, *gates: GateResult, **more: object) -> tuple[str, str]:
    """The verdict beside a champion, whatever its gates."""
    asked = {"model_digest": "sha256:new", "champion": SOMEBODY, "gates": gates, "comparison": held, **more}
    return verdicts.decide(**asked)  # type: ignore[arg-type]


def test_an_override_lets_the_model_past_and_is_said() -> None:
    """Who answers for it stands in the verdict; a gate that holds needs none, and nothing is said of it."""
    said = "overridden until 2026-03-01 by ada: known"
    word, why = decide(gate(), let_past(gate("c.d", passed=False)))
    assert (word, why.partition(". ")[0]) == ("promote", f"Every gate that counts holds; c.d {said}")
    assert decide(gate(), let_past(gate("c.d")))[1].startswith("Every gate holds. ")


def test_an_override_answers_a_comparison_that_cannot_tell() -> None:
    """Only where it is of that gate, and failed; another one's leaves the question open."""
    unknown = against(-0.02, 0.02)
    asked = comparison.gate(POLICY, unknown)
    assert against_somebody(unknown, gate(), asked)[0] == "inconclusive"
    assert against_somebody(unknown, gate(), let_past(asked))[0] == "promote"
    assert against_somebody(unknown, let_past(gate("c.d", passed=False)), asked)[0] == "inconclusive"


def test_what_may_yet_turn_out_better_is_not_refused() -> None:
    """The gate on an improvement waits with a comparison that cannot tell, and with that alone."""
    improves = gate(comparison.IMPROVES_GATE, passed=False)
    unknown, known = against(-0.02, 0.02), against(-0.005, 0.02)
    assert against_somebody(unknown, comparison.gate(POLICY, unknown), improves)[0] == "inconclusive"
    assert against_somebody(known, comparison.gate(POLICY, known), improves)[0] == "reject"


def test_every_margin_is_asked_and_said() -> None:
    """One that cannot tell makes the whole inconclusive, one below its own rejects, and the others are in the reason."""
    rule = ComparisonPolicy(metric="calibration.brier", margin=0.01)
    held = against(0.001, 0.02)

    def beside(low: float, high: float) -> tuple[str, str]:
        margin = comparison.decide(rule, Paired(0.8, 0.8, (low + high) / 2, low, high, 0.5, 1000))
        return against_somebody(held, comparison.gate(POLICY, held), comparison.gate(rule, margin), margins=[margin])

    assert [beside(*ends)[0] for ends in ((0.0, 0.02), (-0.02, 0.02), (-0.03, -0.02))] == [
        "promote",
        "inconclusive",
        "reject",
    ]
    assert "calibration.brier is not worse than the champion's" in beside(0.0, 0.02)[1]


def test_as_of_a_moment_nothing_is_said_of_production() -> None:
    """Such a run has no champion beside it, and its verdict says as of when, and that it is proposed nowhere."""
    at = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    word, why = verdicts.decide(model_digest="sha256:new", champion=NOBODY, gates=[gate()], comparison=None, as_of=at)
    assert word == "promote"
    assert "as of 2026-01-02" in why
    assert "nothing is proposed" in why
