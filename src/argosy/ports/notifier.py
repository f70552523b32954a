"""The port of notices: a channel is a name; the address behind it, the adapter's business."""

from collections.abc import Sequence
from typing import Protocol

from argosy.domain.notices import Notice


class Notifier(Protocol):
    """Tells people."""

    def send(self, channel: str, notices: Sequence[Notice]) -> str | None:
        """Tell *channel* of *notices* in one message; None where it was taken, else why not, in one line without the address.

        Ends within a minute, whatever the other side does, and raises nothing: what is told of has happened, and goes on.
        """
