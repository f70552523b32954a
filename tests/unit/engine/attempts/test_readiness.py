"""A daemon is up once its readiness probe is answered."""

import asyncio
import socket
from typing import Any

import pytest

from argosy.engine.attempts import readiness
from argosy.engine.manifest.pod_model import Container


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often."""
    monkeypatch.setattr(readiness, "ALIVE", 0.01)
    monkeypatch.setattr(readiness, "EVERY", 0.01)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def is_up_with(container: dict[str, Any], port: int, answers: list[bytes]) -> int:
    """How often a server that begins to listen late was asked until the container was up."""
    asked = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        answered = answers[min(asked, len(answers) - 1)]
        asked += 1
        if answered:
            await reader.readline()
            writer.write(answered)
        writer.close()

    waiting = asyncio.ensure_future(readiness.until_ready(Container(container)))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    async with await asyncio.start_server(answer, "127.0.0.1", port):
        await asyncio.wait_for(waiting, 5)
    return asked


@pytest.mark.parametrize(
    ("probe", "answers", "asked"),
    [
        pytest.param({"tcpSocket": {"port": "named"}}, [b""], 1, id="port-by-name"),
        pytest.param(
            {"httpGet": {"port": 0, "path": "up"}}, [b"HTTP/1.1 503 No\r\n", b"HTTP/1.1 204 Yes\r\n"], 2, id="status"
        ),
        pytest.param({"httpGet": {"port": 0}}, [b"nonsense\r\n", b"HTTP/1.1 302 Found\r\n"], 2, id="no-http"),
    ],
)
def test_waits_for_the_probe(probe: dict[str, Any], answers: list[bytes], asked: int) -> None:
    """It is asked again until it answers well."""
    port = free_port()
    ((kind, body),) = probe.items()
    container = {
        "readinessProbe": {kind: {**body, "port": body["port"] or port}},
        "ports": [{"name": "named", "containerPort": port}],
    }
    assert asyncio.run(is_up_with(container, port, answers)) == asked


def test_without_a_probe() -> None:
    """A process that lives is up."""
    asyncio.run(asyncio.wait_for(readiness.until_ready(Container({})), 1))
