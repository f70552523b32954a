"""What is told of retrainings on a terminal."""

import datetime

from argosy.domain import retraining_admission as admission
from argosy.domain.retraining_admission import Ask, Reason, Refused, RetrainingLedger
from argosy.report import retraining_table

NOW = datetime.datetime(2026, 11, 29, 12, 0, tzinfo=datetime.UTC)


def refused(ledger: RetrainingLedger, run: str, reason: Reason, explanation: str) -> RetrainingLedger:
    """*ledger* after *run* was refused."""
    ask = Ask(model="toy", kind="drift", window=reason, holder=f"{run} its-uid")
    return admission.refuse(ledger, ask, Refused(reason=reason, explanation=explanation), NOW)


def test_a_run_is_told_its_own_refusal() -> None:
    """Whoever else asked about the model in the meantime; a run that the ledger no longer names is sent to its log."""
    ledger = refused(RetrainingLedger(model="toy"), "run-1", "unreadable", "it is no JSON")
    ledger = refused(ledger, "run-2", "no look", "nobody looked")
    assert retraining_table.refusal(ledger, "run-1") == "refused, unreadable: it is no JSON"
    assert retraining_table.refusal(ledger, "run-2") == "refused, no look: nobody looked"
    assert retraining_table.refusal(ledger, "run-3") == "refused; argosy logs run-3 says why"
