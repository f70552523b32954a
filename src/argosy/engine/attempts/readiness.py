"""Readiness of a daemon: it is up when its process has lived for a moment and, where it has a readiness probe, when that is answered.

The kubelet asks every ten seconds or as often as the probe says; here it is asked more often, because nobody wants to wait for a laptop.
"""

import asyncio
import contextlib
import ssl

from argosy.engine.manifest.pod_model import Container, HttpGet, Port, Probe
from argosy.engine.nodes import POD_ADDRESS

ALIVE = 0.2
"""Seconds after which a process counts as up. What ends sooner never was."""

EVERY = 0.2
"""Seconds between two looks."""

WELL = range(200, 400)


async def until_ready(container: Container) -> None:
    """Return once the process of *container*, which has just started, is up."""
    await asyncio.sleep(ALIVE)
    probe = container.readiness_probe
    if not probe.http and not probe.tcp:
        return
    await asyncio.sleep(float(probe.initial_delay_seconds or 0))
    while not await _answers(probe, container.ports):
        await asyncio.sleep(EVERY)


async def _answers(probe: Probe, ports: list[Port]) -> bool:
    asked = probe.http or probe.tcp or HttpGet({})
    host, port = asked.host or POD_ADDRESS, _number(asked.port, ports)
    with contextlib.suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(float(probe.timeout_seconds or 1)):
            return await _get(host, port, asked) if probe.http else await _connects(host, port)
    return False


async def _connects(host: str, port: int) -> bool:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    return True


async def _get(host: str, port: int, asked: HttpGet) -> bool:
    """True where the status of one GET is a good one."""
    context = None
    if asked.scheme.upper() == "HTTPS":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # as the kubelet asks
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        path = "/" + asked.path.lstrip("/")
        headers = "".join(f"{header.name}: {header.value}\r\n" for header in asked.http_headers)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n{headers}\r\n".encode())
        status = (await reader.readline()).split()
        return len(status) > 1 and int(status[1]) in WELL
    finally:
        writer.close()


def _number(port: int | str | None, ports: list[Port]) -> int:
    """*port* as a number; a name is that of one of the container's *ports*."""
    named = {entry.name: entry.container_port for entry in ports}
    return (isinstance(port, str) and named.get(port)) or int(port or 0)
