"""Tells people what happened, each channel at most once of one event, whichever process sees it first or again.

Before anything is sent the event is claimed, one key a channel, which only one process in the world gets. A crash between claim and message
loses that message and never doubles it: what stays is a claim without an outcome. A channel that certainly took nothing gives the claim
back, and whoever sees the event next tells it; where it may have arrived, nobody does. Nothing but the message depends on it: run, request
and series of Prometheus say the same.
"""

import contextlib
import datetime
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from argosy import errors
from argosy.domain.notices import Notice, Telling
from argosy.ports.notifier import Notifier
from argosy.ports.objects import Objects


def announce(
    notifier: Notifier, objects: Objects, *notices: Notice, now: Callable[[], datetime.datetime] | None = None
) -> list[Telling]:
    """Tell the channels of *notices* what they have not been told, one message a channel; returns what was tried.

    Channels without an address here are passed over. Never raises: what is told of has happened. A store that cannot be asked means that
    nobody is told, since it could be the second time.
    """
    clock = now or _now
    asked = sorted({channel for notice in notices for channel in notice.channels if notifier.knows(channel)})
    told = (_tell(notifier, objects, channel, _of(channel, notices), clock) for channel in asked)
    return list(itertools.chain.from_iterable(told))


@dataclass(frozen=True)
class Announcer:
    """What a step tells people with, without knowing of channels; none of it changes what the step is there for."""

    notifier: Notifier
    objects: Callable[[], Objects]
    report: Callable[[str], None]
    """Has a line for each channel that was told or could not be."""
    reaches_anybody: bool
    """False where no channel has an address: nothing is asked then, not even what there would be to tell."""

    def tell(self, notices: Callable[[], Iterable[Notice]]) -> None:
        """Tell of *notices*, which may fail to be found out: that is a line, too."""
        if not self.reaches_anybody:
            return
        try:
            told = announce(self.notifier, self.objects(), *notices())
        except errors.ArgosyError as error:
            self.report(f"nobody is told: {error}")
            return
        for line in lines(told):
            self.report(line)


def lines(tellings: Iterable[Telling]) -> list[str]:
    """What a log says of *tellings*: a line each, in which no address is."""
    return [
        f"{telling.channel}: {telling.notice.event}: {telling.outcome}{telling.reason and f' ({telling.reason})'}"
        for telling in tellings
    ]


def _tell(
    notifier: Notifier,
    objects: Objects,
    channel: str,
    notices: Sequence[Notice],
    clock: Callable[[], datetime.datetime],
) -> list[Telling]:
    asked = [Telling(notice=notice, channel=channel, at=clock(), outcome="claimed") for notice in notices]
    mine, doubtful = _claimed(objects, asked)
    if not mine:
        return doubtful
    delivery = notifier.send(channel, [telling.notice for telling in mine])
    ended = [telling.ended(delivery.outcome, delivery.reason) for telling in mine]
    for telling in ended:
        with contextlib.suppress(errors.ArgosyError):  # the claim stands, and says that it was tried
            _keep(objects, telling)
    return [*doubtful, *ended]


def _claimed(objects: Objects, asked: Sequence[Telling]) -> tuple[list[Telling], list[Telling]]:
    """Those of *asked* that this process has to tell, and those of which it cannot be known."""
    mine, doubtful = [], []
    for telling in asked:
        try:
            if objects.put_new(telling.key, _content(telling)):
                mine.append(telling)
        except errors.ArgosyError as error:
            doubtful.append(telling.ended("unknown", f"whether it was told before is not known: {error}"))
    return mine, doubtful


def _keep(objects: Objects, telling: Telling) -> None:
    if telling.outcome == "sent":
        objects.put(telling.key, _content(telling))
        objects.delete(telling.failure_key)
        return
    objects.put(telling.failure_key, _content(telling))
    if telling.outcome == "refused":
        objects.delete(telling.key)
    else:
        objects.put(telling.key, _content(telling))


def _of(channel: str, notices: Iterable[Notice]) -> list[Notice]:
    heard = (notice for notice in notices if channel in notice.channels)
    return list({notice.claim(channel): notice for notice in heard}.values())


def _content(telling: Telling) -> bytes:
    return telling.canonical_json().encode()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
