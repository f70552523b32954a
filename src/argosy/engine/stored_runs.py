"""The runs of this machine: what the engine stored of them, and what can be asked of the engine that carries one out."""

import dataclasses
import itertools
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.argo import NodeType
from argosy.engine import selectors
from argosy.engine.manifest import catalogue
from argosy.engine.manifest.catalogue import WORKFLOW, UnknownTemplate
from argosy.engine.manifest.model import Caller
from argosy.engine.nodes import Json, Node
from argosy.engine.state import control, runs
from argosy.engine.state.locks import FileLock
from argosy.engine.state.runs import RunFolder
from argosy.engine.state.stored_run import StoredRun
from argosy.engine.stored_logs import POLL_SECONDS, StoredLogs
from argosy.ports import runs as seen
from argosy.ports.runs import KILLED, NEWEST, PART, SUSPENDED, Line, Run, not_under_way

CarryOut = Callable[[RunFolder, Collection[str]], int]
"""Carries out what is left of a run, and again the nodes that are named though they succeeded; returns the run's exit code."""
Forget = Callable[[RunFolder], None]
"""Deletes the artifacts that go when a run is deleted."""


@dataclass
class StoredRuns:
    """See :class:`argosy.ports.runs.Runs`. Nobody carries out a run that was cut off, or failed, unless *carry_out* does."""

    home: Path
    carry_out: CarryOut
    forget: Forget
    _known: dict[str, StoredRun] = field(default_factory=dict)

    words = ()
    none_yet = "no runs yet; `argosy run MODEL` makes one"
    keeps_reports = True
    poll_seconds = POLL_SECONDS

    def equivalent(self, *_words: str) -> None:
        """See the port. Argo knows nothing of this machine."""

    def find(self, name: str) -> str:
        """See the port."""
        return runs.find(self.home, None if name == NEWEST else name).run

    def get(self, name: str) -> Run:
        """See the port. Raises Misconfigured where the run never started."""
        folder = self._folder(name)
        stored = self._stored(folder)
        locked = folder.is_locked()  # asked first: what is read after it is the whole story
        meta, known = folder.state()
        nodes = {name: _with_question(node, stored) for name, node in known.items()}
        part = {PART: stored.part} if stored.part else {}
        return _run(folder, meta, part, under_way=locked, root=stored.workflow, nodes=nodes)

    def newest_first(self, skipped: int = 0) -> Iterator[Run]:
        """See the port."""
        for folder in itertools.islice(runs.from_newest(self.home), skipped, None):
            locked = folder.is_locked()
            yield _run(folder, folder.meta(), {}, under_way=locked)

    def log(self, name: str, step: str | None, *, follow: bool) -> Iterator[Line]:
        """See the port."""
        folder = self._folder(name)
        return StoredLogs(folder, self._stored(folder).workflow, step).lines(follow=follow)

    def stop(self, name: str) -> None:
        """See the port."""
        self._ask(name, {"do": "stop"})

    def terminate(self, name: str) -> None:
        """See the port."""
        self._ask(name, {"do": "terminate"})

    def suspend(self, name: str) -> None:
        """See the port."""
        self._ask(name, {"do": "suspend"})

    def resume(self, name: str) -> int | None:
        """See the port. Raises Misconfigured where an engine is at the run and waits for nobody."""
        run = self.get(name)
        if not run.under_way:
            return self.carry_out(self._folder(name), ())
        if run.phase != SUSPENDED:
            raise self._folder(name).taken()
        self._ask(name, {"do": "resume"})
        return None

    def approve(self, name: str, node: str, parameters: Mapping[str, str], message: str) -> None:
        """See the port."""
        self._ask(name, {"do": "approve", "node": node, "parameters": dict(parameters), "message": message})

    def retry(self, name: str, again: str = "") -> int | None:
        """See the port."""
        run = self.get(name)
        chosen = selectors.selected(again, run.nodes, run.root) if again else []
        return self.carry_out(self._folder(name), chosen)

    def delete(self, name: str) -> None:
        """See the port. Raises TryAgain where an artifact cannot be deleted that goes with the run."""
        folder = self._folder(name)
        lock = FileLock(folder.path / runs.LOCK)
        if not lock.try_acquire():
            raise errors.UsageError(f"run {name} is under way; stop it first (argosy stop {name})")
        try:
            self.forget(folder)
            # Renamed first: half a run is never listed.
            gone = folder.path.with_name(f".{name}.deleted")
            folder.path.rename(gone)
            shutil.rmtree(gone)
        finally:
            lock.release()

    def _folder(self, name: str) -> RunFolder:
        folder = runs.find(self.home, name)
        if folder.run != name:
            raise errors.UsageError(f"there is no run {name!r} under {self.home / 'runs'}; `argosy runs` lists them")
        return folder

    def _stored(self, folder: RunFolder) -> StoredRun:
        """The record of the run in *folder*, which never changes once it is there."""
        if folder.run not in self._known:
            self._known[folder.run] = StoredRun.read(folder)
        return self._known[folder.run]

    def _ask(self, name: str, request: Json) -> None:
        if not control.ask(self._folder(name).path, request):
            raise not_under_way(self.get(name))


def _run(folder: RunFolder, meta: Mapping[str, str], part: Mapping[str, str], *, under_way: bool, **more: Any) -> Run:
    """The run in *folder*. One that says it is running, but whose engine is gone, was killed."""
    phase = meta.get("phase", "Unknown")
    started, finished = meta.get("started"), meta.get("finished")
    open_ended = phase == "Running"
    if open_ended and not under_way:
        phase = KILLED
    elif open_ended and meta.get("suspended"):
        phase = SUSPENDED
    return Run(
        folder.run,
        phase,
        pipeline=folder.pipeline,
        message=meta.get("message", ""),
        started=float(started) if started else None,
        finished=float(finished) if finished and not open_ended else None,
        under_way=under_way,
        facts={"folder": str(folder.path), **part},
        **more,
    )


def _with_question(node: Node, stored: StoredRun) -> seen.Node:
    """*node* as those see it who only look; if it waits, with what it asks for."""
    if node.type is not NodeType.SUSPEND or node.fulfilled:
        return node.seen()
    return dataclasses.replace(node.seen(), asks=_asked(node, stored))


def _asked(node: Node, stored: StoredRun) -> dict[str, str | None] | None:
    """The output parameters that the suspended *node* asks for; None where its template is not of the workflow itself."""
    try:
        template, _ = catalogue.of(stored.spec, stored.others).resolve(Caller({"template": node.template}), WORKFLOW)
    except UnknownTemplate:
        return None
    return {entry.name: entry.value_from.default for entry in template.outputs.parameters}
