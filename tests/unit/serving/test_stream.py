"""A stream of questions is answered as callers are: each once, whatever is killed; what cannot be answered holds nothing up."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from argosy import errors, wiring
from argosy.ml.predictor import Predictor
from argosy.ports.features import OnlineRow, OnlineView
from argosy.ports.prediction_log import ServedRelease
from argosy.ports.streams import StreamAnswer, StreamMessage
from argosy.serving.app import ServerParts, app_of, server_parts
from argosy.serving.served_models import ServedModel
from argosy.serving.stream import StreamServer
from argosy.settings import Settings
from kit.kafka_broker import Broker, kafka_broker
from kit.model_server import ready, started
from kit.serving_kit import ROW, Client, MemoryLog, MemoryOnline, rows

V1 = "/v1/models/leaving:predict"


class MemoryStream:
    """Messages in memory; a transaction is undone, or brokers fail, as often as a test says."""

    def __init__(self, values: Sequence[bytes | None]) -> None:
        self.messages = [StreamMessage("in", 0, place, b"k%d" % place, value) for place, value in enumerate(values)]
        self.position = self.committed = 0
        self.answers: list[StreamAnswer] = []
        self.undone = 0
        self.failures: list[errors.ArgosyError] = []
        self.all_done = asyncio.Event()
        self.loop = asyncio.get_event_loop_policy()
        self.closed = False

    def poll(self, most: int, seconds: float) -> list[StreamMessage]:
        """See the port."""
        if self.failures:
            raise self.failures.pop()
        found = self.messages[self.position : self.position + min(most, 7)]
        self.position += len(found)
        return found

    def answer(self, answers: Sequence[StreamAnswer]) -> bool:
        """See the port."""
        if self.undone:
            self.undone -= 1
            self.position = self.committed
            return False
        self.answers += answers
        self.committed = self.position
        return True

    def lag(self) -> int:
        """See the port."""
        return len(self.messages) - self.position

    def close(self) -> None:
        """See the port."""
        self.closed = True


@pytest.fixture
def parts(predictor: Predictor, log: MemoryLog) -> ServerParts:
    """The small binary model, with one customer in its online store."""
    return server_parts(
        predictor=predictor,
        served=ServedRelease("leaving", "production", 4, predictor.digest),
        online=MemoryOnline({"C1": ROW}),
        log=log,
        hash_key=b"secret",
    )


def answered(parts: ServerParts, stream: MemoryStream) -> None:
    """All of *stream* answered."""

    model = ServedModel.of(parts)

    async def run() -> None:
        server = StreamServer(lambda: model, stream)
        await server.start()
        async with asyncio.timeout(60):
            while stream.committed < len(stream.messages):
                await asyncio.sleep(0.005)
        await server.stop(10)

    asyncio.run(run())
    assert stream.closed


def said(answer: StreamAnswer) -> dict[str, str]:
    """The headers of an answer."""
    return {name: value.decode() for name, value in answer.headers}


def test_the_answers_are_those_that_callers_get(parts: ServerParts, log: MemoryLog) -> None:
    """By full row, by list, by id; each with its key and the place of its question, logged under that."""
    instances: list[Any] = [*rows(20), list(ROW.values()), {"customer_id": "C1"}, ROW | {"customer_id": "C9"}]
    stream = MemoryStream([json.dumps(one).encode() for one in instances])
    answered(parts, stream)
    logged = [record.request_id for record in log.records]
    assert sorted(logged) == sorted(message.request_id for message in stream.messages)
    expected = Client(app_of(parts)).post(V1, {"instances": [one for one in instances if isinstance(one, dict)]}).json()
    values = [json.loads(answer.value) for answer in stream.answers]
    by_name = [value for one, value in zip(instances, values, strict=True) if isinstance(one, dict)]
    assert [value["prediction"] for value in by_name] == expected["predictions"]
    assert [value["decision"] for value in by_name] == expected["decisions"]
    assert [answer.key for answer in stream.answers] == [message.key for message in stream.messages]
    assert [value["confidence"] for value in by_name] == expected["confidences"]
    assert values[0] | {"prediction": 0, "decision": "", "confidence": 1} == {
        "prediction": 0,
        "confidence": 1,
        "decision": "",
        "model": "leaving",
        "model_version": "4",
        "request_id": "in/0/0",
    }


BAD: Mapping[str, tuple[bytes, str, str | None]] = {
    "no JSON": (b"{", "not JSON", None),
    "two rows": (json.dumps([ROW, ROW]).encode(), "", "the row"),
    "no row": (b"7", "", "the row"),
    "unknown level": (json.dumps(ROW | {"contract": "seven"}).encode(), "the level is none", "contract"),
    "missing field": (json.dumps({"tenure": 3}).encode(), "", None),
    "unknown customer": (b'{"customer_id": "C7"}', "does not know this customer_id", "the row"),
    "too large": (b'"' + b"x" * (5 * 2**20) + b'"', "larger than", None),
}


@pytest.mark.parametrize("case", list(BAD), ids=list(BAD))
def test_what_cannot_be_answered_holds_nothing_up(parts: ServerParts, log: MemoryLog, case: str) -> None:
    """It goes where refusals go, as it came, with the reason and the field; its neighbours are answered."""
    value, reason, field = BAD[case]
    good = json.dumps(ROW).encode()
    stream = MemoryStream([good, value, None, good])
    answered(parts, stream)
    assert [answer.refused for answer in stream.answers] == [False, True, False]
    refused = stream.answers[1]
    assert refused.value == value
    assert reason in said(refused)["error"]
    assert said(refused).get("field") == (field or said(refused).get("field"))
    assert said(refused)["request-id"] == "in/0/1"
    assert len(log.records) == 2


def test_what_was_undone_is_answered_again(parts: ServerParts) -> None:
    """And brokers that fail for a while stop nothing for good."""
    stream = MemoryStream([json.dumps(row).encode() for row in rows(30)])
    stream.undone = 2
    answered(parts, stream)
    assert [json.loads(answer.value)["request_id"] for answer in stream.answers] == [f"in/0/{n}" for n in range(30)]


class Down:
    """An online store that does not answer the first time."""

    views: Sequence[OnlineView] = ()

    def __init__(self) -> None:
        self.asked = 0

    async def get(self, entities: Sequence[Mapping[str, Any]], at: int) -> Sequence[OnlineRow | None]:
        """See the port."""
        self.asked += 1
        if self.asked == 1:
            raise errors.TryAgain("down")
        return [OnlineRow(ROW) for _ in entities]

    async def close(self) -> None:
        """See the port."""


def test_a_store_that_is_down_refuses_nobody(
    predictor: Predictor, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over HTTP the caller tries again; here nobody would, so the message waits."""
    monkeypatch.setattr("argosy.serving.stream.PAUSE_SECONDS", 0.01)
    online = Down()
    served = ServedRelease("leaving", "production", 4, predictor.digest)
    parts = server_parts(predictor=predictor, served=served, online=online, log=log, hash_key=b"s")
    stream = MemoryStream([b'{"customer_id": "C1"}'])
    rewound = stream.poll

    def poll(most: int, seconds: float) -> list[StreamMessage]:
        stream.position = stream.committed  # what was polled and not answered comes again
        return rewound(most, seconds)

    stream.poll = poll  # type: ignore[method-assign]
    answered(parts, stream)
    assert [answer.refused for answer in stream.answers] == [False]
    assert online.asked == 2


# -- a real broker


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for the tests of this module."""
    with kafka_broker(tmp_path_factory.mktemp("kafka")) as found:
        yield found


@pytest.fixture(scope="module")
def made(broker: Broker) -> None:
    """The topics of a stream that is as it should be."""
    broker.topics("words", "words.scores", "words.scores.refused")


@pytest.fixture
def words(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """The command line of a server that answers the topics of a test."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path))
    monkeypatch.setenv("ARGOSY_KAFKA_BOOTSTRAP_SERVERS", broker.address)
    # Whoever is killed holds its place for that long, 45 s unless told otherwise.
    monkeypatch.setenv("ARGOSY_KAFKA_SESSION_TIMEOUT_MS", "6000")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ids.key").write_text("secret")

    def of(name: str) -> list[str]:
        return [
            "--unsigned",
            "--port",
            "0",
            "--environment",
            "staging",
            "--stream-from",
            name,
            "--stream-to",
            f"{name}.scores",
        ]

    return of


def numbered(count: int) -> list[tuple[bytes | None, bytes | None]]:
    """So many rows, each with its number as its key."""
    return [(b"%d" % number, json.dumps(row).encode()) for number, row in enumerate(rows(count))]


@pytest.mark.slow
def test_killed_again_and_again_each_row_is_answered_once(
    folder: Path, broker: Broker, words: Callable[..., list[str]]
) -> None:
    """Servers are killed in the middle, two share the rows, the broker crashes: who reads what is committed sees each answer once."""
    broker.topics("rows", "rows.scores", "rows.scores.refused")
    broker.send("rows", numbered(3000))
    for _ in range(3):
        with started(folder, *words("rows")) as process:
            ready(process)
            broker.read("rows.scores", 1, 20)
            process.kill()
    with started(folder, *words("rows")) as one, started(folder, *words("rows")) as two:
        ready(one)
        ready(two)
        broker.send(
            "rows", [(b"bad", b"{"), *[(b"%d" % (3000 + n), value) for n, (_, value) in enumerate(numbered(3000))]]
        )
        broker.kill()
        broker.start()
        found = broker.read("rows.scores", 6000, 120)
    keys = [int(message.key() or b"-1") for message in found]
    assert sorted(keys) == list(range(6000))
    assert {json.loads(message.value() or b"")["model"] for message in found} == {"leaving"}
    (refused,) = broker.read("rows.scores.refused", 1)
    assert refused.key() == b"bad"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("over", "said"),
    [
        (["--stream-from", "nosuch"], "Kafka has no topic 'nosuch'"),
        (["--stream-to", "nosuch"], "Kafka has no topic 'nosuch'"),
        (["--stream-from", "words.scores"], "would be read as questions"),
    ],
)
def test_topics_that_are_not_there(
    folder: Path, made: None, words: Callable[..., list[str]], over: list[str], said: str
) -> None:
    """The server does not start without its stream."""
    with started(folder, *words("words"), *over) as process:
        output, told = process.communicate(timeout=60)
        assert process.returncode in {2, 78}, told
        assert output == ""
        assert said in told
        assert "Traceback" not in told


@pytest.mark.parametrize(
    ("environment", "said"),
    [({}, "set ARGOSY_KAFKA_BOOTSTRAP_SERVERS"), ({"ARGOSY_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}, "in Kafka")],
)
def test_no_broker(environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Said with the setting, or as something that may pass."""
    monkeypatch.setattr("argosy.adapters.kafka.kafka_stream.SECONDS", 1.0)
    settings = Settings.from_environment({"ARGOSY_HOME": str(tmp_path), **environment})
    with pytest.raises((errors.Misconfigured, errors.TryAgain), match=said):
        wiring.stream(settings, "g", "a", "b", "c")
