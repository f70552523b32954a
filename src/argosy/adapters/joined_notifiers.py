"""Several notifiers as one: each channel is told by the first that knows it."""

from collections.abc import Sequence

from argosy.domain.notices import Notice
from argosy.ports.notifier import Delivery, Notifier


class JoinedNotifiers:
    """See :class:`argosy.ports.notifier.Notifier`."""

    def __init__(self, notifiers: Sequence[Notifier]) -> None:
        self._notifiers = list(notifiers)

    def knows(self, channel: str) -> bool:
        """See the port."""
        return any(each.knows(channel) for each in self._notifiers)

    def send(self, channel: str, notices: Sequence[Notice]) -> Delivery:
        """See the port. What is brought by others may raise, though it must not: then nobody knows whether it arrived."""
        for each in self._notifiers:
            if each.knows(channel):
                try:
                    return each.send(channel, notices)
                except Exception as error:  # noqa: BLE001 - what is told of has happened, and goes on
                    return Delivery("unknown", f"the notifier of {channel} failed: {type(error).__name__}")
        return Delivery("refused", f"nobody here knows the channel {channel}")
