"""Notices: what people are told of, to whom, and the key that makes it once.

A notice is short, in words for people, and holds no secret and nobody's address, whoever wrote its texts. How it reaches a channel is an
adapter's work, that it does so once is ``monitoring.notices``'.
"""

import datetime
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, AwareDatetime, Field

from argosy.domain.channel_addresses import UNTOLD
from argosy.domain.documents import Document, sha256
from argosy.domain.redaction import redacted

Event = Literal[
    "step failed",
    "validation stopped",
    "request opened",
    "request waiting",
    "request superseded",
    "canary aborted",
    "retraining started",
    "retraining refused",
    "retraining ended",
]
EVENTS: tuple[Event, ...] = get_args(Event)
BAD: frozenset[Event] = frozenset(
    {"step failed", "validation stopped", "request waiting", "canary aborted", "retraining refused"}
)
"""Those that somebody may have to do something about."""

ChannelName = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$", max_length=40)]

LONGEST_TITLE = 160
LONGEST_TEXT = 2_000
"""Characters. Chats cut at some thousands; whoever needs more follows the link."""
TOLD = "notices/"
"""What the keys of claims begin with, below the monitoring store."""
GIVEN_UP = datetime.timedelta(days=3)
"""Age from which nobody tries to tell an event any more: it is no news."""
PAUSE, LONGEST_PAUSE = datetime.timedelta(minutes=5), datetime.timedelta(hours=6)
"""Between the first two attempts, doubled from one to the next, and at most."""
LASTING: frozenset[Event] = frozenset({"request opened", "request superseded", "canary aborted"})
"""Those that are seen again for as long as a request is open or a canary stands, and are told once all the same."""
ONE_TELLER: frozenset[Event] = frozenset(
    {"step failed", "validation stopped", "retraining started", "retraining ended"}
)
"""Those that one process sees, once. It tells of them also where it cannot be known whether it did before, and where it was cut off they
are told once more: twice, in the rare case, is better than never. All others are seen again, by many, so of those nobody is told twice."""
LASTING_KEPT = datetime.timedelta(days=400)


def _line(text: str) -> str:
    return _cut(" ".join(redacted(text).split()), LONGEST_TITLE)


def _lines(text: str) -> str:
    return _cut(redacted(text).strip(), LONGEST_TEXT)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


class Notice(Document):
    """One thing that happened, for people."""

    event: Event
    model: str
    environment: str | None = None
    owner: str
    """Who answers for the model."""
    title: Annotated[str, AfterValidator(_line), Field(min_length=1)]
    text: Annotated[str, AfterValidator(_lines)] = ""
    """The reason, and the command that helps."""
    link: Annotated[str, AfterValidator(_line)] | None = None
    key: Annotated[str, Field(min_length=1)]
    """What makes it the same event when it is seen again, such as a request's number, or a day."""
    channels: tuple[ChannelName, ...] = ()
    """Who hears of it; nobody where empty."""

    def claim(self, channel: str) -> str:
        """The key, below the monitoring store, that whoever tells *channel* of it takes first."""
        digest = sha256(f"{self.event}\n{self.environment or ''}\n{self.key}".encode()).removeprefix("sha256:")
        return f"{TOLD}{self.model}/{channel}/{digest}.json"


class Telling(Document):
    """What became of telling one channel of a notice; kept under its claim."""

    notice: Notice
    channel: str
    at: AwareDatetime
    outcome: Literal["waiting", "claimed", "sent", "refused", "unknown"]
    """Waiting: it is about to be claimed, or was. Claimed: whoever claimed it is at it, or was cut off. Refused: nobody has it, and it is
    told again. Unknown: it may have arrived, and nobody tells it again."""
    reason: str = ""
    """Why it failed, or is not known to have arrived. No address is in it: addresses hold tokens."""
    by: str = ""
    """Who claims it, a word of its own each time: a store whose answer was lost is asked whose claim it has."""
    first: AwareDatetime | None = None
    """When it was first to be told; None from an earlier Argosy."""
    attempts: int = Field(default=0, ge=0)
    """How often it was refused."""

    @property
    def key(self) -> str:
        """Where it is kept, and what is claimed before anything is sent."""
        return self.notice.claim(self.channel)

    def ended(self, outcome: Literal["sent", "refused", "unknown"], reason: str) -> Self:
        """This, with what became of it."""
        refused = self.attempts + (outcome == "refused")
        return self.model_copy(update={"outcome": outcome, "reason": reason, "attempts": refused})

    def claimed(self) -> Self:
        """This, as it is kept under its claim."""
        return self.model_copy(update={"outcome": "claimed"})

    def after(self, earlier: "Telling | None") -> Self:
        """This, as another attempt at what *earlier* was one at."""
        if earlier is None:
            return self
        return self.model_copy(update={"first": earlier.first or earlier.at, "attempts": earlier.attempts})

    def is_old(self, now: datetime.datetime) -> bool:
        """Whether it is no news any more."""
        return now - (self.first or self.at) >= GIVEN_UP

    def is_due(self, now: datetime.datetime) -> bool:
        """Whether it is to be tried again: nobody has it, and the channel was left alone for a while."""
        pause = min(PAUSE * 2 ** min(max(self.attempts - 1, 0), 10), LONGEST_PAUSE)
        return self.outcome in {"waiting", "refused"} and now - self.at >= pause and not self.is_old(now)

    def was_cut_off(self, now: datetime.datetime) -> bool:
        """Whether, as its claim has it, its teller is gone before it could say what became of it."""
        return self.outcome == "claimed" and now - self.at >= PAUSE

    def is_over(self, before: datetime.datetime, now: datetime.datetime) -> bool:
        """Whether it may be forgotten, where what is of *before* may: not while the same event could be seen again and told twice."""
        kept_since = min(before, now - LASTING_KEPT) if self.notice.event in LASTING else before
        return self.at < kept_since

    @property
    def second_key(self) -> str:
        """What is claimed by whoever tells it again in place of a teller that was cut off: there is no third time."""
        return f"{self.key.removesuffix('.json')}-again.json"

    @property
    def failure_key(self) -> str:
        """Where it is kept for as long as the channel is not known to have it."""
        return UNTOLD + self.key.removeprefix(TOLD)
