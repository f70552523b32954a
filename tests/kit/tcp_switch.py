"""A port that passes each new connection on to where it points just then, as a Service does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class TcpSwitch:
    """Where new connections go; those that are there stay where they are."""

    def __init__(self, target: int) -> None:
        """*target*: a port of this machine."""
        self.target = target
        self.port = 0
        self._passing: set[asyncio.Task[None]] = set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on until one side ends it."""
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        both = [asyncio.ensure_future(_copied(reader, back)), asyncio.ensure_future(_copied(there, writer))]
        self._passing.update(both)
        await asyncio.wait(both)
        self._passing.difference_update(both)

    async def end(self) -> None:
        """Cut every connection."""
        for task in self._passing:
            task.cancel()
        if self._passing:
            await asyncio.wait(self._passing)


@asynccontextmanager
async def switched(target: int) -> AsyncIterator[TcpSwitch]:
    """A switch that points to *target*."""
    switch = TcpSwitch(target)
    server = await asyncio.start_server(switch.take, "127.0.0.1", 0)
    switch.port = server.sockets[0].getsockname()[1]
    try:
        yield switch
    finally:
        server.close()
        await switch.end()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
