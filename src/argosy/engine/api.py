"""The engine's front door: load a manifest, prepare it, run it, resume a run."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from argosy.engine import assembly, partial_runs, preparation, schedules, session
from argosy.engine import forecast as forecasts
from argosy.engine.manifest import loading
from argosy.engine.manifest.loading import Manifest
from argosy.engine.nodes import Node
from argosy.engine.options import Prepared, RunOptions, RunResult
from argosy.engine.processes import isolation
from argosy.engine.runner import Observer
from argosy.engine.state import disk, locks, runs, sweeping
from argosy.engine.state.journal import Journal
from argosy.engine.state.locks import FileLock
from argosy.engine.state.runs import RunFolder
from argosy.engine.state.stored_run import StoredRun
from argosy.ports.runs import INTERRUPTED
from argosy.ports.runs import Node as SeenNode

load = loading.load
prepare = preparation.prepare
forget_artifacts = session.forget_artifacts
last_time = schedules.last_time
left_out = partial_runs.left_out
prepare_again = partial_runs.again
forecast = forecasts.of
Foretold = forecasts.Foretold
Unanswered = preparation.Unanswered

__all__ = [
    "INTERRUPTED",
    "Foretold",
    "Manifest",
    "Prepared",
    "RunOptions",
    "RunResult",
    "Silent",
    "Unanswered",
    "forecast",
    "forget_artifacts",
    "given_before",
    "given_of",
    "last_time",
    "left_out",
    "load",
    "next_times",
    "prepare",
    "prepare_again",
    "resume",
    "run",
    "why_open",
]


def next_times(manifest: Manifest, now: datetime, count: int) -> list[datetime]:
    """The next starts of the CronWorkflow that was prepared; nothing where it is none."""
    if manifest.main.kind != "CronWorkflow":
        return []
    spec = manifest.main.body["spec"]
    return schedules.next_times(spec["schedules"], spec.get("timezone"), now, count)


def why_open() -> str | None:
    """The reason why steps can see on this machine what is the user's; None where each has a view of its own."""
    found = isolation.here()
    return None if found.private_files else found.reason


class Silent:
    """An observer that looks away."""

    def node_changed(self, node: SeenNode) -> None:
        """Nothing."""


def run(
    prepared: Prepared,
    options: RunOptions,
    observer: Observer | None = None,
    given: Mapping[str, Node] | None = None,
) -> RunResult:
    """Run *prepared* as a new run. *given*: nodes that are done already, as :func:`given_before` has them.

    Raises LocalDisk where the disk is full.
    """
    folder = runs.create(options.home, prepared.run)
    with _locked(folder):
        with disk.guarded("write the run's manifest"):
            StoredRun.of(prepared, options, assembly.allowed_at_start(options)).keep(folder)
        if given:
            with contextlib.closing(Journal(folder.path / runs.JOURNAL)) as journal:
                journal.write(nodes=given.values())
        return session.carry_out(folder, options, observer or Silent())


def given_before(prepared: Prepared, options: RunOptions, run_id: str) -> tuple[Prepared, dict[str, Node]]:
    """*prepared*, whose options have a target, with the run *run_id* noted; and what that run has for all tasks before the target.

    Raises UsageError where it did not come so far.
    """
    folder = runs.find(options.home, run_id)
    return partial_runs.given_before(prepared, folder, assembly.objects(options))


def given_of(prepared: Prepared, options: RunOptions, folder: RunFolder, tasks: Collection[str]) -> dict[str, Node]:
    """The nodes that the run in *folder* has for *tasks*, for :func:`run` of *prepared*. Raises UsageError where it has them no more."""
    return partial_runs.given(prepared, folder, assembly.objects(options), tasks)


def resume(
    home: Path,
    run_id: str | None,
    options: RunOptions,
    observer: Observer | None = None,
    *,
    again: Collection[str] = (),
) -> RunResult:
    """Continue a run (the newest where *run_id* is None): what succeeded stays, everything else is done again.

    *again*: nodes to do again though they succeeded, with what may have used what they gave.
    *options* gives what is not stored with the run: secrets, the code's identity; its patterns of images join those that are stored.
    Raises UsageError where there is no such run, Misconfigured where another engine has it or a process of it still lives.
    """
    folder = runs.find(home, run_id)
    with _locked(folder):
        return session.carry_out(folder, options, observer or Silent(), again)


@contextlib.contextmanager
def _locked(folder: RunFolder) -> Iterator[None]:
    """While the block runs, no other engine is at the run. Raises Misconfigured where one is."""
    lock = FileLock(folder.path / runs.LOCK)
    with disk.guarded("lock the run"):
        if not lock.try_acquire():
            raise folder.taken()
        lock.sign()
    try:
        with locks.shared(folder.path.parents[1] / sweeping.LOCK):
            yield
    finally:
        lock.release()
