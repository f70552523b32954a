"""People hear of an event once, and the run that tells them goes on whatever comes of it."""

import datetime
import json
from collections.abc import Iterator

import pytest

from argosy import errors
from argosy.adapters.memory_notifier import MemoryNotifier
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain.notices import ONE_TELLER, Event, Notice
from argosy.monitoring import notices
from argosy.ports.notifier import Delivery

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
MINUTE, DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)
LATER = NOON + DAY


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


class Killed(MemoryNotifier):
    """Is cut off before anything is sent."""

    def send(self, channel: str, notices: object) -> Delivery:
        raise KeyboardInterrupt


def _cut_off(event: Event) -> MemoryObjects:
    """The store after a teller of *event* was killed between its claim and the message."""
    store = MemoryObjects()
    with pytest.raises(KeyboardInterrupt):
        notices.announce(Killed(), store, _notice(event=event), now=lambda: NOON)
    return store


def test_who_is_killed_between_claim_and_message_is_seen() -> None:
    """What many see is not told twice, since it may have arrived; it stays among what no channel is known to have."""
    notifier, store = MemoryNotifier(), _cut_off("request opened")
    assert notices.announce(notifier, store, _notice(event="request opened")) == []
    assert notices.resend(notifier, store, now=lambda: LATER) == []
    assert _outcomes(store, "notices") == [("team", "claimed")]
    assert _outcomes(store, "notices-not-taken") == [("team", "waiting")]


@pytest.mark.parametrize("event", sorted(ONE_TELLER))
def test_what_one_process_sees_is_told_once_more_where_that_was_killed(event: Event) -> None:
    """By one of those that come by later, and not while it may still be at it; there is no third time."""
    notifier, store = MemoryNotifier(), _cut_off(event)
    assert notices.resend(notifier, store, now=lambda: NOON + MINUTE) == []
    again = [notices.resend(notifier, store, now=lambda: LATER) for _ in range(2)]
    assert [[telling.outcome for telling in told] for told in again] == [["sent"], []]
    assert _outcomes(store, "notices-not-taken") == []
    assert notices.announce(notifier, store, _notice(event=event)) == []


def test_whoever_tells_in_place_of_another_is_cut_off_too() -> None:
    """Then it is listed, and a person tells it."""
    store = _cut_off("step failed")
    with pytest.raises(KeyboardInterrupt):
        notices.resend(Killed(), store, now=lambda: LATER)
    assert notices.resend(MemoryNotifier(), store, now=lambda: LATER + DAY) == []
    assert _outcomes(store, "notices-not-taken") == [("team", "waiting")]


class LosingObjects(MemoryObjects):
    """Takes what it is given, and the answer to the first claim is lost on its way: asked again, it says that something is there."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self._error = error
        self._lost = False

    def put_new(self, key: str, content: bytes) -> bool:
        took = super().put_new(key, content)
        if self._lost:
            return took
        self._lost = True
        if self._error:
            raise self._error
        return False


@pytest.mark.parametrize(
    "error", [None, errors.TryAgain("the object store does not answer")], ids=["asked-again", "gone"]
)
def test_a_claim_whose_answer_was_lost(error: Exception | None) -> None:
    """It is whose word it holds: told once, and not lost between a store that says no and nobody who claimed it."""
    notifier, store = MemoryNotifier(), LosingObjects(error)
    notices.announce(notifier, store, _notice())
    notices.announce(notifier, store, _notice())
    assert [channel for channel, _ in notifier.messages] == ["team"]
    assert _outcomes(store, "notices-not-taken") == []


def test_what_is_seen_once_is_told_again() -> None:
    """A run ends once: what its channel refused is told by whoever tells anything later, with more and more time between."""
    notifier, store = MemoryNotifier(failing={"team": Delivery("refused", "answered 503")}), MemoryObjects()
    notices.announce(notifier, store, _notice(), now=lambda: NOON)
    assert notices.resend(notifier, store, now=lambda: NOON + MINUTE) == []
    tried = [
        minute
        for minute in range(2, 60)
        if notices.resend(notifier, store, now=lambda minute=minute: NOON + minute * MINUTE)  # type: ignore[misc]
    ]
    assert tried == [5, 15, 35]
    notifier.failing.clear()
    told = notices.resend(notifier, store, now=lambda: LATER)
    assert [(telling.outcome, telling.first) for telling in told] == [("sent", NOON)]
    assert notices.resend(notifier, store, now=lambda: LATER) == []
    assert [channel for channel, _ in notifier.messages] == ["team"]
    assert _outcomes(store, "notices-not-taken") == []


def test_old_news_is_told_to_nobody() -> None:
    """After three days it is given up, and still listed."""
    notifier, store = MemoryNotifier(failing={"team": Delivery("refused", "answered 404")}), MemoryObjects()
    notices.announce(notifier, store, _notice(), now=lambda: NOON)
    notifier.failing.clear()
    assert notices.resend(notifier, store, now=lambda: NOON + 3 * DAY) == []
    assert [telling.outcome for telling in notices.untold(store)] == ["refused"]


def test_who_is_killed_before_the_claim_loses_nothing() -> None:
    """What was to be told is kept before it is claimed."""

    class Killed(MemoryObjects):
        def put_new(self, key: str, content: bytes) -> bool:
            raise KeyboardInterrupt

    notifier, store = MemoryNotifier(), Killed()
    with pytest.raises(KeyboardInterrupt):
        notices.announce(notifier, store, _notice(), now=lambda: NOON)
    after = MemoryObjects()
    for key in list(store.keys()):
        after.put(key, store.get(key) or b"")
    assert [telling.outcome for telling in notices.resend(notifier, after, now=lambda: LATER)] == ["sent"]


def test_an_announcer_tells_again_what_others_could_not() -> None:
    """Such as `converge`, every two minutes, with nothing of its own to tell."""
    notifier, store = MemoryNotifier(failing={"team": Delivery("refused", "answered 404")}), MemoryObjects()
    notices.announce(notifier, store, _notice(), now=lambda: datetime.datetime.now(datetime.UTC) - 10 * MINUTE)
    notifier.failing.clear()
    said: list[str] = []
    notices.Announcer(notifier, lambda: store, said.append, reaches_anybody=True).tell(list)
    assert said == ["told again: team: step failed: sent"]


def test_old_notices_are_forgotten() -> None:
    """Of runs after the days that were asked for; of requests and canaries not before they are surely gone: they would be told again."""
    store = MemoryObjects()
    told = [_notice("a"), _notice("b", event="request opened"), _notice("c", event="canary aborted")]
    notices.announce(MemoryNotifier(), store, *told, now=lambda: NOON)
    refusing = MemoryNotifier(failing={"team": Delivery("refused", "answered 404")})
    notices.announce(refusing, store, _notice("d"), now=lambda: NOON)
    assert notices.prune(store, NOON, NOON + 90 * DAY) == 0
    assert notices.prune(store, NOON + DAY, NOON + 91 * DAY) == 2
    assert notices.announce(MemoryNotifier(), store, *told[1:]) == []
    assert notices.prune(store, NOON + DAY, NOON + 401 * DAY) == 2
    assert list(store.keys()) == []


def test_a_store_that_fails_means_that_nobody_is_told_twice() -> None:
    """What others see again waits for it. What was to be told is reported with the reason."""
    notifier = MemoryNotifier()
    told = notices.announce(notifier, BrokenObjects(), _notice(event="request waiting"))
    assert not notifier.messages
    assert [telling.outcome for telling in told] == ["unknown"]
    assert notices.lines(told) == [
        "team: request waiting: unknown (whether it was told before is not known: the object store does not answer)"
    ]


class DownObjects(BrokenObjects):
    """Counts how often it was asked before anything was sent, and answers nothing."""

    asked = 0

    def get(self, key: str) -> bytes | None:
        self.asked += 1
        raise errors.TryAgain("the object store does not answer")

    def put(self, key: str, content: bytes) -> None:
        raise errors.TryAgain("the object store does not answer")

    def keys(self, prefix: str = "") -> Iterator[str]:
        raise errors.TryAgain("the object store does not answer")


@pytest.mark.parametrize("store", [BrokenObjects(), DownObjects()], ids=["reads", "down"])
def test_the_end_of_a_run_is_told_though_the_store_is_down(store: MemoryObjects) -> None:
    """Nobody else will see it."""
    notifier, said = MemoryNotifier(), list[str]()
    both = (_notice(event="step failed"), _notice(event="retraining ended"))
    notices.Announcer(notifier, lambda: store, said.append, reaches_anybody=True).tell(lambda: both)
    assert notifier.messages == [("team", both)]
    assert said[:2] == ["team: step failed: sent", "team: retraining ended: sent"]


def test_a_store_that_is_down_is_asked_once_a_message() -> None:
    """Each question may take minutes, and an exit handler has five."""
    store = DownObjects()
    notices.announce(MemoryNotifier(), store, *(_notice(key) for key in "abcd"))
    assert store.asked == 1


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
