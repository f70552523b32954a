"""Closes one retraining; what its outcome is called is ``argosy.monitoring.retrainings``' word."""

import datetime

from argosy.domain.retraining_admission import LedgerEntry
from argosy.domain.retraining_cause import Cause
from argosy.monitoring import retrainings
from argosy.ports.admission_state import AdmissionState


def run(
    *, model: str, holder: str, status: str, failures: str, state: AdmissionState, now: datetime.datetime
) -> LedgerEntry | None:
    """Close the retraining of the run *holder*; None where it held none."""
    return retrainings.close(state, model, holder, status=status, failures=failures, now=now)


def cause(entry: LedgerEntry) -> Cause:
    """Why *entry* was let in, as far as the ledger knows."""
    return Cause(kind=entry.kind, environment=entry.environment or None, explanation=entry.text, admission=entry.id)
