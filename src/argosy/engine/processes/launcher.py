"""Starts steps' processes for the engine and tells how they ended.

A Python program runs in a fork of a warm server that has imported what the step will need; any other program, and a Python program whose
libraries started threads, is executed from a server that has imported nothing, which is itself a fork of the engine where that has but one
thread. A server is started when a step first needs it.

What a process writes to its standard output and error goes straight to its log: nothing is lost when it is killed, and nothing is held
in memory. Where standard output is wanted by itself too, it goes through a pipe, so that lines of the two may change places in the log.
"""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from argosy.engine.processes import isolation, python_program
from argosy.engine.processes.fork_server import ForkServer, Running
from argosy.engine.processes.launches import COLD, Launch, LaunchFailure, Warmth
from argosy.engine.processes.server import Message
from argosy.engine.processes.view import Bind

SERVERS = 4
"""Warm servers at once; each holds the memory of its libraries. The one idle for longest makes room for one more."""


class Launcher:
    """Starts processes. Use it as an asynchronous context manager: what still runs at its end is killed.

    *imports_with*: variables that are set where libraries are imported before a step that needs them starts.
    """

    def __init__(self, imports_with: Mapping[str, str] | None = None) -> None:
        self._imports_with = dict(imports_with or {})
        self._servers: dict[Warmth, _Opening] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._keys = iter(range(1, sys.maxsize))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self, launch: Launch) -> Running:
        """Start *launch*. Raises LaunchFailure, or LocalDisk where there is no room for its log."""
        with _words(launch) as words:
            if python_program.is_runnable(launch.argv):
                warm = await self._server(Warmth.of(launch.preload, launch.env))
                if warm is not None and (running := await warm.start(self._asked(launch, words, here=True))):
                    return running
            cold = await self._server(COLD)
            running = await cold.start(self._asked(launch, words, here=False)) if cold else None
        if running is None:
            raise LaunchFailure(f"cannot start {launch.argv[0]}")
        return running

    def warm(self, warmth: Warmth) -> None:
        """Begin to import what a step will need soon. Nothing is lost where there is no room for it."""
        if self._known(warmth) is None and self._make_room():
            opening = self._open(warmth)
            opening.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # the step will meet it too

    async def close(self) -> None:
        """Kill what is left, and end the servers."""
        servers, self._servers = list(self._servers.values()), {}
        for opening in servers:
            if not opening.done():
                opening.cancel()
        await asyncio.gather(*map(_end, servers), *self._ending)

    async def _server(self, warmth: Warmth) -> "ForkServer | None":
        """The server for *warmth*, started if need be; None where there are enough already and all are busy."""
        opening = self._known(warmth)
        if opening is None:
            if warmth != COLD and not self._make_room():
                return None
            opening = self._open(warmth)
        self._servers[warmth] = self._servers.pop(warmth)  # last in order: the one that was used last
        return await asyncio.shield(opening)

    def _known(self, warmth: Warmth) -> "_Opening | None":
        """The server for *warmth*, ready or on its way, where there is one."""
        opening = self._servers.get(warmth)
        if opening and opening.done() and (opening.cancelled() or opening.exception() or opening.result().closed):
            return None
        return opening

    def _open(self, warmth: Warmth) -> "_Opening":
        opening = self._servers[warmth] = asyncio.create_task(ForkServer.open(warmth, self._imports_with))
        return opening

    def _make_room(self) -> bool:
        """End the warm server that was idle for longest, where there are enough of them; whether there is room for one more."""
        warm = {warmth: opening for warmth, opening in self._servers.items() if warmth != COLD}
        if len(warm) < SERVERS:
            return True
        idle = next((warmth for warmth, opening in warm.items() if opening.done() and _is_idle(opening)), None)
        if idle is None:
            return False
        ending = asyncio.create_task(_end(self._servers.pop(idle)))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        return True

    def _asked(self, launch: Launch, words: str, *, here: bool) -> Message:
        way = isolation.here().way if launch.apart else "none"
        if launch.binds and way == "none":
            raise LaunchFailure(
                f"{launch.binds[0].target} cannot be shown to a process of this machine: {isolation.here().reason}"
            )
        return {
            "key": next(self._keys),
            "words": words,
            "cwd": str(launch.cwd),
            "log": str(launch.log),
            "stdout": str(launch.stdout) if launch.stdout else None,
            "binds": _asked_binds(launch.binds),
            "given": _asked_binds(launch.given),
            "scratch": str(launch.scratch),
            "alone": launch.alone,
            "shares_scratch": launch.shares_scratch,
            "way": way,
            "here": here,
        }


def _asked_binds(binds: Sequence[Bind]) -> list[tuple[str, str, bool]]:
    return [(str(bind.source), bind.target, bind.read_only) for bind in binds]


@contextlib.contextmanager
def _words(launch: Launch) -> Iterator[str]:
    """The place of *launch*'s words for a server, while the block runs: a file without a name where the system has them."""
    text = json.dumps({"argv": launch.argv, "env": dict(launch.env)}).encode()
    with contextlib.ExitStack() as stack:
        if hasattr(os, "memfd_create"):
            number = os.memfd_create("words", os.MFD_CLOEXEC)
            stack.callback(os.close, number)
            place = f"/proc/{os.getpid()}/fd/{number}"
        else:
            number, place = tempfile.mkstemp(prefix="argosy-words-")
            stack.callback(os.unlink, place)
            stack.callback(os.close, number)
        os.write(number, text)
        yield place


_Opening = asyncio.Task[ForkServer]


async def _end(opening: _Opening) -> None:
    """End a server; one that never came to be has ended already."""
    with contextlib.suppress(LaunchFailure, asyncio.CancelledError):
        await (await opening).close()


def _is_idle(opening: _Opening) -> bool:
    return opening.cancelled() or opening.exception() is not None or opening.result().idle
