"""Reads the ledgers of retrainings: what was let in, what was refused and why."""

from typing import get_args

from argosy.domain import retraining_admission
from argosy.exporter import samples, series
from argosy.exporter.samples import Reading, Sample
from argosy.ports.admission_state import AdmissionState

REASONS: tuple[str, ...] = get_args(retraining_admission.Reason)


def read(state: AdmissionState) -> Reading:
    """The counts of each ledger. Every reason has one, so that the first refusal is an increase."""
    found: list[Sample] = []
    for model in state.models():
        ledger = state.ledger(model)
        refused = {str(reason): count for reason, count in ledger.refused.items()}
        served = ledger.admissions[-1].reference if ledger.admissions else ""
        found += [
            samples.of(series.RETRAININGS, ledger.admitted, model=model),
            samples.of(series.RETRAINING_RUNNING, ledger.running is not None, model=model),
            samples.of(series.RETRAINING_FAILURES, retraining_admission.failures(ledger, served), model=model),
            samples.of(series.RETRAINING_STOP, ledger.stop_after, model=model),
            *(
                samples.of(series.RETRAINING_REFUSALS, refused.get(reason, 0), model=model, reason=reason)
                for reason in REASONS
            ),
        ]
    return Reading(found)
