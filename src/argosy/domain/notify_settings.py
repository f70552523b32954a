"""The section ``notify`` of a model's ``model.yaml``: who hears of what.

It names channels only. The address of one holds a token or a password as a rule, so it is the environment's: ``ARGOSY_NOTIFY_<CHANNEL>``.
"""

from collections.abc import Mapping

from pydantic import Field

from argosy.domain.documents import Document
from argosy.domain.notices import EVENTS, ChannelName, Event


class Channel(Document):
    """What one channel hears of."""

    events: list[Event] = Field(default=list(EVENTS), min_length=1, description="Of what; of everything where absent.")


Notify = dict[ChannelName, Channel]
"""By the channel's name."""


def hearing(notify: Mapping[str, Channel], event: Event) -> tuple[str, ...]:
    """The channels that hear of *event*."""
    return tuple(sorted(name for name, channel in notify.items() if event in channel.events))


class Audience(Document):
    """Who hears of a model: what travels with it in its evidence, for those who see it where no ``model.yaml`` is."""

    owner: str
    notify: Notify

    def hearing(self, event: Event) -> tuple[str, ...]:
        """The channels that hear of *event*."""
        return hearing(self.notify, event)
