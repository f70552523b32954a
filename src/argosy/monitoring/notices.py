"""Tells people what happened, each channel at most once of one event, whichever process sees it first or again.

What is to be told is kept first, as what no channel has yet. Then the event is claimed, one key a channel, which only one process in the
world gets. What a channel certainly did not take gives the claim back, and is told again by whoever sees the event next or tells anything
(:func:`resend`), for three days. Where it may have arrived nobody tells it again: that stays among what was not taken, for a series, an
alert and a person.

What many see, or see again, such as a request that waits, is told at most once: a store that cannot be asked means that nobody is told
until it can be. What one process sees, once, such as the end of a run (``ONE_TELLER``), nobody would ever tell then. So it is told without
a claim where the store is down, and once more where its teller was cut off between claim and message. Nothing but the message depends on
it: run, request and series of Prometheus say the same.
"""

import contextlib
import datetime
import itertools
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from argosy import errors
from argosy.domain.channel_addresses import UNTOLD
from argosy.domain.notices import ONE_TELLER, TOLD, Notice, Telling
from argosy.ports.notifier import Notifier
from argosy.ports.objects import Objects

MOST_AT_ONCE = 20
"""Notices that one message of :func:`resend` holds; the next one holds the others."""
Clock = Callable[[], datetime.datetime]


def announce(notifier: Notifier, objects: Objects, *notices: Notice, now: Clock | None = None) -> list[Telling]:
    """Tell the channels of *notices* what they have not been told, one message a channel; returns what was tried.

    Channels without an address here are passed over. Never raises: what is told of has happened. Where the store cannot be asked, only what
    nobody else will see is told.
    """
    clock = now or _now
    asked = sorted({channel for notice in notices for channel in notice.channels if notifier.knows(channel)})
    told = (_tell(notifier, objects, channel, _of(channel, notices), clock) for channel in asked)
    return list(itertools.chain.from_iterable(told))


def resend(notifier: Notifier, objects: Objects, *, now: Clock | None = None) -> list[Telling]:
    """Tell again what channels with an address here did not take, whoever saw the event; returns what was tried.

    Raises what *objects* raise.
    """
    clock = now or _now
    due: dict[str, list[Notice]] = defaultdict(list)
    for telling in untold(objects):
        if telling.is_due(clock()) and notifier.knows(telling.channel) and _may_be_told(objects, telling, clock()):
            due[telling.channel].append(telling.notice)
    told = (_tell(notifier, objects, channel, found[:MOST_AT_ONCE], clock) for channel, found in sorted(due.items()))
    return list(itertools.chain.from_iterable(told))


def _may_be_told(objects: Objects, telling: Telling, now: datetime.datetime) -> bool:
    """Whether nobody has claimed *telling*, or who did was cut off and this process is the one that tells it in its place."""
    if not _is_told(objects, telling):
        return True
    claim = _kept(objects, telling.key)
    if claim is None or telling.notice.event not in ONE_TELLER or not claim.was_cut_off(now):
        return False
    if not objects.put_new(telling.second_key, _content(claim)):
        return False
    objects.delete(telling.key)
    return True


def untold(objects: Objects, problems: list[str] | None = None) -> Iterator[Telling]:
    """What is kept as not taken; *problems* gets a line for each thing that cannot be understood. Raises what *objects* raise."""
    for key in objects.keys(UNTOLD):
        if telling := _kept(objects, key, problems):
            yield telling


def prune(objects: Objects, before: datetime.datetime, now: datetime.datetime) -> int:
    """Forget what was told, or was not, before *before*; returns how many. Raises what *objects* raise.

    What may be seen again, such as a request that is open, is kept for longer: forgotten, it would be told again.
    """
    deleted = 0
    for key in [*objects.keys(TOLD), *objects.keys(UNTOLD)]:
        telling = _kept(objects, key)
        if telling is not None and telling.is_over(before, now):
            objects.delete(key)
            deleted += 1
    return deleted


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
            objects = self.objects()
            found = list(notices())
        except errors.ArgosyError as error:
            self.report(f"nobody is told: {error}")
            return
        for line in [*lines(announce(self.notifier, objects, *found)), *again(self.notifier, objects)]:
            self.report(line)


def again(notifier: Notifier, objects: Objects) -> list[str]:
    """What was told again (:func:`resend`), a line each, or why nothing could be."""
    try:
        return [f"told again: {line}" for line in lines(resend(notifier, objects))]
    except errors.ArgosyError as error:
        return [f"what was not taken before is not told again: {error}"]


def lines(tellings: Iterable[Telling]) -> list[str]:
    """What a log says of *tellings*: a line each, in which no address is."""
    return [
        f"{telling.channel}: {telling.notice.event}: {telling.outcome}{telling.reason and f' ({telling.reason})'}"
        for telling in tellings
    ]


def _tell(notifier: Notifier, objects: Objects, channel: str, notices: Sequence[Notice], clock: Clock) -> list[Telling]:
    by = secrets.token_hex(8)
    asked = [
        Telling(notice=notice, channel=channel, at=(moment := clock()), outcome="waiting", by=by, first=moment)
        for notice in notices
    ]
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
    failed: errors.ArgosyError | None = None
    for telling in asked:
        try:
            if failed:  # it took its time to say so, and a step has not much of that
                raise failed
            if objects.get(telling.key) is None and (claimed := _claim(objects, telling)):
                mine.append(claimed)
        except errors.ArgosyError as error:
            failed = error
            if telling.notice.event in ONE_TELLER:
                mine.append(telling.claimed())
            else:
                doubtful.append(telling.ended("unknown", f"whether it was told before is not known: {error}"))
    return mine, doubtful


def _claim(objects: Objects, telling: Telling) -> Telling | None:
    """The claim on *telling*, where it is this process's. Before it is made, what is to be told is kept: no kill loses it unseen."""
    telling = telling.after(_kept(objects, telling.failure_key))
    objects.put(telling.failure_key, _content(telling))
    claim = telling.claimed()
    if _took(objects, claim):
        return claim
    _is_told(objects, telling)
    return None


def _took(objects: Objects, claim: Telling) -> bool:
    """Whether *claim* is the one that counts. A store whose answer was lost on its way may have it: it is asked whose it has."""
    try:
        return objects.put_new(claim.key, _content(claim)) or _is_ours(objects, claim)
    except errors.TryAgain:
        if _is_ours(objects, claim):
            return True
        raise


def _is_ours(objects: Objects, claim: Telling) -> bool:
    there = _kept(objects, claim.key)
    return there is not None and there.by == claim.by


def _is_told(objects: Objects, telling: Telling) -> bool:
    """Whether somebody claimed *telling*; where its channel has it, it is not kept as not taken any more."""
    there = _kept(objects, telling.key)
    if there is not None and there.outcome == "sent":
        objects.delete(telling.failure_key)
    return there is not None


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


def _kept(objects: Objects, key: str, problems: list[str] | None = None) -> Telling | None:
    content = objects.get(key)
    if content is None:
        return None
    try:
        return Telling.model_validate_json(content)
    except ValidationError as error:
        if problems is not None:
            problems.append(f"{key} is no notice: {error.errors(include_input=False)[0]['msg']}")
        return None


def _of(channel: str, notices: Iterable[Notice]) -> list[Notice]:
    heard = (notice for notice in notices if channel in notice.channels)
    return list({notice.claim(channel): notice for notice in heard}.values())


def _content(telling: Telling) -> bytes:
    return telling.canonical_json().encode()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
