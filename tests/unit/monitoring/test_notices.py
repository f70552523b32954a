"""People hear of an event once, and the run that tells them goes on whatever comes of it."""

import json
import threading

from argosy import errors
from argosy.adapters.memory_notifier import MemoryNotifier
from argosy.domain.notices import Event, Notice
from argosy.monitoring import notices


class KeptClaims:
    """Objects of a dictionary, as the port promises them; *broken*: nothing can be asked of it."""

    def __init__(self, *, broken: bool = False) -> None:
        self.kept: dict[str, bytes] = {}
        self._broken = broken
        self._lock = threading.Lock()

    def put_new(self, key: str, content: bytes) -> bool:
        if self._broken:
            raise errors.TryAgain("the object store does not answer")
        with self._lock:
            return self.kept.setdefault(key, content) is content

    def put(self, key: str, content: bytes) -> None:
        self.kept[key] = content


def _notice(key: str = "run-1", event: Event = "step failed", channels: tuple[str, ...] = ("team",)) -> Notice:
    return Notice(event=event, model="churn", owner="growth", title="churn: train failed", key=key, channels=channels)


def test_an_event_is_told_once() -> None:
    """Seen again, by the same process or by another, it is the same event."""
    notifier, store = MemoryNotifier(), KeptClaims()
    assert [telling.outcome for telling in notices.announce(notifier, store, _notice())] == ["sent"]
    assert notices.announce(notifier, store, _notice(), _notice()) == []
    assert len(notifier.messages) == 1


def test_events_of_one_moment_are_one_message_a_channel() -> None:
    """Grouped, and each channel gets only what it hears of."""
    notifier = MemoryNotifier()
    both, one = _notice("a", channels=("desk", "team")), _notice("b")
    notices.announce(notifier, KeptClaims(), both, one)
    assert notifier.messages == [("desk", (both,)), ("team", (both, one))]


def test_a_channel_that_fails_is_written_down_and_keeps_nobody_else_from_hearing() -> None:
    """Nothing raises; the reason is kept under the claim; the other channel has the notice."""
    notifier, store = MemoryNotifier(failing={"desk": "refused: 404"}), KeptClaims()
    told = notices.announce(notifier, store, _notice(channels=("desk", "team")))
    assert [(telling.channel, telling.outcome) for telling in told] == [("desk", "failed"), ("team", "sent")]
    kept = sorted((entry["channel"], entry.get("reason")) for entry in map(json.loads, store.kept.values()))
    assert kept == [("desk", "refused: 404"), ("team", "")]


def test_a_store_that_fails_means_that_nobody_is_told() -> None:
    """It could be the second time. What was to be told is reported with the reason."""
    notifier = MemoryNotifier()
    told = notices.announce(notifier, KeptClaims(broken=True), _notice())
    assert not notifier.messages
    assert [telling.outcome for telling in told] == ["failed"]
    assert "the object store does not answer" in told[0].reason


def test_what_a_claim_stands_for() -> None:
    """Event, environment and key, each channel by itself: a text that changes is no other event."""
    notice = _notice()
    assert notice.claim("team") == notice.model_copy(update={"title": "another"}).claim("team")
    others = [notice.claim("desk"), _notice("run-2").claim("team"), _notice(event="request opened").claim("team")]
    assert len({notice.claim("team"), *others}) == 4
