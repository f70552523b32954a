"""A notifier in memory, for tests."""

from collections.abc import Sequence

from argosy.domain.notices import Notice


class MemoryNotifier:
    """The fake notifier of tests; see :class:`argosy.ports.notifier.Notifier`."""

    def __init__(self, *, failing: dict[str, str] | None = None) -> None:
        """*failing*: channels that take nothing, each with the reason."""
        self.failing = failing or {}
        self.messages: list[tuple[str, tuple[Notice, ...]]] = []
        """Channel and notices of each message, in order."""

    def send(self, channel: str, notices: Sequence[Notice]) -> str | None:
        if channel in self.failing:
            return self.failing[channel]
        self.messages.append((channel, tuple(notices)))
        return None
