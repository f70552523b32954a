"""Runs the containers of one pod: which waits for which, which is tried again or stopped, as the kubelet and Argo's executor do.

How a container's process is started, and what its end means for the pod, is ``pods``' business.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from argosy.argo import KILLED_FOR_MEMORY
from argosy.engine.attempts.container_roles import PodContainer, Role
from argosy.engine.processes.child import NOT_STARTED
from argosy.engine.processes.fork_server import Running
from argosy.engine.processes.launches import Exit

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""

STOPPED = 143
SHOT = 137
KILLED = (SHOT, STOPPED)
"""The exit codes with which a sidecar may end without harm: it is stopped when the main container has ended."""

LONGEST_LINE = 4096
_NOT_STARTED = re.compile(rb"Error: (failed to (?:find name in PATH|start command): [^\n]*)\n\Z")


@dataclass(frozen=True)
class End:
    """The end of a container. *reason*: what its end left to say beside the exit code."""

    code: int
    reason: str = ""
    word: str = "Error"
    """Kubernetes' word for it."""
    passed_on: int | None = None
    """The code that those who wait for it hear, where that is not its own."""

    @property
    def heard(self) -> int:
        """The exit code that those who wait for it hear."""
        return self.code if self.passed_on is None else self.passed_on


class Watch(Protocol):
    """Hears of the containers of a pod."""

    def started(self, member: PodContainer, running: Running) -> None:
        """The process of *member* runs."""

    def ended(self, member: PodContainer, end: End) -> None:
        """*member* has ended for good."""

    def ready(self) -> None:
        """The pod is up. Only of daemons is that told."""


class Containers:
    """The containers of one pod while they run."""

    def __init__(
        self,
        members: Sequence[PodContainer],
        start: Callable[[PodContainer], Awaitable[Running]],
        log: Callable[[PodContainer], Path],
        lacked_memory: Callable[[PodContainer], bool] = lambda _: False,
    ) -> None:
        self._members = members
        self._start = start
        self._log = log
        self._lacked_memory = lacked_memory
        self._running: dict[str, Running] = {}
        self._ends: dict[str, asyncio.Future[End]] = {}
        self._stopped = False
        self._killed = False

    async def run(self, watch: Watch) -> dict[str, End]:
        """Run them to their end. A container that never had its turn is not in the answer. Raises LaunchFailure, LocalDisk."""
        if len(self._members) == 1 and not self._members[0].after:
            return {self._members[0].name: await self._one(self._members[0], watch)}
        ends: dict[str, End] = {}
        for member in self._of(Role.BEFORE):
            ends[member.name] = await self._one(member, watch)
            if ends[member.name].code:
                return ends
        self._ends = {member.name: asyncio.get_running_loop().create_future() for member in self._of(Role.MAIN)}
        beside = {member.name: asyncio.ensure_future(self._one(member, watch)) for member in self._of(Role.BESIDE)}
        main = {member.name: asyncio.ensure_future(self._in_turn(member, watch)) for member in self._of(Role.MAIN)}
        await self._until(main.values(), beside.values())
        return ends | {name: task.result() for name, task in (main | beside).items()}

    async def stop(self, grace: float = GRACE) -> None:
        """Stop what runs, and start nothing more."""
        self._stopped = True
        await asyncio.gather(*(running.stop(grace) for running in list(self._running.values())), return_exceptions=True)

    async def kill(self) -> None:
        """Stop the pod as a whole: what waits for its turn is stopped too."""
        self._killed = True
        await self.stop()

    def failed(self, ends: Mapping[str, End], *roles: Role) -> str:
        """The controller's message on those of *roles* that failed: of the first of each role, by name. Empty where none did."""
        for role in roles:
            for member in sorted(self._of(role), key=lambda member: member.name):
                end = ends.get(member.name)
                if end and end.code and not (role is Role.BESIDE and end.code in KILLED):
                    return message_of(member.name, end).removesuffix(": ")
        return ""

    async def _until(self, main: Collection["asyncio.Future[End]"], beside: Collection["asyncio.Future[End]"]) -> None:
        """Wait for all of *main*, then stop *beside*; where one of them cannot be run, stop everything."""
        try:
            await asyncio.gather(*main)
            await self.stop()
            await asyncio.gather(*beside)
        except BaseException:
            for task in (*main, *beside):
                task.cancel()
            await self.stop()
            await asyncio.gather(*main, *beside, return_exceptions=True)
            raise

    def _of(self, role: Role) -> list[PodContainer]:
        return [member for member in self._members if member.role is role]

    async def _in_turn(self, member: PodContainer, watch: Watch) -> End:
        """*member* of a set, after those it waits for; where it fails, what still runs is stopped."""
        end = None
        for need in member.after:
            if code := (await asyncio.shield(self._ends[need])).heard:
                because = f'dependency "{need}" exited with non-zero code: {code}'
                end = End(STOPPED) if self._killed else End(NOT_STARTED, because, passed_on=code)
                watch.ended(member, end)
                break
        end = end or await self._one(member, watch)
        self._ends[member.name].set_result(end)
        if end.code and len(self._ends) > 1:
            await self.stop()
        return end

    async def _one(self, member: PodContainer, watch: Watch) -> End:
        """Run *member*, as often as it is tried."""
        end = End(0)
        for number in range(member.tries):
            if number:
                await asyncio.sleep(member.pause)
            end = await self._try(member, watch)
            if not end.code or self._stopped:
                break
        watch.ended(member, end)
        return end

    async def _try(self, member: PodContainer, watch: Watch) -> End:
        if self._stopped:
            return End(STOPPED)
        running = await self._start(member)
        self._running[member.name] = running
        try:
            watch.started(member, running)
            ended = await (running.stop(GRACE) if self._stopped else running.wait())
        finally:
            self._running.pop(member.name, None)
            lacked_memory = self._lacked_memory(member)
        code = code_of(ended)
        if lacked_memory and code == SHOT:
            return End(code, word=KILLED_FOR_MEMORY)
        return End(code, _reason_of(self._log(member)) if code == NOT_STARTED else "")


def message_of(container: str, end: End) -> str:
    """The controller's message on a container that failed."""
    return f"{container}: {end.word} (exit code {end.code}): {end.reason}"


def code_of(ended: Exit) -> int:
    """The exit code as a container has it: 128 + n after signal n."""
    return ended.code if ended.code is not None else 128 + (ended.signal or 0)


def _reason_of(log: Path) -> str:
    """The reason why a program could not be started, where that is the last that *log* says."""
    with log.open("rb") as lines:
        lines.seek(max(0, log.stat().st_size - LONGEST_LINE))
        said = _NOT_STARTED.search(lines.read())
    return said[1].decode(errors="replace") if said else ""
