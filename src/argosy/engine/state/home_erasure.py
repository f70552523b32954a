"""Finds what of this machine's home holds something, such as a person's rows, and removes it: artifacts, cached answers, files of runs.

What it is, is the caller's to tell, of one file after another. What is removed is missing afterwards to whoever asks for it: an output of a
run is gone, a step whose answer is gone is run again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.engine.state import locks, runs, sweeping, trees

Holds = Callable[[Path], bool]


@dataclass(frozen=True)
class HoldingPart:
    """Something of the home that holds it; *kept*: why it cannot be removed."""

    kind: str
    path: Path
    kept: str | None = None


def holding(home: Path, holds: Holds) -> Iterator[HoldingPart]:
    """What holds it: objects whole, answers that name such an object, files of runs."""
    objects = [path for path in sorted((home / "objects").glob("??/*")) if any(map(holds, _files(path)))]
    yield from (HoldingPart("artifact", path) for path in objects)
    named = [path.name for path in objects]
    for kept in ("cache", "memory"):
        for path in sorted((home / kept).rglob("*")):
            if path.is_file() and (
                holds(path) or any(name in path.read_text(encoding="utf-8", errors="replace") for name in named)
            ):
                yield HoldingPart("answer", path)
    for run in runs.newest_first(home):
        needed = {run.path / runs.JOURNAL, run.path / runs.MANIFEST}
        for path in _files(run.path):
            if holds(path):
                yield HoldingPart(
                    "run",
                    path,
                    f"the run is that file; `argosy delete {run.run}` removes it" if path in needed else None,
                )


def erase(home: Path, holds: Holds) -> Iterator[HoldingPart]:
    """Remove it; what is named is gone, unless it is *kept*. Raises TryAgain where a run is under way, which might read it."""
    with locks.alone(home / sweeping.LOCK) as free:
        if not free or any(folder.is_locked() for folder in runs.newest_first(home)):
            raise errors.TryAgain(
                "a run is under way on this machine, which may read what is to go; run this again once it is over"
            )
        # Answers before the objects that they name: after a kill both are found again.
        for part in sorted(holding(home, holds), key=lambda part: part.kind):
            if part.kept is None:
                trees.remove(part.path)
            yield part


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from (each for each in trees.walk(path) if each.is_file() and not each.is_symlink())
