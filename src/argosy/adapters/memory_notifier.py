"""A notifier in memory, for tests."""

from collections.abc import Collection, Mapping, Sequence

from argosy.domain.notices import Notice
from argosy.ports.notifier import Delivery


class MemoryNotifier:
    """The fake notifier of tests; see :class:`argosy.ports.notifier.Notifier`."""

    def __init__(self, *, failing: Mapping[str, Delivery] | None = None, unknown: Collection[str] = ()) -> None:
        """*failing*: the answers of channels that take nothing. *unknown*: channels without an address."""
        self.failing = dict(failing or {})
        self.messages: list[tuple[str, tuple[Notice, ...]]] = []
        """Channel and notices of each message, in order."""
        self._unknown = unknown

    def knows(self, channel: str) -> bool:
        return channel not in self._unknown

    def send(self, channel: str, notices: Sequence[Notice]) -> Delivery:
        if channel in self.failing:
            return self.failing[channel]
        self.messages.append((channel, tuple(notices)))
        return Delivery("sent")
