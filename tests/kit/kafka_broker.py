"""A Kafka broker of one's own, by the jars in the folder that ARGOSY_TEST_KAFKA names; skips by name where there are none.

The jars are those of ``org.apache.kafka:kafka_2.13:4.0.0`` and what it depends on, as Maven copies them (``dependency:copy-dependencies``).
"""

import base64
import contextlib
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from kit.model_server import free_port

START_SECONDS = 90.0
SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={folder}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""


@dataclass
class Broker:
    """A running broker."""

    address: str
    command: list[str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; returns once it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(Exception):
                AdminClient({"bootstrap.servers": self.address, "log_level": 0}).list_topics(timeout=2)
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"Kafka did not start:\n{self.log.read_text(errors='replace')[-2000:]}")

    def kill(self) -> None:
        """End it as a crash would; what it wrote stays."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def topics(self, *names: str, partitions: int = 2) -> None:
        """Make topics."""
        client = AdminClient({"bootstrap.servers": self.address})  # it has to outlive what it is asked
        for made in client.create_topics([NewTopic(name, partitions, 1) for name in names]).values():
            made.result(30)

    def send(self, topic: str, values: list[tuple[bytes | None, bytes | None]]) -> None:
        """Put *values*, each with its key, into *topic*."""
        producer = Producer({"bootstrap.servers": self.address})
        for key, value in values:
            producer.produce(topic, value, key)
        assert producer.flush(30) == 0

    def read(self, topic: str, count: int, seconds: float = 60) -> list[Message]:
        """The messages of *topic* that anybody sees who reads what is committed: *count*, and one more if there is one."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": uuid.uuid4().hex,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
            }
        )
        consumer.subscribe([topic])
        found: list[Message] = []
        deadline = time.monotonic() + seconds
        try:
            while len(found) < count and time.monotonic() < deadline:
                found += consumer.consume(500, 0.5)
            found += consumer.consume(500, 2.0)
        finally:
            consumer.close()
        return [message for message in found if message.error() is None]


@contextlib.contextmanager
def kafka_broker(folder: Path) -> Iterator[Broker]:
    """An empty broker, its files in *folder*."""
    jars = os.environ.get("ARGOSY_TEST_KAFKA")
    java = shutil.which("java")
    if jars is None or java is None:
        pytest.skip(
            "no Kafka broker: needs java, and ARGOSY_TEST_KAFKA, a folder with the jars of org.apache.kafka:kafka_2.13"
        )
    port, controller = free_port(), free_port()
    settings = folder / "server.properties"
    settings.write_text(SETTINGS.format(port=port, controller=controller, folder=folder))
    identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    run = [java, "-Xmx400m", "-cp", f"{jars}/*"]
    subprocess.run(
        [*run, "kafka.tools.StorageTool", "format", "-t", identity, "-c", settings], check=True, capture_output=True
    )
    broker = Broker(f"127.0.0.1:{port}", [*run, "kafka.Kafka", str(settings)], folder / "log")
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()
