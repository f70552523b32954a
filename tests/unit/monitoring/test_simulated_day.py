"""A day of fifty models, replayed by one seed of those that `tests/bench/simulated_days.py` plays."""

from collections import Counter

import pytest

from kit.simulated_day import Day, broken_promises


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """One that has passed."""
    day = Day(1, tmp_path_factory.mktemp("day"))
    day.pass_by()
    return day


def test_a_day_of_fifty_models(day: Day) -> None:
    """Every planted change is found within two hours, nothing else is called one, and each model is retrained as often as it should be."""
    assert len(day.models) == 50
    assert broken_promises(day) == []


def test_what_was_refused_says_why(day: Day) -> None:
    """Each reason is one that was planted: a rule that is gone is a reason that is missing. Every message is a retraining or a refusal."""
    ledgers = {model.name: day.state.ledger(model.name) for model in day.models}
    assert sum(ledger.admitted + sum(ledger.refused.values()) for ledger in ledgers.values()) == day.runs
    reasons = Counter[str]()
    for ledger in ledgers.values():
        reasons.update(ledger.refused)
    assert set(reasons) == {
        "answered",
        "cooldown",
        "duplicate",
        "in flight",
        "not confirmed",
        "not wanted",
        "other version",
        "stopped",
        "unknown model",
    }
    for number in range(4):
        assert set(ledgers[f"blip_{number}"].refused) == {"not confirmed"}
    assert set(ledgers["not_wanted"].refused) == {"not wanted"}
    assert [entry.outcome for entry in ledgers["failed_once"].admissions] == ["failed", "requested"]
    assert "stopped" in ledgers["broken_0"].refused
