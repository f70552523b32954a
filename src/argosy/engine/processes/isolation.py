"""The isolation that this machine can give a step: a view of the file system and processes of its own, or not, and why not."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from argosy import scratch
from argosy.engine.processes import accounts, linux, rights, system, view

Way = Literal["root", "user", "none"]
"""The way in which namespaces are entered: with the rights of root, inside a user namespace, not at all."""

FLAGS: dict[Way, int] = {
    "root": linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWIPC,
    "user": linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWIPC | linux.CLONE_NEWUSER,
}


class Isolation(NamedTuple):
    """*private_files*: whether a path outside a step's folder can show a file of its own. *reason*: why not. *nobody*: for root, the
    namespace of users in which it owns no file, held open; None where there is none."""

    way: Way
    reason: str = ""
    nobody: int | None = None

    @property
    def private_files(self) -> bool:
        """True where a step can have a view of its own."""
        return self.way != "none"


@functools.cache
def here() -> Isolation:
    """The isolation that works here, found out by trying it once."""
    if not linux.available():
        return Isolation("none", "only Linux on x86-64 and ARM64 lets a process have a file system view of its own")
    system.shown()  # looked up once, for all that is forked from here
    ways: list[Way] = ["root", "user"] if os.geteuid() == 0 else ["user"]
    nobody = accounts.nobody() if "root" in ways else None
    reasons = []
    for way in ways:
        if (reason := _attempt(way, nobody)) is None:
            return Isolation(way, nobody=nobody)
        reasons.append(reason)
    return Isolation("none", f"the kernel does not allow namespaces here ({'; '.join(reasons)})")


def _attempt(way: Way, nobody: int | None) -> str | None:
    """The reason why *way* does not work; None where it does."""
    with scratch.folder("view") as folder:
        own = folder / "scratch"
        own.mkdir()
        if linux.threads() == 1:
            return _try(way, own, nobody) or None
        # Another thread may hold what the child of a bare clone needs; after a fork Python has put that right.
        return _answer_of_child(lambda: _try(way, own, nobody))


def _try(way: Way, own: Path, nobody: int | None) -> str:
    user, group = os.geteuid(), os.getegid()

    def enter() -> str:
        if way == "user":
            accounts.map_user(user, group)
        os.close(os.pidfd_open(os.getpid()))
        shown = view.View(view.Root(nobody))
        rights.restrict_cell()
        shown.show([view.Bind(own, "/argosy-probe/seen")], own)
        return "" if Path("/argosy-probe/seen").is_dir() else "a shown folder cannot be seen"

    try:
        return _answer_of_child(enter, FLAGS[way]) or ""
    except OSError as error:  # not even the child was allowed
        return error.strerror or str(error)


def _answer_of_child(work: Callable[[], str], flags: int = 0) -> str | None:
    """The answer of *work* in a child process, or the error it meets; None for an empty answer."""
    reader, writer = os.pipe()
    child = linux.fork_into(flags) if flags else os.fork()
    if child == 0:
        try:
            answer = work()
        except BaseException as error:  # noqa: BLE001 - told to the parent; nothing may escape a forked child
            answer = str(error) or type(error).__name__
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        told = stream.read().decode()
    os.waitpid(child, 0)
    return told or None
