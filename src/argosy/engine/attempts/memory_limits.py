"""Limits on memory: a control group for each container that asks for one, where this machine lets the engine make them.

Version 2 of control groups where a group above this process has its memory controller on and may be written to (systemd delegates one to
each user's session); version 1 as root. A process is moved there as soon as it has started, with what it has started by then. A limit on
address space instead would stop programs that only reserve it.
"""

import contextlib
import functools
import itertools
import os
from dataclasses import dataclass
from pathlib import Path

from argosy.engine import quantities
from argosy.engine.manifest.pod_model import Container

_numbers = itertools.count()


def limit_of(container: Container) -> int | None:
    """The bytes of memory that *container* may have. Raises ValueError where that is no quantity."""
    quantity = container.resources.limits.get("memory")
    return None if quantity is None else quantities.whole(str(quantity))


def shown(count: int) -> str:
    """*count* bytes in words."""
    return f"{count / (1 << 20):,.0f} MiB"


@dataclass(frozen=True)
class _Kind:
    """The files of one version of control groups."""

    limit: str
    swap: str
    events: str
    peak: str
    base: Path


class Cgroup:
    """A control group for one container. Use :meth:`close` when its processes have ended."""

    def __init__(self, kind: _Kind, limit: int) -> None:
        self._kind, self._limit = kind, limit
        self.path = kind.base / f"argosy-{os.getpid()}-{next(_numbers)}"
        self.path.mkdir()
        (self.path / kind.limit).write_text(str(limit), encoding="ascii")
        with contextlib.suppress(OSError):  # a kernel that does not count swap
            (self.path / kind.swap).write_text("0" if "swap.max" in kind.swap else str(limit), encoding="ascii")

    def take(self, pid: int) -> None:
        """Have the process *pid*, and what it started, counted. Nothing happens where it has ended."""
        waiting = [pid]
        while waiting:
            one = waiting.pop()
            with contextlib.suppress(OSError):
                (self.path / "cgroup.procs").write_text(str(one), encoding="ascii")
                waiting += [int(child) for child in Path(f"/proc/{one}/task/{one}/children").read_text("ascii").split()]

    def close(self) -> int | None:
        """Remove the group; where the kernel ended a process for want of memory, the most bytes that the group had."""
        events = dict(line.split() for line in (self.path / self._kind.events).read_text("ascii").splitlines())
        peak = self._limit
        with contextlib.suppress(OSError):  # a kernel that does not keep it; the group was at its limit
            peak = int((self.path / self._kind.peak).read_text("ascii"))
        with contextlib.suppress(OSError):  # something of the container still lives; the group stays
            self.path.rmdir()
        return peak if int(events.get("oom_kill", "0")) else None


def group(limit: int) -> Cgroup | None:
    """A new group with *limit* bytes; None where this machine allows none."""
    kind = _kind()
    return Cgroup(kind, limit) if kind else None


def is_limited() -> bool:
    """True where limits are applied on this machine."""
    return _kind() is not None


def left() -> list[Path]:
    """The groups that are there now."""
    kind = _kind()
    return list(kind.base.glob("argosy-*-*")) if kind else []


@functools.cache
def _kind() -> _Kind | None:
    """The kind of control groups that works here, found out by trying it once."""
    for kind in _candidates():
        try:
            _sweep(kind.base)
            Cgroup(kind, 1 << 30).close()
        except OSError:
            continue
        return kind
    return None


def _sweep(base: Path) -> None:
    """Remove the groups of engines that were killed; one with a process in it stays, for nobody can remove it."""
    for left in base.glob("argosy-*-*"):
        with contextlib.suppress(ProcessLookupError, PermissionError, ValueError):
            os.kill(int(left.name.split("-")[1]), 0)
            continue
        with contextlib.suppress(OSError):
            left.rmdir()


_FIRST_VERSION = ("limit_in_bytes", "memsw.limit_in_bytes", "oom_control", "max_usage_in_bytes")


def _candidates() -> "list[_Kind]":
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    found = []
    for number, controllers, path in (line.split(":", 2) for line in lines):
        if number == "0":
            own = Path("/sys/fs/cgroup") / path.lstrip("/")
            found += [
                _Kind("memory.max", "memory.swap.max", "memory.events", "memory.peak", folder)
                for folder in (own, *own.parents)
                if folder.is_relative_to("/sys/fs/cgroup") and _passes_memory_on(folder)
            ]
        elif "memory" in controllers.split(","):
            base = Path("/sys/fs/cgroup/memory") / path.lstrip("/")
            files = [f"memory.{name}" for name in _FIRST_VERSION]
            found.append(_Kind(files[0], files[1], files[2], files[3], base))
    return found


def _passes_memory_on(folder: Path) -> bool:
    """True where groups below *folder* have the memory controller."""
    try:
        return "memory" in (folder / "cgroup.subtree_control").read_text("ascii").split()
    except OSError:
        return False
