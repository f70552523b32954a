"""A stream in Kafka, with Confluent's client: answers and the offsets of their questions are one transaction.

Whoever reads the answers with ``isolation.level=read_committed`` sees each once, whatever was killed meanwhile.
"""

import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from argosy import errors
from argosy.adapters.kafka.kafka_failures import SOMEBODY_HAS_TO_ACT, reported
from argosy.ports.streams import StreamAnswer, StreamMessage

SECONDS = 30.0
"""For what brokers are asked and have to answer."""
TRANSACTION_SECONDS = 10
"""For one transaction. One whose client was killed is open for as long, and nobody reads on behind it, neither answers nor offsets."""
COMMITS = 3
"""Attempts to end a transaction whose answer did not come: it may have ended, and asking again tells."""
_log = logging.getLogger("argosy.serving")


class KafkaStream:
    """See :class:`argosy.ports.streams.Stream`."""

    def __init__(self, settings: Mapping[str, str], group: str, source: str, target: str, refusals: str) -> None:
        """Read topic *source* as one of *group*, answer to *target*, refuse to *refusals*.

        *settings*: of the client, as librdkafka names them.
        """
        self._settings, self._group = settings, group
        self._source, self._target, self._refusals = source, target, refusals
        self._next: dict[int, int] = {}
        """By partition the offset behind what was polled since the last answer."""
        self._place: _Place | None = self._taken()

    def poll(self, most: int, seconds: float) -> list[StreamMessage]:
        """See the port."""
        if self._place is None:
            self._place = self._taken()
        with reported(f"read {self._source}"):
            try:
                messages = list(map(_message, self._place.consumer.consume(most, seconds)))
            except KafkaException:
                self._next.clear()
                self.close()  # what came with it comes again
                raise
        for message in messages:
            self._next[message.partition] = message.offset + 1
        return messages

    def answer(self, answers: Sequence[StreamAnswer]) -> bool:
        """See the port."""
        if not self._next or self._place is None:
            return self._place is not None
        with reported(f"answer to {self._target}"):
            try:
                self._transact(self._place, answers)
            except KafkaException as error:
                self._undo(self._place, error.args[0])
                return False
            finally:
                self._next.clear()
        return True

    def lag(self) -> int:
        """See the port."""
        if self._place is None:
            return 0
        consumer, waiting = self._place.consumer, 0
        with reported(f"measure {self._source}"):
            for place in consumer.position(consumer.assignment()):
                _, end = consumer.get_watermark_offsets(place, timeout=SECONDS, cached=True)
                if place.offset >= 0:
                    waiting += max(0, end - place.offset)
        return waiting

    def close(self) -> None:
        """See the port."""
        if self._place is not None:
            self._place.consumer.close()
            self._place = None

    def _taken(self) -> "_Place":
        with reported(f"begin to answer {self._source}"):
            place = _Place(self._settings, self._group)
            known = place.consumer.list_topics(timeout=SECONDS).topics
            for name in (self._source, self._target, self._refusals):
                if name not in known or not known[name].partitions:
                    place.consumer.close()
                    raise errors.Misconfigured(f"Kafka has no topic {name!r}; make it first, or name another")
            place.producer.init_transactions(SECONDS)
            place.consumer.subscribe([self._source])
            return place

    def _transact(self, place: "_Place", answers: Sequence[StreamAnswer]) -> None:
        place.producer.begin_transaction()
        for answer in answers:
            place.produce(self._refusals if answer.refused else self._target, answer)
        offsets = [TopicPartition(self._source, partition, offset) for partition, offset in self._next.items()]
        place.producer.send_offsets_to_transaction(offsets, place.consumer.consumer_group_metadata(), SECONDS)
        place.commit()

    def _undo(self, place: "_Place", error: KafkaError) -> None:
        """Undo the transaction that *error* ended, and go back to what is not answered."""
        if error.code() in SOMEBODY_HAS_TO_ACT:
            self.close()
            raise KafkaException(error)
        _log.warning("a batch of answers was undone, and is made again: %s", error.str())
        if error.fatal() or not error.txn_requires_abort():  # this client is of no use any more
            self.close()
            return
        place.producer.abort_transaction(SECONDS)
        assigned = place.consumer.assignment()
        for found in place.consumer.committed(assigned, SECONDS) if assigned else []:
            if found.offset < 0:
                found.offset = OFFSET_BEGINNING
            place.consumer.seek(found)


class _Place:
    """A consumer of a group, and a producer whose transactions end the consumer's messages."""

    def __init__(self, settings: Mapping[str, str], group: str) -> None:
        common = {**settings, "client.id": "argosy"}
        reading = {
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "partition.assignment.strategy": "cooperative-sticky",
            "allow.auto.create.topics": False,
        }
        # A name of its own: brokers tell one who lost its place by the group's generation, not by this name.
        writing = {
            "transactional.id": f"{group}-{uuid.uuid4().hex}",
            "transaction.timeout.ms": TRANSACTION_SECONDS * 1000,
            "linger.ms": 5,
        }
        self.consumer = Consumer({**common, **reading}, logger=_log)
        self.producer = Producer({**common, **writing}, logger=_log)

    def produce(self, topic: str, answer: StreamAnswer) -> None:
        """Send *answer*, once there is room for it. Whether it came, the end of the transaction tells."""
        while True:
            try:
                self.producer.produce(topic, answer.value, answer.key, headers=list(answer.headers))
            except BufferError:
                self.producer.poll(0.1)
            else:
                return

    def commit(self) -> None:
        """End the transaction."""
        for attempt in range(1, COMMITS + 1):
            try:
                self.producer.commit_transaction(SECONDS)
            except KafkaException as error:
                if attempt == COMMITS or not error.args[0].retriable():
                    raise
            else:
                return


def _message(found: Message) -> StreamMessage:
    if (error := found.error()) is not None:
        raise KafkaException(error)
    said: Any = found  # its stubs allow None for what only messages with an error lack
    return StreamMessage(said.topic(), said.partition(), said.offset(), said.key(), said.value())
