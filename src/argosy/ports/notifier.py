"""The port of notices: a channel is a name; the address behind it is the adapter's business."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from argosy.domain.notices import Notice


@dataclass(frozen=True)
class Delivery:
    """The answer of a channel."""

    outcome: Literal["sent", "refused", "unknown"]
    """Refused: certainly nobody has it, so it may be tried again. Unknown: it may have arrived, so it may not."""
    reason: str = ""
    """Why it was not taken, in one line without the address."""


class Notifier(Protocol):
    """Tells people."""

    def knows(self, channel: str) -> bool:
        """True where *channel* has an address here."""

    def send(self, channel: str, notices: Sequence[Notice]) -> Delivery:
        """Tell *channel* of *notices* in one message.

        Ends within a minute or two, whatever the other side does, and raises nothing: what is told of has happened, and goes on.
        """
