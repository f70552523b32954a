"""When a daemon is up: when its process has lived for a moment and, where it has a readiness probe, when that is answered.

The kubelet asks every ten seconds or as often as the probe says; here it is asked more often, because nobody wants to wait for a laptop.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from typing import Any

from argosy.engine.nodes import POD_ADDRESS

ALIVE = 0.2
"""Seconds after which a process counts as up. What ends sooner never was."""

EVERY = 0.2
"""Seconds between two looks."""

WELL = range(200, 400)


async def until_ready(container: Mapping[str, Any]) -> None:
    """Return once the process of *container*, which has just started, is up."""
    await asyncio.sleep(ALIVE)
    probe = container.get("readinessProbe") or {}
    if "httpGet" not in probe and "tcpSocket" not in probe:
        return
    await asyncio.sleep(float(probe.get("initialDelaySeconds") or 0))
    limit = float(probe.get("timeoutSeconds") or 1)
    while not await _answers(probe, container.get("ports") or [], limit):
        await asyncio.sleep(EVERY)


async def _answers(probe: Mapping[str, Any], ports: list[Mapping[str, Any]], limit: float) -> bool:
    asked = probe.get("httpGet") or probe["tcpSocket"]
    host, port = str(asked.get("host") or POD_ADDRESS), _port(asked["port"], ports)
    with contextlib.suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(limit):
            return await _get(host, port, asked) if "httpGet" in probe else await _connects(host, port)
    return False


async def _connects(host: str, port: int) -> bool:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    return True


async def _get(host: str, port: int, asked: Mapping[str, Any]) -> bool:
    """Whether the status of one GET is a good one."""
    context = None
    if str(asked.get("scheme") or "").upper() == "HTTPS":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # as the kubelet asks
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        path = "/" + str(asked.get("path") or "").lstrip("/")
        headers = "".join(f"{header['name']}: {header['value']}\r\n" for header in asked.get("httpHeaders") or [])
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n{headers}\r\n".encode())
        status = (await reader.readline()).split()
        return len(status) > 1 and int(status[1]) in WELL
    finally:
        writer.close()


def _port(port: int | str, ports: list[Mapping[str, Any]]) -> int:
    """*port* as a number; a name is that of one of the container's *ports*."""
    named = {str(entry.get("name")): int(entry["containerPort"]) for entry in ports if "containerPort" in entry}
    return named[port] if isinstance(port, str) and port in named else int(port)
