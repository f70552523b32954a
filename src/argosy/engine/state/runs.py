"""The folders of runs under a home: made, named, found again.

``<home>/runs/<run>/`` holds ``manifest.json`` (what is run, arguments in place), ``journal.sqlite``, ``lock``, ``resources.json`` (what it
asked for over time, once it is over), and
``nodes/<node id>/<attempt>/`` with each attempt's ``main.log`` and files;
``volumes/<claim>/``, where the workflow claims volumes. ``<home>/objects/`` holds the artifacts of all runs.
"""

import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from argosy import argo, errors
from argosy.engine.nodes import Json, Node
from argosy.engine.state import disk, journal
from argosy.engine.state.locks import FileLock
from argosy.engine.state.object_store import ObjectStore

MANIFEST = "manifest.json"
JOURNAL = "journal.sqlite"
LOCK = "lock"
VOLUMES = "volumes"
STAMP = re.compile(r"(\d{6}-\d{6})-[0-9a-f]{4}$")
"""The end of a run's name, which says when it began."""


@dataclass(frozen=True)
class RunFolder:
    """One run's folder."""

    path: Path

    @property
    def run(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def pipeline(self) -> str:
        """What the ids of all runs of its pipeline begin with, see :func:`new_id`."""
        return STAMP.sub("", self.run).rstrip("-")

    def write_manifest(self, manifest: Json) -> None:
        """Keep *manifest*, what is run, for a resume; a path in it as text."""
        disk.write_atomically(self.path / MANIFEST, json.dumps(manifest, default=str))

    def manifest(self) -> Json:
        """The run's manifest. Raises Misconfigured where the run never started."""
        path = self.path / MANIFEST
        if not path.exists():
            raise errors.Misconfigured(f"run {self.run} never started: there is no {path}; run the pipeline again")
        manifest: Json = json.loads(path.read_text(encoding="utf-8"))
        return manifest

    def attempt(self, workflow: str, node: str, number: int) -> Path:
        """The folder of a node's attempt."""
        return self.path / "nodes" / argo.node_id(workflow, node) / str(number)

    def is_locked(self) -> bool:
        """True where an engine is at it."""
        return FileLock(self.path / LOCK).is_held()

    def taken(self) -> errors.Misconfigured:
        """Another engine is at it."""
        pid = FileLock(self.path / LOCK).holder()
        return errors.Misconfigured(
            f"run {self.run} is being run by another argosy process{f' ({pid})' if pid else ''}; wait for it, or stop it first "
            f"(argosy stop {self.run})"
        )

    def state(self) -> tuple[dict[str, str], dict[str, Node]]:
        """The journal's meta data and nodes; empty where the run never started."""
        path = self.path / JOURNAL
        return journal.read(path) if path.exists() else ({}, {})

    def meta(self) -> dict[str, str]:
        """The journal's meta data; empty where the run never started."""
        path = self.path / JOURNAL
        return journal.read_meta(path) if path.exists() else {}

    def version(self) -> tuple[int, ...]:
        """Numbers that are others after the journal was written to: sizes and times of its files. Opens none of them."""
        return tuple(number for file in self._journal_files() for number in _size_and_time(file))

    def written_ns(self) -> int:
        """When the journal was written to last, in nanoseconds since 1970; 0 where there is none."""
        return max(time for _, time in map(_size_and_time, self._journal_files()))

    def _journal_files(self) -> list[Path]:
        return [self.path / JOURNAL, self.path / f"{JOURNAL}-wal"]


def new_id(base: str) -> str:
    """An id for a new run, beginning with *base*; later ones sort behind."""
    base = re.sub(r"[^A-Za-z0-9.-]+", "-", base).strip("-.")[:40] or "run"
    return f"{base}-{datetime.now(UTC):%y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def create(home: Path, run: str) -> RunFolder:
    """The folder of the new run *run*."""
    path = home / "runs" / run
    with disk.guarded("make the run's folder"):
        path.mkdir(parents=True)
    return RunFolder(path)


def newest_first(home: Path) -> list[RunFolder]:
    """All runs of *home*, the newest first."""
    return list(from_newest(home))


def from_newest(home: Path) -> Iterator[RunFolder]:
    """As :func:`newest_first`, for who looks at the first few: a home has thousands."""
    folder, together = home / "runs", dict[str, list[str]]()
    if folder.is_dir():
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_dir():
                    found = STAMP.search(entry.name)
                    together.setdefault(found[1] if found else "", []).append(entry.name)
    for stamp in sorted(together, reverse=True):
        paths = [folder / name for name in together[stamp]]
        # The name tells seconds. Of those that began in one more is asked.
        yield from map(RunFolder, paths if len(paths) == 1 else sorted(paths, key=_written, reverse=True))


def _size_and_time(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except FileNotFoundError:
        return 0, 0
    # SQLite leaves an empty log beside a journal that somebody read: nothing was written.
    return (found.st_size, found.st_mtime_ns) if found.st_size else (0, 0)


def _written(path: Path) -> tuple[int, str]:
    manifest = path / MANIFEST  # written once
    return (manifest.stat().st_mtime_ns if manifest.exists() else 0, path.name)


def find(home: Path, run: str | None) -> RunFolder:
    """The run named *run*, or the newest. A beginning will do where it is unique. Raises UsageError where there is none."""
    if run and not run.startswith(".") and "/" not in run and (home / "runs" / run).is_dir():
        return RunFolder(home / "runs" / run)  # its whole name: a list asks for each of its lines
    if run is None:
        newest = next(from_newest(home), None)
        if newest is None:
            raise errors.UsageError(f"no run under {home / 'runs'} yet")
        return newest
    fitting = [folder for folder in from_newest(home) if folder.run.startswith(run)]
    if len(fitting) != 1:
        reason = f"{len(fitting)} runs begin with {run!r}" if fitting else f"there is no run {run!r}"
        raise errors.UsageError(f"{reason} under {home / 'runs'}; `argosy runs` lists them")
    return fitting[0]


def artifact(home: Path, node: Node, name: str) -> Path | None:
    """The path of the output artifact *name* of *node*, or None where it has none."""
    found = node.outputs.artifacts.get(name) if node.outputs else None
    if found is None or "stored" not in found or found.get("deleted"):
        return None
    path = ObjectStore(home / "objects").path(found["stored"]["digest"])
    return path / found["subPath"] if found.get("subPath") else path
