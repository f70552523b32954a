"""Reads sources that are topics of Kafka, bounded: what was in a topic when the reading began, by offsets that the lineage keeps.

Each message is a JSON object, whose fields are columns by name; its values are kept as text, exactly as they are written, until the
contract types them. A message without a value (a tombstone) is no row: it is counted. No group is joined and nothing is committed, so that
reading changes nothing for anybody.
"""

import datetime
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from argosy import errors, scratch
from argosy.adapters.kafka.kafka_failures import reported
from argosy.domain import epoch
from argosy.domain.data import ReachedPlace, SourceReading
from argosy.domain.source_settings import Source, Topic
from argosy.ports.source_reader import NOTHING, Fetched

SECONDS = 30.0
"""For what brokers are asked, and between two messages."""
WAITS = 0.2
"""Seconds for one batch."""
BATCH = 5_000
LONGEST_VALUE = 2**24
"""Characters of one value, as of a database."""


class KafkaTopics:
    """Topics of the brokers that *settings* name, as librdkafka has them; see :class:`argosy.ports.source_reader.SourceReader`."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings

    def fetch(
        self, sources: Sequence[Source], into: Path, since: Mapping[str, ReachedPlace] = NOTHING
    ) -> Mapping[str, Fetched]:
        """See the port."""
        asked = [(source, source.kafka) for source in sources if source.kafka is not None]
        return {
            source.name: self._fetched(source, topic, into / source.file_name, since.get(source.name))
            for source, topic in asked
        }

    def _fetched(self, source: Source, topic: Topic, target: Path, since: ReachedPlace | None) -> Fetched:
        if "bootstrap.servers" not in self._settings:
            raise errors.Misconfigured(
                f"source {source.name!r} is a topic, and no Kafka is named: set ARGOSY_KAFKA_BOOTSTRAP_SERVERS to <host>:<port>"
            )
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        partial = target.with_name(f".{target.name}.partial")
        with reported(f"read topic {topic.name}"):
            reading = _Reading(source, topic, self._settings, (since.offsets if since else None) or {})
            try:
                position = reading.write(partial)
            finally:
                reading.close()
        partial.rename(target)
        place = f"kafka://{self._settings['bootstrap.servers']}/{topic.name}"
        asked = SourceReading(asked=f"topic {topic.name}", at=at, position=position)
        return Fetched(target, place, asked, since=since, offsets=reading.ends)


@dataclass
class _Bounds:
    """The offsets of one partition: the first that is read, and the first that is not any more."""

    begin: int
    end: int
    next: int = field(init=False)

    def __post_init__(self) -> None:
        self.next = self.begin


def milliseconds(moment: datetime.datetime) -> int:
    """The first of Kafka's milliseconds that is not before *moment*."""
    return -((epoch.EPOCH - moment) // datetime.timedelta(milliseconds=1))


class _Reading:
    """One topic, read once."""

    def __init__(self, source: Source, topic: Topic, settings: Mapping[str, str], since: Mapping[str, int]) -> None:
        """*since*: by partition the offset from which on it is read, where somebody has the messages before it."""
        self._source, self._topic, self._since = source, topic, since
        self.ends: dict[str, int] = {}
        """By partition the offset behind what was read."""
        reading = {
            "group.id": "argosy-reads",  # the client wants one; nothing is committed under it
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "allow.auto.create.topics": False,
            # What is deleted while it is read would be passed over, up to the end, without a word.
            "auto.offset.reset": "error",
        }
        self._consumer = Consumer({**settings, "client.id": "argosy", **reading})
        self._tombstones = 0

    def close(self) -> None:
        self._consumer.close()

    def write(self, file: Path) -> dict[str, str]:
        """Write the rows to *file*; the offsets they were read from."""
        bounds = self._bounds()
        names = [column.name for column in self._source.columns]
        schema = pa.schema([pa.field(name, pa.string()) for name in names])
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for rows in self._rows(bounds):
                scratch.demand_room(file.parent, 2 * BATCH, f"topic {self._topic.name}")
                writer.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}, schema=schema))
        self.ends = {str(number): each.next for number, each in bounds.items()}
        offsets = {f"partition {number}": f"{each.begin}..{each.next}" for number, each in sorted(bounds.items())}
        return offsets | ({"tombstones": str(self._tombstones)} if self._tombstones else {})

    def _bounds(self) -> dict[int, _Bounds]:
        name = self._topic.name
        known = self._consumer.list_topics(name, timeout=SECONDS).topics[name]
        if known.error is not None:
            raise KafkaException(known.error)
        found = {}
        for number in known.partitions:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(name, number), timeout=SECONDS)
            begin = low if self._topic.since is None else self._at(number, self._topic.since, high)
            end = high if self._topic.until is None else self._at(number, self._topic.until, high)
            found[number] = self._read_on(number, low, high, _Bounds(max(low, begin), max(low, min(end, high))))
        return found

    def _read_on(self, number: int, low: int, high: int, whole: _Bounds) -> _Bounds:
        """What of partition *number*, of which *whole* would be read, was not read before. Raises Rejected where it is gone."""
        begin = self._since.get(str(number))
        if begin is None:
            return whole
        place = f"source {self._source.name!r}: partition {number} of topic {self._topic.name}"
        kept = "the snapshot before has them; --full reads what the topic has, and nothing else"
        if begin > high:
            raise errors.Rejected(
                f"{place} ends at offset {high}, and was read up to {begin} before: it is another topic of that name, or lost "
                f"messages. {kept}"
            )
        if begin < low:
            raise errors.Rejected(
                f"{place} begins at offset {low}, and was read up to {begin} before: what lay between was deleted before "
                f"anybody read it. {kept}"
            )
        return _Bounds(begin, max(begin, whole.end))

    def _at(self, partition: int, moment: datetime.datetime, high: int) -> int:
        """The offset of the first message of *moment* or later; *high* where there is none."""
        asked = TopicPartition(self._topic.name, partition, milliseconds(moment))
        (answer,) = self._consumer.offsets_for_times([asked], SECONDS)
        return high if answer.offset in (OFFSET_END, -1) else int(answer.offset)

    def _rows(self, bounds: dict[int, _Bounds]) -> Iterator[list[dict[str, str | None]]]:
        waited = {number for number, each in bounds.items() if each.begin < each.end}
        if waited:
            self._consumer.assign([TopicPartition(self._topic.name, number, bounds[number].begin) for number in waited])
        heard = time.monotonic()
        while waited:
            # The client gives what it has once it has waited for so many, or for so long.
            messages = self._consumer.consume(BATCH, WAITS)
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > SECONDS:
                raise errors.TryAgain(
                    f"topic {self._topic.name}: no message within {SECONDS:g} s, although there are more; try again"
                )
            rows = [row for message in messages if (row := self._row(message, bounds, waited)) is not None]
            if rows:
                yield rows

    def _row(self, message: Message, bounds: dict[int, _Bounds], waited: set[int]) -> dict[str, str | None] | None:
        """The row that *message* is; None where it is none, or beyond the end."""
        said: Any = message  # its stubs allow None for what only some messages lack
        error, number, offset = message.error(), said.partition(), said.offset()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its package's name for it
            raise KafkaException(error)
        # Marks of transactions and what was compacted away have offsets and no message: the end of the partition tells.
        # Behind an open transaction nothing is read: the end of the partition is where it begins, whatever lies behind.
        bounds[number].next = min(bounds[number].end, offset if error is not None else offset + 1)
        if error is not None or offset + 1 >= bounds[number].end:
            waited.discard(number)
        if error is not None or offset >= bounds[number].end:
            return None
        content = said.value()
        if content is None:
            self._tombstones += 1
            return None
        return self._parsed(content, f"partition {number}, offset {offset}")

    def _parsed(self, content: bytes, place: str) -> dict[str, str | None]:
        try:
            found = json.loads(content, parse_int=str, parse_float=str, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise errors.Rejected(
                f"source {self._source.name!r}: {place} of topic {self._topic.name} is no JSON object; Avro and Protobuf are not read: "
                "have a topic of JSON written beside it"
            )
        return {column.name: self._text(column.name, found.get(column.name), place) for column in self._source.columns}

    def _text(self, name: str, value: Any, place: str) -> str | None:
        if value is None or isinstance(value, str):
            if value is not None and len(value) > LONGEST_VALUE:
                raise errors.Rejected(
                    f"source {self._source.name!r}: column {name!r} at {place} of topic {self._topic.name} has {len(value):,} characters, "
                    f"more than the {LONGEST_VALUE:,} that one value may have"
                )
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        raise errors.Rejected(
            f"source {self._source.name!r}: column {name!r} at {place} of topic {self._topic.name} is an object or a list, "
            "which no type of a contract is"
        )
