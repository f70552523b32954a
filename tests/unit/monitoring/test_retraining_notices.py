"""What people are told of an answer of admission."""

import datetime
import json
from collections.abc import Sequence

import pytest

from argosy.adapters.memory_admission_state import MemoryAdmissionState
from argosy.adapters.memory_notifier import MemoryNotifier
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain.looks import Look
from argosy.domain.retraining_admission import Reason, Refused
from argosy.monitoring import retraining_notices
from argosy.monitoring.notices import Announcer
from argosy.monitoring.retrainings import Event
from argosy.steps.retrain_admission import run
from kit import looked
from kit.examples import make_settings
from kit.looked import DIGEST, NOON

SETTINGS = make_settings(
    "binary",
    ["no", "yes"],
    "log_loss",
    notify={"people": {"events": ["retraining started", "retraining refused"]}, "steps": {"events": ["step failed"]}},
)
HOUR = datetime.timedelta(hours=1)
DRIFTED = [looked.look("drift", until=NOON - HOUR, model="toy"), looked.look("drift", until=NOON, model="toy")]
ALERT = {
    "status": "firing",
    "labels": {"alertname": "ArgosyDrift", "model": "toy", "environment": "production", "digest": DIGEST, "retrain": "true"},
    "startsAt": "2026-03-01T10:00:00Z",
    "fingerprint": "35fea2ef9f5d2a12",
}  # fmt: skip


class AskedStep:
    """The step, its ledger and the channels of people."""

    def __init__(self, seen: Sequence[Look] = DRIFTED) -> None:
        self.notifier, self.objects, self.state = MemoryNotifier(), MemoryObjects(), MemoryAdmissionState()
        self.seen = seen

    def ask(self, holder: str, now: datetime.datetime = NOON) -> None:
        """Let the run *holder* ask for what the alert says."""
        run.run(
            Event(
                kind="alert",
                holder=holder,
                alert=json.dumps({"version": "4", "status": "firing", "alerts": [ALERT]}),
            ),
            settings=SETTINGS,
            state=self.state,
            looks_of=lambda _environment: self.seen,
            now=now,
            tell=Announcer(self.notifier, lambda: self.objects, lambda _line: None, reaches_anybody=True).tell,
        )

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """Channel, event and title of all that was told."""
        return [(channel, one.event, one.title) for channel, notices in self.notifier.messages for one in notices]


STARTED = ("people", "retraining started", "toy: a retraining for drift started")


def test_a_start_is_told_once() -> None:
    """Also where the step is tried again after it was told; a hundred alerts more are no news."""
    desk = AskedStep()
    for holder in ("toy-1 uid", "toy-1 uid", *(f"toy-{number} uid" for number in range(2, 100))):
        desk.ask(holder)
    assert desk.told == [STARTED]
    text = desk.notifier.messages[0][1][0].text
    assert "ArgosyDrift, since 2026-03-01T10:00:00Z" in text
    assert "argosy get toy-1\n" in text


def test_a_refusal_is_told_once_a_day() -> None:
    """With what admission said: an alert asks as long as it fires."""
    desk = AskedStep(seen=[])
    for hours in (0, 1, 2, 24):
        desk.ask(f"toy-{hours} uid", NOON + hours * HOUR)
    assert desk.told == [("people", "retraining refused", "toy: a retraining was refused, no look")] * 2
    assert "there is no look at it: no version is served there" in desk.notifier.messages[0][1][0].text


@pytest.mark.parametrize("reason", sorted(retraining_notices.QUIET))
def test_what_is_no_news(reason: Reason) -> None:
    """It is counted, and nobody is told."""
    refused = Refused(reason=reason, explanation="it is so")
    assert retraining_notices.of(refused, SETTINGS, "toy-1 uid", NOON) == []
