"""The contract suite of the ledgers of retrainings."""

import datetime
import threading

import pytest

from argosy.domain.retraining_admission import LedgerEntry, RetrainingLedger
from argosy.ports.admission_state import AdmissionState

NOW = datetime.datetime(2026, 11, 29, 12, 0, 0, 123456, datetime.UTC)
THREADS, TURNS = 8, 5


def with_one_more(ledger: RetrainingLedger) -> tuple[int, RetrainingLedger]:
    """A turn that counts, in a ledger that would be wrong if two overlapped."""
    return ledger.admitted + 1, ledger.model_copy(update={"admitted": ledger.admitted + 1})


def make_entry() -> LedgerEntry:
    """A retraining that runs, with letters and moments that a store may lose."""
    return LedgerEntry(
        id="leaving-1",
        identity="0a",
        kind="new data",
        environment="production",
        reference="sha256:0a",
        holder="leaving-retrain-x",
        at=NOW,
        lease_until=NOW + datetime.timedelta(hours=8),
        text="what 'they' said: ünïcode, %s, :model, {brace}",
    )


class AdmissionStateContract:
    """Inherit, and provide a fixture ``state``."""

    def test_a_new_model_has_an_empty_ledger(self, state: AdmissionState) -> None:
        """Asking for one is no error, and makes none."""
        assert state.ledger("leaving") == RetrainingLedger(model="leaving")
        assert list(state.models()) == []

    def test_what_a_turn_leaves_is_kept(self, state: AdmissionState) -> None:
        """The next turn, and whoever only reads, find it as it was."""
        kept = RetrainingLedger(model="leaving", admissions=[make_entry()], refused={"duplicate": 3}, admitted=1)
        assert state.take_turn("leaving", lambda ledger: (ledger, kept)) == RetrainingLedger(model="leaving")
        assert state.ledger("leaving") == kept
        assert state.take_turn("leaving", lambda ledger: (ledger, ledger)) == kept

    def test_models_are_apart(self, state: AdmissionState) -> None:
        """What one model's turn leaves is nothing to another's."""
        state.take_turn("fares", with_one_more)
        state.take_turn("leaving", with_one_more)
        assert state.take_turn("leaving", with_one_more) == 2
        assert state.ledger("fares").admitted == 1
        assert list(state.models()) == ["fares", "leaving"]

    def test_a_turn_that_fails_changes_nothing(self, state: AdmissionState) -> None:
        """Its exception comes through, the ledger stays, the next turn is not held up."""
        state.take_turn("leaving", with_one_more)
        with pytest.raises(ZeroDivisionError):
            state.take_turn("leaving", lambda ledger: (1 // 0, ledger))
        assert state.take_turn("leaving", with_one_more) == 2

    def test_turns_do_not_overlap(self, state: AdmissionState) -> None:
        """Every one of many at once sees what the one before it left: each counts a number of its own."""
        seen: list[int] = []

        def count() -> None:
            seen.extend(state.take_turn("leaving", with_one_more) for _ in range(TURNS))

        threads = [threading.Thread(target=count) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(seen) == list(range(1, THREADS * TURNS + 1))
