"""Topics as sources, with a real broker where one is named: bounded, exact, nothing committed; what is no row is said."""

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from pydantic import ValidationError

from argosy import errors
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.adapters.kafka import topics
from argosy.adapters.kafka.topics import KafkaTopics
from argosy.domain.data import ReachedPlace
from argosy.domain.source_settings import Source, Watermark
from argosy.ports.source_reader import Fetched
from kit.kafka_broker import Broker, kafka_broker

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


def source(topic: str, **more: Any) -> Source:
    """A source of ids and numbers."""
    kinds = {"id": "integer", "x": "number", "yes": "boolean"}
    columns = [{"name": name, "type": kind, "meaning": "x", "nullable": True} for name, kind in kinds.items()]
    return Source.model_validate(
        {
            "name": "rows", "kafka": {"name": topic, **more}, "entity": ["id"], "observed_at": "2020-01-01T00:00:00Z",
            "columns": columns,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of this file's own."""
    with kafka_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


def fetch(broker: Broker, asked: Source, into: Path) -> Fetched:
    return KafkaTopics({"bootstrap.servers": broker.address}).fetch([asked], into)["rows"]


def rows(found: Fetched, asked: Source, into: Path) -> list[tuple[Any, ...]]:
    """Id, number and flag of each row of the snapshot."""
    DuckDBTables().snapshot(asked, [], found.file, kept=into / "kept.parquet", rejected=into / "rejected.parquet")
    return [(row["id"], row["x"], row["yes"]) for row in pq.read_table(into / "kept.parquet").to_pylist()]


def test_a_topic_is_read_to_its_end(broker: Broker, tmp_path: Path) -> None:
    """Every value as it was written, an id beyond 2^53 too; tombstones are no rows; the same offsets again, since nothing is committed."""
    broker.topics("many", partitions=3)
    sent = [json.dumps({"id": 2**53 + number, "x": 0.1, "yes": True, "more": {}}).encode() for number in range(6000)]
    broker.send("many", [(str(number).encode(), value) for number, value in enumerate(sent)] + [(b"gone", None)])
    asked = source("many")
    found = fetch(broker, asked, tmp_path)
    assert rows(found, asked, tmp_path) == [(2**53 + number, 0.1, True) for number in range(6000)]
    assert found.reading is not None
    position = dict(found.reading.position)
    assert position.pop("tombstones") == "1"
    assert sorted(position) == ["partition 0", "partition 1", "partition 2"]
    assert sum(int(each.partition("..")[2]) for each in position.values()) == 6001
    assert fetch(broker, asked, tmp_path).reading.position == found.reading.position  # type: ignore[union-attr]


def test_a_span_of_time(broker: Broker, tmp_path: Path) -> None:
    """From one moment and before another, by the messages' own times; what was aborted is in none."""
    broker.topics("timed", partitions=1)
    producer = Producer({"bootstrap.servers": broker.address, "transactional.id": "a"})
    producer.init_transactions(30)
    for number, ends in enumerate(
        (producer.commit_transaction, producer.abort_transaction, producer.commit_transaction)
    ):
        producer.begin_transaction()
        at = NOON + datetime.timedelta(hours=number)
        producer.produce("timed", json.dumps({"id": number}).encode(), timestamp=int(at.timestamp() * 1000))
        ends(30)
    spans = {"all": {}, "since": {"since": "2026-01-01T13:00:00Z"}, "until": {"until": "2026-01-01T14:00:00Z"}}
    asked = {name: source("timed", **span) for name, span in spans.items()}
    ids = {
        name: [row[0] for row in rows(fetch(broker, each, tmp_path), each, tmp_path)] for name, each in asked.items()
    }
    assert ids == {"all": [0, 2], "since": [2], "until": [0]}


def test_what_came_since(broker: Broker, tmp_path: Path) -> None:
    """From the offsets of before, up to an open transaction, and no further; what the topic deleted unread is not passed over."""
    broker.topics("growing", partitions=1)
    broker.send("growing", [(None, b'{"id": 1}'), (None, b'{"id": 2}')])
    asked = source("growing").model_copy(update={"watermark": Watermark()})
    first = fetch(broker, asked, tmp_path)
    assert first.offsets == {"0": 2}
    producer = Producer({"bootstrap.servers": broker.address, "transactional.id": "open"})
    producer.init_transactions(30)
    broker.send("growing", [(None, b'{"id": 3}')])
    producer.begin_transaction()
    producer.produce("growing", b'{"id": 4}')
    producer.flush(30)
    broker.send("growing", [(None, b'{"id": 5}')])
    reached = ReachedPlace(contract="sha256:x", offsets=dict(first.offsets))
    found = KafkaTopics({"bootstrap.servers": broker.address}).fetch([asked], tmp_path, {"rows": reached})["rows"]
    assert pq.read_table(found.file).column("id").to_pylist() == ["3"]
    assert found.offsets == {"0": 3}
    assert found.reading is not None
    assert found.reading.position == {"partition 0": "2..3"}
    producer.commit_transaction(30)
    admin = AdminClient({"bootstrap.servers": broker.address})
    for deleted in admin.delete_records([TopicPartition("growing", 0, 4)]).values():
        deleted.result(30)
    for offset, told in ((3, "was deleted before anybody read it"), (99, "it is another topic of that name")):
        since = {"rows": reached.model_copy(update={"offsets": {"0": offset}})}
        with pytest.raises(errors.Rejected, match=told):
            KafkaTopics({"bootstrap.servers": broker.address}).fetch([asked], tmp_path, since)


def test_messages_that_are_deleted_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not there any more is not passed over: rows would be wanting that the lineage names."""
    # The client has a broker of its own for tests.
    producer = Producer({"bootstrap.servers": "its own", "test.mock.num.brokers": "1"})
    producer.produce("short", b'{"id": 1}', partition=0)
    assert producer.flush(30) == 0
    (own,) = producer.list_topics(timeout=30).brokers.values()
    # Offsets that it does not have.
    monkeypatch.setattr(topics._Reading, "_bounds", lambda _: {0: topics._Bounds(5, 9)})
    with pytest.raises(errors.TryAgain, match=r"cannot read topic short in Kafka: .*out of range"):
        KafkaTopics({"bootstrap.servers": f"{own.host}:{own.port}"}).fetch([source("short")], tmp_path)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param("2026-01-01T00:00:00.001+00:00", 1767225600001, id="exact"),
        pytest.param("2026-01-01T00:00:00.000001+00:00", 1767225600001, id="between"),
        pytest.param("2026-01-01T01:00:00+01:00", 1767225600000, id="zone"),
    ],
)
def test_moments_in_milliseconds(at: str, expected: int) -> None:
    """To the very one: a message of that millisecond is of that time, one before it is not."""
    assert topics.milliseconds(datetime.datetime.fromisoformat(at)) == expected


@pytest.mark.parametrize(
    ("value", "told"),
    [
        pytest.param(b"\x00\x00\x00\x00\x01avro", "partition 0, offset 0 of topic t0 is no JSON object; Avro", id="avro"),
        pytest.param(b"[1]", "is no JSON object", id="list"),
        pytest.param(b'{"id": {"a": 1}}', "column 'id' at partition 0, offset 0 of topic .* is an object or a list", id="nested"),
    ],
)  # fmt: skip
def test_what_is_no_row(
    broker: Broker, tmp_path: Path, value: bytes, told: str, request: pytest.FixtureRequest
) -> None:
    """Refused with its place, and nothing is left that looks whole."""
    name = request.node.callspec.id.replace("avro", "t0")
    broker.topics(name, partitions=1)
    broker.send(name, [(None, value)])
    with pytest.raises(errors.Rejected, match=told):
        fetch(broker, source(name), tmp_path)
    assert not (tmp_path / "rows.parquet").exists()


def test_a_topic_that_is_not_there(broker: Broker, tmp_path: Path) -> None:
    """Somebody has to make it, or name another."""
    with pytest.raises(errors.Misconfigured, match="cannot read topic nowhere in Kafka"):
        fetch(broker, source("nowhere"), tmp_path)


def test_an_empty_topic(broker: Broker, tmp_path: Path) -> None:
    """Nothing is waited for; that there are no rows is said as of any file."""
    broker.topics("empty")
    asked = source("empty")
    found = fetch(broker, asked, tmp_path)
    with pytest.raises(errors.Rejected, match="has no rows"):
        rows(found, asked, tmp_path)


def test_no_broker_is_named(tmp_path: Path) -> None:
    """The setting that names one is."""
    with pytest.raises(errors.Misconfigured, match="set ARGOSY_KAFKA_BOOTSTRAP_SERVERS"):
        KafkaTopics({}).fetch([source("any")], tmp_path)


def test_a_broker_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To be tried again."""
    monkeypatch.setattr(topics, "SECONDS", 0.2)
    with pytest.raises(errors.TryAgain, match="cannot read topic any in Kafka"):
        KafkaTopics({"bootstrap.servers": "127.0.0.1:1", "log_level": "0"}).fetch([source("any")], tmp_path)


def test_a_topic_has_no_form_of_a_file() -> None:
    """A delimiter of messages is a mistake."""
    given = source("any").model_dump(exclude_none=True)
    with pytest.raises(ValidationError, match="rows of a topic have none"):
        Source.model_validate(given | {"delimiter": ";"})
