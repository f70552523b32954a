"""The same alert many times, as Argo Events may deliver it, through the very rules that `argosy retrain` asks."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from argosy import wiring
from argosy.domain.model_settings import ModelSettings
from argosy.domain.retraining_admission import Refused
from argosy.monitoring import retrainings
from argosy.monitoring.retrainings import Event
from argosy.settings import Settings


@dataclass(frozen=True)
class AskedAgain:
    """What came of asking again and again."""

    admitted: int
    reasons: Sequence[str]
    """Why it was refused, each reason once."""
    explanation: str
    """Of the last refusal."""


def ask(settings: Settings, model: ModelSettings, message: str, times: int) -> AskedAgain:
    """Ask *times* times for what Alertmanager's *message* says."""
    state, looks_of = wiring.admission_state(settings), wiring.looks_of(settings, model.model)
    alert = retrainings.encoded(message)
    decisions = [
        retrainings.decide(
            Event(kind=retrainings.ALERT, holder=f"demo {number}", alert=alert),
            settings=model,
            state=state,
            looks_of=looks_of,
            now=datetime.datetime.now(datetime.UTC),
        ).decision
        for number in range(times)
    ]
    refused = [decision for decision in decisions if isinstance(decision, Refused)]
    reasons = list(dict.fromkeys(decision.reason for decision in refused))
    return AskedAgain(len(decisions) - len(refused), reasons, refused[-1].explanation if refused else "")
