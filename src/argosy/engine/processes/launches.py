"""A process that is to be started, what its server has taken in before, and its end."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from argosy.engine.processes import python_program
from argosy.engine.processes.view import Bind

READ_AT_START = ("PYTHON", "LD_", "DYLD_", "OMP_", "OPENBLAS_", "MKL_", "NUMEXPR_", "LANG", "LC_", "TZ")
"""Variables that an interpreter or a library reads once, as it starts: steps that differ in them do not share a server."""

ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""So that importing NumPy or PyArrow, with the allocator it brings, starts no threads, which would not survive the fork."""


class LaunchFailure(Exception):
    """A process could not be started, or was lost with its server."""


@dataclass(frozen=True)
class Launch:
    """A process to start. *env* is the whole environment. *log* gets standard output and error, *stdout* the former by itself too.

    *binds* and *scratch* (its ``/tmp``) are shown to the process only; *given* is what it sees of this machine beside the system.
    *apart*: whether it is a step's, and sees no more than that; a program of the engine's own is started as any other.
    *preload*: the libraries to have imported already. *alone*: no other process is started in its namespaces, or in its place after it:
    whoever puts it into a control group puts nothing else there. *shares_scratch*: whether others have the same ``/tmp`` meanwhile.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    stdout: Path | None
    scratch: Path
    binds: tuple[Bind, ...] = ()
    given: tuple[Bind, ...] = ()
    apart: bool = True
    preload: frozenset[str] = frozenset()
    alone: bool = False
    shares_scratch: bool = False


@dataclass(frozen=True)
class Warmth:
    """The imports of a server: libraries, and the variables they read as they were imported."""

    preload: frozenset[str] = frozenset()
    variables: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, preload: frozenset[str], env: Mapping[str, str]) -> Self:
        """The warmth that a Python program wants that imports *preload* and is started with the environment *env*."""
        return cls(
            preload | {python_program.__name__},
            frozenset((name, value) for name, value in env.items() if name.startswith(READ_AT_START)),
        )

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The environment of the server itself, with what it is *given* for its imports."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**kept, **given, **ONE_THREAD, **dict(self.variables)}


COLD = Warmth()


@dataclass(frozen=True)
class Exit:
    """The end of a process: with a *code*, or by a *signal*."""

    code: int | None
    signal: int | None
