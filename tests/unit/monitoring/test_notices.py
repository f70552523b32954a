"""People hear of an event once, and the run that tells them goes on whatever comes of it."""

import json

import pytest

from argosy import errors
from argosy.adapters.memory_notifier import MemoryNotifier
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain.notices import Event, Notice
from argosy.monitoring import notices
from argosy.ports.notifier import Delivery


class BrokenObjects(MemoryObjects):
    """Nothing can be asked of it."""

    def put_new(self, key: str, content: bytes) -> bool:
        raise errors.TryAgain("the object store does not answer")


def _outcomes(objects: MemoryObjects, kind: str) -> list[tuple[str, str]]:
    """Channel and outcome of what is kept under *kind*."""
    found = [json.loads(objects.get(key) or b"") for key in objects.keys(f"{kind}/")]
    return [(each["channel"], each["outcome"]) for each in found]


def _notice(key: str = "run-1", event: Event = "step failed", channels: tuple[str, ...] = ("team",)) -> Notice:
    return Notice(event=event, model="churn", owner="growth", title="churn: train failed", key=key, channels=channels)


def test_an_event_is_told_once() -> None:
    """Seen again, by the same process or by another, it is the same event."""
    notifier, store = MemoryNotifier(), MemoryObjects()
    assert [telling.outcome for telling in notices.announce(notifier, store, _notice())] == ["sent"]
    assert notices.announce(notifier, store, _notice(), _notice()) == []
    assert len(notifier.messages) == 1
    assert _outcomes(store, "notices") == [("team", "sent")]


def test_events_of_one_moment_are_one_message_a_channel() -> None:
    """Grouped, and each channel gets only what it hears of."""
    notifier = MemoryNotifier()
    both, one = _notice("a", channels=("desk", "team")), _notice("b")
    notices.announce(notifier, MemoryObjects(), both, one)
    assert notifier.messages == [("desk", (both,)), ("team", (both, one))]


def test_what_certainly_nobody_has_is_told_by_whoever_sees_it_next() -> None:
    """A channel that was down hears of it later, once; the failure is kept until then; another channel has it at once."""
    notifier, store = MemoryNotifier(failing={"desk": Delivery("refused", "answered 404")}), MemoryObjects()
    told = notices.announce(notifier, store, _notice(channels=("desk", "team")))
    assert [(telling.channel, telling.outcome) for telling in told] == [("desk", "refused"), ("team", "sent")]
    assert _outcomes(store, "notices-not-taken") == [("desk", "refused")]
    notifier.failing.clear()
    for _ in range(2):
        notices.announce(notifier, store, _notice(channels=("desk", "team")))
    assert [channel for channel, _ in notifier.messages] == ["team", "desk"]
    assert _outcomes(store, "notices-not-taken") == []


def test_what_may_have_arrived_is_not_told_again() -> None:
    """An answer that came too late: at most once, so it is kept as a failure, and that is all."""
    notifier, store = MemoryNotifier(failing={"team": Delivery("unknown", "no answer")}), MemoryObjects()
    notices.announce(notifier, store, _notice())
    notifier.failing.clear()
    assert notices.announce(notifier, store, _notice()) == []
    assert notifier.messages == []
    assert _outcomes(store, "notices-not-taken") == [("team", "unknown")]


def test_who_is_killed_between_claim_and_message_loses_it() -> None:
    """It is not told twice; what stays is a claim that says so."""

    class Killed(MemoryNotifier):
        def send(self, channel: str, notices: object) -> Delivery:
            raise KeyboardInterrupt

    notifier, store = MemoryNotifier(), MemoryObjects()
    with pytest.raises(KeyboardInterrupt):
        notices.announce(Killed(), store, _notice())
    assert notices.announce(notifier, store, _notice()) == []
    assert _outcomes(store, "notices") == [("team", "claimed")]


def test_a_store_that_fails_means_that_nobody_is_told() -> None:
    """It could be the second time. What was to be told is reported with the reason."""
    notifier = MemoryNotifier()
    told = notices.announce(notifier, BrokenObjects(), _notice())
    assert not notifier.messages
    assert [telling.outcome for telling in told] == ["unknown"]
    assert notices.lines(told) == [
        "team: step failed: unknown (whether it was told before is not known: the object store does not answer)"
    ]


def test_a_channel_without_an_address_claims_nothing() -> None:
    """Elsewhere it may have one, and then it is told there."""
    store = MemoryObjects()
    assert notices.announce(MemoryNotifier(unknown=["team"]), store, _notice()) == []
    assert list(store.keys()) == []
    assert [telling.outcome for telling in notices.announce(MemoryNotifier(), store, _notice())] == ["sent"]


def test_what_a_claim_stands_for() -> None:
    """Event, environment and key, each channel by itself: a text that changes is no other event."""
    notice = _notice()
    assert notice.claim("team") == notice.model_copy(update={"title": "another"}).claim("team")
    others = [notice.claim("desk"), _notice("run-2").claim("team"), _notice(event="request opened").claim("team")]
    assert len({notice.claim("team"), *others}) == 4
