"""Closes one retraining; what its outcome is called is ``argosy.monitoring.retrainings``' word."""

import datetime

from argosy.monitoring import retrainings
from argosy.ports.admission_state import AdmissionState


def run(*, model: str, holder: str, status: str, failures: str, state: AdmissionState, now: datetime.datetime) -> str:
    """Close the retraining of the run *holder*; returns a line that says so."""
    entry = retrainings.close(state, model, holder, status=status, failures=failures, now=now)
    return f"{entry.id}: {entry.outcome}" if entry is not None else "no retraining was admitted for this run"
