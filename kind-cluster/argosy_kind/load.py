"""Sends requests at a steady rate whatever becomes of them, and prints each second what came back. Runs in a pod; standard library only.

Open loop: a slow answer does not delay the next request, so waiting shows as waiting. A connection for each request: kube-proxy chooses a
pod for each connection, and the share of a version in requests is what is measured.
"""

import asyncio
import collections
import json
import os
import signal
import socket
import time
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 20.0


class Load:
    """A steady stream of one and the same kind of request."""

    def __init__(self, url: str, bodies: list[bytes], rate: float, key: str = "") -> None:
        """*bodies* are sent in turn, *rate* times a second, with *key* where there is one."""
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 80, parts.path
        # Once: a Service keeps its address, and the name server is not what is measured.
        self._address = socket.gethostbyname(self._host)
        self._bodies = bodies
        self._rate = rate
        self._proof = f"Authorization: Bearer {key}\r\n" if key else ""
        self._seen: collections.Counter[str] = collections.Counter()
        self._waited: list[float] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until *stop*, then wait for what is on its way."""
        began, sent, second = time.monotonic(), 0, 0
        while not stop.is_set():
            task = asyncio.create_task(self._send(self._bodies[sent % len(self._bodies)]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            sent += 1
            if time.monotonic() - began >= second + 1:
                second += 1
                self.report()
            await asyncio.sleep(max(0.0, began + sent / self._rate - time.monotonic()))
        await asyncio.gather(*self._tasks)
        self.report()

    def report(self) -> None:
        """Print what came back since the last time: answers by status and model digest, failures by kind."""
        waited = sorted(self._waited)
        p95 = waited[int(len(waited) * 0.95)] if waited else None
        print(json.dumps({"at": time.time(), "seen": dict(self._seen), "p95": p95}), flush=True)
        self._seen.clear()
        self._waited.clear()

    async def _send(self, body: bytes) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                outcome = await self._exchange(body)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            outcome = f"failed {type(error).__name__} {error}"[:120]
        self._seen[outcome] += 1
        self._waited.append(time.monotonic() - began)

    async def _exchange(self, body: bytes) -> str:
        reader, writer = await asyncio.open_connection(self._address, self._port)
        try:
            head = f"POST {self._path} HTTP/1.1\r\nHost: {self._host}\r\nConnection: close\r\n"
            head += f"{self._proof}Content-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
            answer = await reader.read()
        finally:
            writer.close()
        head_part, separator, rest = answer.partition(b"\r\n\r\n")
        lines = head_part.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if not separator or len(rest) != int(headers["content-length"]):
            raise EOFError("half an answer")
        return f"{lines[0].split()[1]} {headers['argosy-model-digest']}"


async def main() -> None:
    """Read what to send from the environment; stop on SIGTERM."""
    with open(os.environ["BODIES"], "rb") as stream:  # noqa: PTH123 - before anything else runs
        bodies = [json.dumps(body).encode() for body in json.load(stream)]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await Load(os.environ["URL"], bodies, float(os.environ["RATE"]), os.environ.get("KEY", "")).run(stop)


if __name__ == "__main__":
    asyncio.run(main())
