"""Notices: what people are told of, to whom, and the key that makes it once.

A notice is short, in words for people, and holds no row's value and no secret: texts that steps or services wrote are passed through
``plain`` first. How it reaches a channel is an adapter's work, that it does so once is ``monitoring.notices``'.
"""

from typing import Annotated, Literal, get_args

from pydantic import AwareDatetime, Field

from argosy.domain.documents import Document, sha256

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

ChannelName = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$", max_length=40)]

LONGEST_TITLE = 160
LONGEST_TEXT = 2_000
"""Characters. Chats cut at some thousands; whoever needs more follows the link."""


class Notice(Document):
    """One thing that happened, for people."""

    event: Event
    model: str
    environment: str | None = None
    owner: str
    """Who answers for the model."""
    title: Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE)]
    text: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    """The reason, and the command that helps."""
    link: str | None = None
    key: Annotated[str, Field(min_length=1)]
    """What makes it the same event when it is seen again, such as a request's number, or a day."""
    channels: tuple[ChannelName, ...] = ()
    """Who hears of it; nobody where empty."""

    def claim(self, channel: str) -> str:
        """The key, below the monitoring store, that whoever tells *channel* of it takes first."""
        digest = sha256(f"{self.event}\n{self.environment or ''}\n{self.key}".encode()).removeprefix("sha256:")
        return f"notices/{self.model}/{channel}/{digest}.json"


class Telling(Document):
    """What became of telling one channel of a notice; kept under its claim."""

    notice: Notice
    channel: str
    at: AwareDatetime
    outcome: Literal["claimed", "sent", "failed"]
    """Claimed: whoever claimed it is at it, or was cut off; nobody tells it again, since it may have arrived."""
    reason: str = ""
    """Why it failed. No address is in it: addresses hold tokens."""

    @property
    def key(self) -> str:
        """Where it is kept, and what is claimed before anything is sent."""
        return self.notice.claim(self.channel)
