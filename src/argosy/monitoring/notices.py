"""Tells people what happened, each channel at most once of one event, whichever process sees it first or again.

Before anything is sent the event is claimed, one key a channel, which only one process in the world gets. So a crash between claim and
message loses that message and never doubles it: what stays behind is a claim without an outcome, which ``untold`` finds. Told by a second
way, or looked up, everything is still there: a run, a request and a metric do not depend on a message.
"""

import contextlib
import datetime
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from argosy import errors
from argosy.domain.notices import Notice, Telling
from argosy.ports.notifier import Notifier


class ClaimStore(Protocol):
    """What is asked of the store in which events are claimed."""

    def put_new(self, key: str, content: bytes) -> bool: ...

    def put(self, key: str, content: bytes) -> None: ...


def announce(
    notifier: Notifier, objects: ClaimStore, *notices: Notice, now: Callable[[], datetime.datetime] | None = None
) -> list[Telling]:
    """Tell the channels of *notices* what they have not been told, one message a channel; returns what was tried.

    Never raises: what is told of has happened. A store that cannot be asked means that nobody is told, since it could be the second time.
    """
    clock = now or _now
    asked = sorted({channel for notice in notices for channel in notice.channels})
    told = (_tell(notifier, objects, channel, _of(channel, notices), clock) for channel in asked)
    return list(itertools.chain.from_iterable(told))


def _tell(
    notifier: Notifier,
    objects: ClaimStore,
    channel: str,
    notices: Sequence[Notice],
    clock: Callable[[], datetime.datetime],
) -> list[Telling]:
    claimed = [Telling(notice=notice, channel=channel, at=clock(), outcome="claimed") for notice in notices]
    try:
        mine = [telling for telling in claimed if objects.put_new(telling.key, _content(telling))]
    except errors.TryAgain as error:
        return [_ended(telling, f"whether it was told already is not known: {error}") for telling in claimed]
    if not mine:
        return []
    reason = notifier.send(channel, [telling.notice for telling in mine])
    ended = [_ended(telling, reason) for telling in mine]
    for telling in ended:
        with contextlib.suppress(errors.TryAgain):  # the claim stands, and says that it was tried
            objects.put(telling.key, _content(telling))
    return ended


def _of(channel: str, notices: Iterable[Notice]) -> list[Notice]:
    heard = (notice for notice in notices if channel in notice.channels)
    return list({notice.claim(channel): notice for notice in heard}.values())


def _ended(telling: Telling, reason: str | None) -> Telling:
    return telling.model_copy(update={"outcome": "failed" if reason else "sent", "reason": reason or ""})


def _content(telling: Telling) -> bytes:
    return telling.canonical_json().encode()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
