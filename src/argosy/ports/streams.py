"""Port: a stream of questions, and where their answers go, as one thing: an answer counts once with the question it is of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StreamMessage:
    """A question, as it lies in its topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    """None: a tombstone, which asks nothing."""

    @property
    def request_id(self) -> str:
        """The same each time the message is read."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class StreamAnswer:
    """An answer, or a refusal with the question in it."""

    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    refused: bool = False


class Stream(Protocol):
    """A place among those that read a topic together. Each verb may wait, so it belongs in a thread.

    Each raises Misconfigured where somebody has to act first (a topic that is not there, no right), TryAgain where the brokers fail for
    longer than their client waits.
    """

    def poll(self, most: int, seconds: float) -> list[StreamMessage]:
        """The next messages, at most so many, after at most so long; none where there are none."""

    def answer(self, answers: Sequence[StreamAnswer]) -> bool:
        """Make *answers* to all messages that were polled since the last time durable, and with them, as one, that they are answered.

        False where that was undone (another took the place over, a broker changed): the messages come again, to whoever has the place.
        """

    def lag(self) -> int:
        """Messages that wait in the partitions which this place has."""

    def close(self) -> None:
        """Give the place up; what was polled and not answered comes again."""
