"""When a model is trained again by itself, and when it is not."""

import datetime
import random
from typing import Any

import pytest

from argosy.domain import retraining_admission as admission
from argosy.domain import retraining_ends as ends
from argosy.domain.retraining_admission import Admitted, Ask, LedgerEntry, Observation, Refused, RetrainingLedger
from argosy.domain.retraining_settings import Enter, Leave, Retraining

NOW = datetime.datetime(2026, 11, 29, 12, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
RULES = Retraining()
EMPTY = RetrainingLedger(model="churn")
SERVED = "sha256:0a"


def ask(**fields: Any) -> Ask:
    """An alert's ask, with *fields* in place of its own."""
    given = {
        "model": "churn",
        "environment": "production",
        "kind": "drift",
        "reference": SERVED,
        "window": "2026-11-29T12",
        "holder": "run-1",
    }
    return Ask.model_validate({**given, **fields})


def look(hours_ago: float = 0, *, drifted: bool | None = True, distance: float = 0.3, **fields: Any) -> Observation:
    """A look that ended *hours_ago*."""
    given = {"until": NOW - hours_ago * HOUR, "model_digest": SERVED, "rows": 5000}
    return Observation.model_validate({**given, "drifted": drifted, "distance": distance, **fields})


DRIFTING = [look(2), look(1), look(0)]


def decided(
    asked: Ask,
    ledger: RetrainingLedger = EMPTY,
    *,
    rules: Retraining = RULES,
    looks: list[Observation] = DRIFTING,
    now: datetime.datetime = NOW,
) -> tuple[Admitted | Refused, RetrainingLedger]:
    """The decision with usual rules."""
    return admission.decide(ledger, asked, rules, looks, now)


def refusal(*arguments: Any, **named: Any) -> str:
    """The reason of a refusal, empty where there is none."""
    decision, _ = decided(*arguments, **named)
    return decision.reason if isinstance(decision, Refused) else ""


def after(
    outcome: admission.Outcome, *, hours_ago: float = 30, earlier: RetrainingLedger = EMPTY, **fields: Any
) -> RetrainingLedger:
    """*earlier* with one more retraining, which started *hours_ago* and took an hour."""
    start = NOW - hours_ago * HOUR
    given = {
        "id": f"churn-{hours_ago}",
        "identity": f"{hours_ago}",
        "kind": "drift",
        "environment": "production",
        "reference": SERVED,
        "holder": f"run-of-{hours_ago}",
        "at": start,
        "lease_until": start + 8 * HOUR,
        "ended": start + HOUR,
        "outcome": outcome,
    }
    admissions = [*earlier.admissions, LedgerEntry.model_validate({**given, **fields})]
    return earlier.model_copy(update={"admissions": admissions[-admission.KEPT_ADMISSIONS :]})


def test_drift_that_looks_confirm_is_admitted() -> None:
    """The admission says for whom, by whom and how long; the ledger holds it."""
    decision, ledger = decided(ask())
    assert isinstance(decision, Admitted)
    admitted = decision.entry
    assert admitted.id == f"churn-20261129T120000Z-{ask().identity[:8]}"
    assert (admitted.reference, admitted.holder, admitted.lease_until) == (SERVED, "run-1", NOW + 8 * HOUR)
    assert ledger.running == admitted
    assert ledger.admitted == 1
    assert ledger.refused == {}


def test_the_same_again_is_a_duplicate() -> None:
    """By model, reference and window, whoever brings it, also when the first has ended."""
    _, ledger = decided(ask())
    assert refusal(ask(holder="run-2"), ledger) == "duplicate"
    ended = ends.close(ledger, "run-1", "Error", [], NOW + HOUR)
    assert refusal(ask(holder="run-3"), ended, now=NOW + 60 * HOUR) == "duplicate"


@pytest.mark.parametrize("field", ["model", "environment", "kind", "reference", "window"])
def test_what_makes_it_another(field: str) -> None:
    """Each of these alone; who holds it and what it says do not."""
    other = {"kind": "performance"}.get(field, "other")
    assert ask(**{field: other}).identity != ask().identity
    assert ask(holder="other", text="other").identity == ask().identity


def test_the_parts_of_an_identity_do_not_run_together() -> None:
    """Text that moves from one part to the next is another thing."""
    assert ask(model="a", environment="bc").identity != ask(model="ab", environment="c").identity


def test_one_in_flight() -> None:
    """Another window of the same model waits for the next time it asks, and is told what runs."""
    _, ledger = decided(ask())
    decision, _ = decided(ask(window="later", holder="run-2"), ledger, now=NOW + HOUR)
    assert isinstance(decision, Refused)
    assert decision.reason == "in flight"
    assert "runs since 2026-11-29 12:00 UTC" in decision.explanation
    assert "lost from 2026-11-29 20:00 UTC" in decision.explanation


def test_a_step_that_is_retried_gets_its_answer_again() -> None:
    """The pod was killed after the ledger was written: the same run holds the same retraining, counted once."""
    first, ledger = decided(ask())
    second, unchanged = decided(ask(window="a look later"), ledger, now=NOW + HOUR)
    assert second == first
    assert unchanged == ledger


def test_the_lease_of_a_run_that_never_ended() -> None:
    """It blocks until its lease is over, to the second, and then counts as one that failed."""
    _, ledger = decided(ask())
    rules = Retraining(cooldown_hours=0, per_day=9)
    later = {"ledger": ledger, "rules": rules, "looks": [look(-8), look(-7)]}
    just_before, then = NOW + 8 * HOUR - datetime.timedelta(seconds=1), NOW + 8 * HOUR
    assert refusal(ask(window="later", holder="run-2"), now=just_before, **later) == "in flight"
    decision, taken = decided(ask(window="later", holder="run-2"), now=then, **later)
    assert isinstance(decision, Admitted)
    assert [each.outcome for each in taken.admissions] == ["lost", None]
    assert admission.failures(taken, SERVED) == 1


SECOND, MINUTE = HOUR / 3600, HOUR / 60


@pytest.mark.parametrize(
    "apart",
    [
        pytest.param(SECOND, id="a-schedule-that-ran-twice"),
        pytest.param(40 * SECOND, id="a-step-that-was-retried"),
        pytest.param(25 * MINUTE, id="by-hand-beside-the-schedule"),
        pytest.param(15 * MINUTE, id="every-15m"),
    ],
)
@pytest.mark.parametrize(
    "newest",
    [
        pytest.param(NOW - 20 * MINUTE, id="within-an-hour-of-the-clock"),
        pytest.param(NOW + SECOND / 2, id="over-the-turn-of-the-hour"),
    ],
)
def test_a_look_that_was_taken_again_confirms_nothing(newest: datetime.datetime, apart: datetime.timedelta) -> None:
    """It has seen the same predictions, whichever hour of the clock it falls into."""
    again = [look(until=newest - times * apart) for times in (1, 0)]
    decision, _ = decided(ask(), looks=again, now=newest)
    assert isinstance(decision, Refused)
    assert decision.reason == "not confirmed"
    assert decision.explanation == (
        "1 look at it within 72 hours, counted once an hour; 2 have to show it (`retraining.enter`)"
    )
    calm = [look(4, drifted=False), look(3, drifted=False)]
    assert refusal(ask(), looks=[*calm, *again], now=newest) == "not confirmed"


@pytest.mark.parametrize("late", [0, 3, 10])
def test_looks_of_a_schedule_confirm_one_another(late: int) -> None:
    """Also where one started some minutes late and the next one in time; what somebody looked at in between takes nothing away."""
    hourly = [look(until=NOW - HOUR + late * MINUTE), look(until=NOW)]
    assert refusal(ask(), looks=hourly) == ""
    between = [look(until=NOW - 20 * MINUTE), look(until=NOW - 19 * MINUTE)]
    assert refusal(ask(), looks=[look(until=NOW - 2 * HOUR), *hourly, *between]) == ""


def test_who_lost_its_lease_ends_nothing_of_the_next() -> None:
    """A run that comes back after all does not free the place of the one that took it."""
    _, ledger = decided(ask())
    rules = Retraining(cooldown_hours=0, per_day=9)
    _, taken = decided(
        ask(window="w", holder="run-2"), ledger, rules=rules, looks=[look(-7), look(-8)], now=NOW + 9 * HOUR
    )
    assert taken.running is not None
    closed = ends.close(taken, "run-1", "Succeeded", [], NOW + 10 * HOUR)
    assert closed.running == taken.running
    assert ends.close(taken, "run-1", "Failed", [], NOW + 10 * HOUR) == taken


def test_cooldown_from_the_end_of_the_last() -> None:
    """A day after it ended, not after it began, whatever it came to."""
    ledger = after("failed", hours_ago=24.5)  # ended 23.5 hours ago
    assert refusal(ask(), ledger, rules=Retraining(per_day=9)) == "cooldown"
    assert refusal(ask(), ledger, rules=Retraining(per_day=9), now=NOW + 0.5 * HOUR) == ""


def test_a_clock_that_was_set_back() -> None:
    """The last one seems to end in the future: it is too soon, never one too many."""
    ledger = after("failed", hours_ago=-48)
    assert refusal(ask(), ledger) == "cooldown"
    assert refusal(ask(), ledger, rules=Retraining(cooldown_hours=0)) in {"cooldown", "budget"}


def test_daily_budget() -> None:
    """As many as named within any 24 hours; midnight is nothing special."""
    rules = Retraining(cooldown_hours=0, per_day=2, stop_after=9)
    ledger = after("failed", hours_ago=3, earlier=after("failed", hours_ago=20))
    decision, _ = decided(ask(), ledger, rules=rules)
    assert isinstance(decision, Refused)
    assert decision.reason == "budget"
    assert "the next may at 2026-11-29 16:00 UTC" in decision.explanation
    assert refusal(ask(), ledger, rules=rules, now=NOW + 4 * HOUR) == ""


def test_one_by_hand_counts_in_the_budget() -> None:
    """What costs a machine costs it whoever asked."""
    ledger = after("failed", hours_ago=3, kind="hand")
    assert refusal(ask(), ledger, rules=Retraining(cooldown_hours=0)) == "budget"


@pytest.mark.parametrize("outcome", ["failed", "rejected", "bad data", "lost"])
def test_it_stops_after_so_many_that_led_to_nothing(outcome: admission.Outcome) -> None:
    """And says so, with the command that goes on."""
    ledger = EMPTY
    for days in (4, 3, 2):
        assert refusal(ask(), ledger) == ""
        ledger = after(outcome, hours_ago=24 * days + 6, earlier=ledger)
    decision, _ = decided(ask(), ledger)
    assert isinstance(decision, Refused)
    assert decision.reason == "stopped"
    assert "the last 3 retrainings" in decision.explanation
    assert "argosy retrain churn --because TEXT" in decision.explanation
    assert refusal(ask(kind="schedule"), ledger) == "stopped"
    assert refusal(ask(kind="hand"), ledger) == ""


def test_a_request_begins_the_count_anew() -> None:
    """What led to a request worked."""
    ledger = after("failed", hours_ago=100, earlier=after("failed", hours_ago=150))
    ledger = after("requested", hours_ago=70, earlier=ledger)
    assert admission.failures(after("failed", hours_ago=40, earlier=ledger), SERVED) == 1


@pytest.mark.parametrize("since", ["failed", "rejected", "inconclusive", "served already", "lost"])
def test_what_came_to_nothing_since_leaves_the_request_open(since: admission.Outcome) -> None:
    """Somebody trained by hand, or a schedule did: the request for this drift waits as before, and is named."""
    ledger = after("requested", hours_ago=60, request="3 https://forge/3")
    ledger = after(since, hours_ago=30, earlier=ledger, kind="hand" if since == "failed" else "schedule")
    decision, _ = decided(ask(), ledger)
    assert isinstance(decision, Refused)
    assert (decision.reason, "opened request 3 for it" in decision.explanation) == ("answered", True)


def test_a_model_that_is_served_already_is_no_failure() -> None:
    """A schedule that finds nothing new may do so every night; what failed before it is not forgotten either."""
    ledger = after("failed", hours_ago=150)
    for hours_ago in (120, 96, 72):
        ledger = after("served already", hours_ago=hours_ago, earlier=ledger, kind="schedule")
    assert admission.failures(ledger, SERVED) == 1
    assert refusal(ask(), ledger) == ""


def test_another_version_begins_the_count_anew() -> None:
    """What failed for the version before says nothing of this one."""
    rules = Retraining(stop_after=1)
    ledger = after("failed", hours_ago=40, reference="sha256:before")
    assert refusal(ask(), ledger, rules=rules) == ""
    assert refusal(ask(), after("failed", hours_ago=40), rules=rules) == "stopped"


def test_hysteresis_enters_by_several_looks() -> None:
    """Two of the newest three, whichever, in whatever order they are handed over; older ones say nothing."""
    calm = {"drifted": False, "distance": 0.0}
    assert refusal(ask(), looks=[look(2), look(1, **calm), look(0)]) == ""
    assert refusal(ask(), looks=[look(0), look(2), look(1, **calm)]) == ""
    assert refusal(ask(), looks=[look(3), look(2), look(1, **calm), look(0, **calm)]) == "not confirmed"
    assert refusal(ask(), looks=[look(3), look(2, **calm), look(1, **calm), look(0)]) == "not confirmed"


def test_a_distance_of_its_own_to_enter() -> None:
    """Retraining may ask for more than the alarm does; on the limit counts."""
    rules = Retraining(enter=Enter(looks=2, of=3, distance=0.3))
    assert refusal(ask(), rules=rules) == ""
    assert refusal(ask(), rules=rules, looks=[look(1, distance=0.29), look(0)]) == "not confirmed"


def test_too_few_rows_are_no_drift() -> None:
    """A look below the minimum, or one that could not say, is not believed, nor is it taken for calm."""
    assert refusal(ask(), looks=[look(1, rows=499), look(0, rows=499)]) == "too few rows"
    assert refusal(ask(), looks=[look(1, rows=500), look(0, rows=500)]) == ""
    assert refusal(ask(), looks=[look(1, drifted=None), look(0)]) == "too few rows"
    assert refusal(ask(), looks=[look(2), look(1, rows=0, drifted=None), look(0)]) == ""


def test_nobody_looked() -> None:
    """Without a look, or with old ones only, an alert alone starts nothing."""
    decision, _ = decided(ask(), looks=[])
    assert isinstance(decision, Refused)
    assert (decision.reason, "`argosy drift churn` says which" in decision.explanation) == ("no look", True)
    assert refusal(ask(), looks=[look(72.1), look(73)]) == "no look"
    assert refusal(ask(), looks=[look(72), look(71)]) == ""


def test_an_alert_about_a_version_that_serves_no_more() -> None:
    """It was replaced: what the alert asks for has happened."""
    newer = [*DRIFTING, look(-1, model_digest="sha256:new", drifted=False)]
    assert refusal(ask(), looks=newer, now=NOW + HOUR) == "other version"


def test_looks_at_another_version_confirm_nothing() -> None:
    """Drift of the version before is no reason to replace this one."""
    looks = [look(3, model_digest="sha256:before"), look(2, model_digest="sha256:before"), look(0)]
    assert refusal(ask(), looks=looks) == "not confirmed"


def test_who_does_not_know_the_version_means_the_one_that_serves() -> None:
    """The newest look says which, so that duplicates are found and failures counted."""
    decision, ledger = decided(ask(reference=""))
    assert isinstance(decision, Admitted)
    assert decision.entry.reference == SERVED
    assert refusal(ask(holder="run-2"), ledger) == "duplicate"


def test_performance_below_its_gate() -> None:
    """Is confirmed by measured performance, not by drift."""
    below = [look(1, below_gate=True, drifted=False), look(0, below_gate=True, drifted=False)]
    assert refusal(ask(kind="performance"), looks=below) == ""
    assert refusal(ask(kind="performance")) == "too few rows"
    assert (
        refusal(ask(kind="performance"), looks=[look(1, below_gate=False), look(0, below_gate=True)]) == "not confirmed"
    )


def test_a_step_that_is_retried_is_refused_once() -> None:
    """Its ledger was written before its pod was lost; another run that asks the same is counted."""
    looks = [look(0, drifted=False)]
    _, once = decided(ask(), looks=looks)
    _, again = decided(ask(), once, looks=looks, now=NOW + HOUR / 60)
    assert again == once
    _, other = decided(ask(holder="run-2"), once, looks=looks)
    assert (other.refused, [each.count for each in other.refusals]) == ({"not confirmed": 2}, [2])


def test_one_measurement_confirms_nothing_twice() -> None:
    """Looks carry what was measured last until it is measured again."""
    asked, earlier = ask(kind="performance"), NOW - 6 * HOUR
    carried = [look(hours, below_gate=True, measured=NOW) for hours in (2, 1, 0)]
    assert refusal(asked, looks=carried) == "not confirmed"
    assert refusal(asked, looks=[look(6, below_gate=True, measured=earlier), *carried]) == ""
    low = after("requested", hours_ago=20, kind="performance")
    over = [look(hours, below_gate=False, measured=NOW) for hours in (3, 2)]
    back = [look(hours, below_gate=True, measured=NOW - HOUR * hours) for hours in (1, 0)]
    rules = Retraining(cooldown_hours=0, per_day=9)
    assert refusal(asked, low, looks=[*over, *back], rules=rules) == "answered"


def test_drift_that_a_request_answers() -> None:
    """Until that is merged or has waited too long, the same drift starts no second one."""
    ledger = after("requested", hours_ago=50)
    looks = [look(3), look(2), look(1), look(0)]
    assert refusal(ask(), ledger, looks=looks) == "answered"
    later = NOW + (168 - 49) * HOUR
    fresh = [look(-118), look(-119)]
    assert refusal(ask(), ledger, looks=fresh, now=later - datetime.timedelta(seconds=1)) == "answered"
    assert refusal(ask(), ledger, looks=fresh, now=later) == ""


def test_hysteresis_leaves_below_a_lower_threshold() -> None:
    """Flapping round the upper one is one episode; two calm looks in a row end it."""
    ledger = after("requested", hours_ago=50)
    between, calm = {"drifted": False, "distance": 0.08}, {"drifted": False, "distance": 0.049}
    flapping = [look(8, **between), look(7), look(6, **between), look(5, **between), look(1), look(0)]
    assert refusal(ask(), ledger, looks=flapping) == "answered"
    once = [look(8, **calm), look(7), look(6, **calm), look(5, **between), look(1), look(0)]
    assert refusal(ask(), ledger, looks=once) == "answered"
    over = [look(8), look(7, **calm), look(6, **calm), look(1), look(0)]
    assert refusal(ask(), ledger, looks=over) == ""
    strict = Retraining(leave=Leave(looks=3))
    assert refusal(ask(), ledger, looks=over, rules=strict) == "answered"


def test_calm_before_the_retraining_ended_no_episode() -> None:
    """Only what came after it says that it is over."""
    ledger = after("requested", hours_ago=50)
    calm = {"drifted": False, "distance": 0.0}
    assert refusal(ask(), ledger, looks=[look(60, **calm), look(59, **calm), look(1), look(0)]) == "answered"


def test_looks_without_rows_end_no_episode() -> None:
    """A night without traffic is no calm, and does not break one up either."""
    ledger = after("requested", hours_ago=50)
    calm, empty = {"drifted": False, "distance": 0.0}, {"drifted": None, "rows": 0, "distance": 0.0}
    assert refusal(ask(), ledger, looks=[look(9, **empty), look(8, **empty), look(1), look(0)]) == "answered"
    assert refusal(ask(), ledger, looks=[look(9, **calm), look(8, **empty), look(7, **calm), look(1), look(0)]) == ""


def test_an_alert_that_is_over() -> None:
    """Starts nothing."""
    assert refusal(ask(fires=False)) == "resolved"


def test_a_cause_that_the_settings_do_not_name() -> None:
    """Is refused; a person is never asked whether she may."""
    rules = Retraining(on=["performance"])
    assert refusal(ask(), rules=rules) == "not wanted"
    assert refusal(ask(kind="hand"), rules=rules) == ""


@pytest.mark.parametrize("kind", ["new data", "push", "schedule"])
def test_what_is_no_alert_needs_no_look(kind: str) -> None:
    """But keeps to the cooldown and the budget."""
    assert refusal(ask(kind=kind), looks=[]) == ""
    assert refusal(ask(kind=kind), after("requested", hours_ago=2), looks=[]) == "cooldown"


def test_by_hand_nothing_holds_it_up_but_one_that_runs() -> None:
    """Neither cooldown, budget nor the stop: somebody looked."""
    assert refusal(ask(kind="hand"), after("failed", hours_ago=1.5), looks=[]) == ""
    _, ledger = decided(ask())
    assert refusal(ask(kind="hand", holder="me", window="me"), ledger) == "in flight"


def test_each_refusal_is_counted_with_its_reason() -> None:
    """Per reason for ever, and per thing asked with its first and last time."""
    _, ledger = decided(ask())
    for minute in range(3):
        _, ledger = decided(ask(holder=f"other-{minute}"), ledger, now=NOW + minute * HOUR / 60)
    _, ledger = decided(ask(window="later", holder="x"), ledger, now=NOW + HOUR)
    assert ledger.refused == {"duplicate": 3, "in flight": 1}
    duplicates, in_flight = ledger.refusals
    assert (duplicates.count, duplicates.first, duplicates.last) == (3, NOW, NOW + HOUR / 30)
    assert (in_flight.reason, in_flight.count) == ("in flight", 1)


def test_a_ledger_does_not_grow() -> None:
    """Whoever makes up windows fills no disk; the counts stay whole."""
    _, ledger = decided(ask())
    for number in range(admission.KEPT_REFUSALS + 50):
        _, ledger = decided(ask(window=str(number), holder=str(number)), ledger)
    assert len(ledger.refusals) == admission.KEPT_OF_A_REASON
    assert ledger.refused == {"in flight": admission.KEPT_REFUSALS + 50}
    assert ledger.running is not None


def test_one_in_flight_is_never_forgotten() -> None:
    """However many came before it."""
    ledger = EMPTY
    for number in range(admission.KEPT_ADMISSIONS + 5):
        ledger = after("failed", hours_ago=5000 - number * 30, earlier=ledger)
    _, ledger = decided(ask(kind="hand"), ledger)
    assert len(ledger.admissions) == admission.KEPT_ADMISSIONS
    assert ledger.running is not None
    assert ledger.admitted == 1


def test_ten_thousand_in_any_order() -> None:
    """Duplicates of five alerts within a minute, shuffled: one retraining, and each of the others has its reason."""
    chance = random.Random(3)
    asks = [ask(window=str(number % 5), holder=str(number)) for number in range(10_000)]
    chance.shuffle(asks)
    ledger, admitted = EMPTY, 0
    for number, each in enumerate(asks):
        decision, ledger = decided(each, ledger, now=NOW + datetime.timedelta(milliseconds=6 * number))
        admitted += isinstance(decision, Admitted)
    assert admitted == 1
    assert ledger.refused == {"duplicate": 1999, "in flight": 8000}


def test_what_comes_often_leaves_room_for_the_others() -> None:
    """Of one reason the newest stay listed; how many there ever were is known all the same."""
    ledger, no = EMPTY, Refused(reason="unreadable", explanation="it is no JSON")
    ledger = admission.refuse(ledger, ask(), Refused(reason="cooldown", explanation="wait"), NOW)
    for number in range(150):
        ledger = admission.refuse(ledger, ask(window=str(number), holder=str(number)), no, NOW)
    assert [each.reason for each in ledger.refusals] == ["cooldown", *["unreadable"] * admission.KEPT_OF_A_REASON]
    assert ledger.refusals[-1].holder == "149"
    assert ledger.refused == {"cooldown": 1, "unreadable": 150}


def test_the_ledger_is_a_document() -> None:
    """It comes back from its JSON as it was."""
    ledger = after("requested")
    _, ledger = decided(ask(), ledger)
    assert RetrainingLedger.model_validate_json(ledger.canonical_json()) == ledger


def test_settings_that_cannot_be_met() -> None:
    """Three of two."""
    with pytest.raises(ValueError, match="`looks` is 3 and `of` 2"):
        Enter(looks=3, of=2)


def test_a_retraining_is_found_by_its_run() -> None:
    """A holder may say more than the run's name, as a step that is tried again does."""
    ledger = after("requested", holder="run-7 try-2", earlier=after("failed", hours_ago=60, holder="run-6"))
    found = ledger.of_run("run-7")
    assert found is not None
    assert (found.run, found.holder) == ("run-7", "run-7 try-2")
    assert ledger.of_run("try-2") is None


def test_a_lease_that_ended_is_when_it_ended() -> None:
    """From then on others wait for the cooldown, and not from whenever somebody noticed."""
    _, ledger = decided(ask())
    _, later = decided(ask(window="later", holder="run-2"), ledger, looks=[], now=NOW + 20 * HOUR)
    (lost,) = later.admissions
    assert (lost.outcome, lost.ended) == ("lost", NOW + 8 * HOUR)


def test_each_look_is_an_hour_from_the_next_one_that_counts() -> None:
    """Not from the newest alone: of two that are minutes apart one counts, however old both are."""
    rules = RULES.model_copy(update={"enter": Enter(looks=3, of=3, hours=9)})
    assert refusal(ask(), rules=rules, looks=[look(2.3), look(1.2), look(0)]) == ""
    assert refusal(ask(), rules=rules, looks=[look(1.2), look(1.1), look(0)]) == "not confirmed"


def test_looks_at_two_versions_are_apart_by_themselves() -> None:
    """A shadow is looked at beside the version that serves: neither takes the other's looks for its own."""
    rules = RULES.model_copy(update={"enter": Enter(looks=3, of=3, hours=9)})
    beside = look(1, model_digest="sha256:0b")
    assert refusal(ask(), rules=rules, looks=[look(2.6), look(1.5), beside, look(0)]) == ""


def test_looks_at_drift_need_no_measurement_of_their_own() -> None:
    """They may carry one and the same measurement of performance, which is made once a day, and confirm drift all the same."""
    looks = [look(hours, measured=NOW - 9 * HOUR) for hours in (2, 1, 0)]
    assert refusal(ask(), looks=looks) == ""


def test_which_failures_count_for_a_version() -> None:
    """Those of a version that nobody knew count for any; where none is known, all do."""
    assert admission.failures(after("failed", reference=""), SERVED) == 1
    assert admission.failures(after("failed"), "") == 1
    assert (
        admission.failures(after("failed", earlier=after("failed", hours_ago=60, reference="sha256:0b")), SERVED) == 1
    )


@pytest.mark.parametrize(
    ("kind", "said"), [("performance", "`labels.minimum_rows`"), ("drift", "`monitor.minimum_rows`")]
)
def test_too_few_rows_names_the_setting(kind: str, said: str) -> None:
    """Labels have one of their own."""
    looks = [look(1, rows=1, measured=NOW - HOUR), look(0, rows=1, measured=NOW)]
    rules = RULES.model_copy(update={"on": ["drift", "performance"]})
    decision, _ = decided(ask(kind=kind), rules=rules, looks=looks)
    assert isinstance(decision, Refused)
    assert (decision.reason, said in decision.explanation) == ("too few rows", True)


def test_a_duplicate_is_of_the_newest() -> None:
    """What was admitted again, after it was forgotten elsewhere, is named by its latest id."""
    twice = after("failed", identity=ask().identity, earlier=after("failed", hours_ago=60, identity=ask().identity))
    decision, _ = decided(ask(), twice)
    assert isinstance(decision, Refused)
    assert decision.explanation.startswith("churn-30 was started for it at")
