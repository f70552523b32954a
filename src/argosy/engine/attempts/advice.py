"""Advice on what a failed step lacked on this machine and how to give it: lines at the end of its log, each after ``argosy: ``.

What happened is the step's to say, in the words a cluster would have; what to do about it on this machine nobody else can know.
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy.engine.attempts import memory_limits
from argosy.engine.manifest.model import Template
from argosy.engine.processes import system
from argosy.engine.processes.child import NOT_STARTED
from argosy.engine.processes.launches import Launch
from argosy.engine.stored_logs import ADVICE

LOOKED_AT = 16 * 1024
"""Bytes from the end of a log."""
_MISSING = re.compile(
    r"no such file|not found|cannot (?:open|find|access|stat)|does not exist|ENOENT|permission denied", re.IGNORECASE
)
_READ_ONLY = re.compile(r"read-only file system|EROFS", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w./~-])/[^\s'\"`:;,()<>\[\]{}|*?]+")
_OWN = ("/dev", "/proc", "/tmp")  # noqa: S108 - inside a step's view


@dataclass(frozen=True)
class Shortage:
    """A container that was killed for the memory it used. *peak*: the most it had, in bytes."""

    limit: int
    peak: int


def write(log: Path, lines: Sequence[str]) -> None:
    """Add *lines* to *log*, on lines of their own."""
    if not lines:
        return
    with log.open("rb+") as written:
        size = written.seek(0, os.SEEK_END)
        written.seek(max(0, size - 1))
        begun = size and written.read(1) != b"\n"
        written.write(b"\n" * bool(begun) + "".join(f"{ADVICE}{line}\n" for line in lines).encode())


def of_memory(template: Template, name: str, shortage: Shortage) -> str:
    """Advice to raise the limit on memory that a container of the template *name* ran into."""
    quantity = template.main_container.resources.limits["memory"]
    limit, peak = memory_limits.shown(shortage.limit), memory_limits.shown(shortage.peak)
    said = f"killed for memory: its limit is {quantity} ({limit}), and it had {peak} when it asked for more"
    return f"{said}. With that limit it would be killed again; raise resources.limits.memory of the template {name!r}"


def of_engine(log: Path, launch: Launch, image: str) -> str:
    """The complaint of the container engine of *launch*, which could not run *image*, and the way without one."""
    program = launch.argv[0]
    said = [line for line in _last_lines(log) if re.match(rf"(?:{re.escape(program)}|Error): ", line)]
    why = f": {said[-1].partition(': ')[2].rstrip('.')}" if said else ""
    return f"{program} could not run the image {image!r}{why}. As a process it runs with --local-image '{image}'"


def of_paths(log: Path, launch: Launch, code: int) -> Iterator[str]:
    """Advice for each path of this machine that the process of *launch*, which ended with *code*, looked for and is not shown."""
    if not launch.apart:
        return
    if code == NOT_STARTED and (program := _hidden_program(launch)):
        yield f"{launch.argv[0]} is {program} here, which steps do not see; give them its folder: --allow {program.parent}"
        return
    said = set[str]()
    for line in _last_lines(log):
        for path in _PATH.findall(line) if _MISSING.search(line) or _READ_ONLY.search(line) else ():
            advice = _advice(os.path.normpath(path), launch, reads_only=bool(_READ_ONLY.search(line)))
            if advice and advice not in said:
                said.add(advice)
                yield advice


def _advice(path: str, launch: Launch, *, reads_only: bool) -> str | None:
    if reads_only:
        place = next(
            (bind.target for bind in launch.given if bind.read_only and Path(path).is_relative_to(bind.target)), None
        )
        return (
            f"{place} is shown to steps to be read only; let them write there with --allow {place}:rw"
            if place
            else None
        )
    if not path.startswith("/") or not os.path.lexists(path) or _is_given(Path(path), launch):
        return None
    if not system.is_shown(Path(path)):
        return f"{path} is on this machine, but steps see only what they are given; give it with --allow {path}"
    if os.access(path, os.R_OK) and not system.is_for_everybody(path):
        return f"{path} is not for everybody on this machine, and steps read of {system.ETC} what is; give it with --allow {path}"
    return None


def _is_given(path: Path, launch: Launch) -> bool:
    given = [*_OWN, *(bind.target for bind in (*launch.given, *launch.binds))]
    return any(path.is_relative_to(place) or Path(place).is_relative_to(path) for place in given)


def _is_shown(path: Path, launch: Launch) -> bool:
    return _is_given(path, launch) or system.is_shown(path)


def _hidden_program(launch: Launch) -> Path | None:
    found = shutil.which(launch.argv[0], path=_search(launch.env))
    return Path(found) if found and not _is_shown(Path(found), launch) else None


def _search(env: Mapping[str, str]) -> str:
    return env.get("PATH", os.defpath)


def _last_lines(log: Path) -> list[str]:
    with log.open("rb") as written:
        size = written.seek(0, os.SEEK_END)
        written.seek(max(0, size - LOOKED_AT))
        return written.read().decode(errors="replace").splitlines()
