"""One engine at one run: from where the run's journal has it to its end, or to where somebody stops it."""

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from argosy import argo, errors, scratch
from argosy.argo import Phase
from argosy.engine import assembly, garbage, outcome, resource_durations
from argosy.engine.attempts.volumes import remove_claims
from argosy.engine.manifest import claims
from argosy.engine.manifest.model import Spec
from argosy.engine.nodes import Ending, Json, Outputs
from argosy.engine.options import RunOptions, RunResult
from argosy.engine.processes import identity
from argosy.engine.processes.launcher import Launcher
from argosy.engine.runner import Interrupted, Observer, Runner
from argosy.engine.state import control, runs
from argosy.engine.state.journal import Journal
from argosy.engine.state.locks import Mutexes
from argosy.engine.state.runs import RunFolder
from argosy.engine.state.stored_run import StoredRun
from argosy.ports.runs import INTERRUPTED


@dataclass
class _Session:
    folder: RunFolder
    stored: StoredRun
    journal: Journal
    options: RunOptions
    started: float
    suspended: bool
    """True where the manifest has it wait for somebody before it begins."""
    over: bool
    """True where the run has succeeded already: then nothing is left to do, and what is written of its end stays."""
    exported: Outputs
    """The outputs of the workflow that was over: nobody visits the nodes again that exported them."""


def carry_out(folder: RunFolder, options: RunOptions, observer: Observer, again: Collection[str] = ()) -> RunResult:
    """Carry out what is left of the run in *folder*, and *again* the nodes of these names with what used them."""
    stored = StoredRun.read(folder)
    with contextlib.closing(Journal(folder.path / runs.JOURNAL)) as journal:
        _prove_dead(folder, journal)
        # A run that came to its end and failed is tried again; one that was cut off is only continued.
        if journal.meta().get("phase") in (Phase.FAILED, Phase.ERROR):
            journal.forget(outcome.to_do_again(journal.nodes()))
        if again:
            journal.forget(outcome.restarted(journal.nodes(), again))
        meta = journal.meta()
        suspended = "started" not in meta and Spec(stored.spec).suspend
        started = float(meta.get("started", time.time()))
        over = meta.get("phase") == Phase.SUCCEEDED and not again
        if not over:
            # What the run ended with before is no longer true.
            began = {"started": repr(started), "phase": "Running", "message": "", "suspended": ""}
            journal.write(meta=began, durable=False)
        exported = Outputs.from_json(json.loads(meta["outputs"])) if over else Outputs()
        result = asyncio.run(
            _drive(_Session(folder, stored, journal, options, started, suspended, over, exported), observer)
        )
    resource_durations.keep(folder, stored, result.nodes.values())
    return result


def _prove_dead(folder: RunFolder, journal: Journal) -> None:
    """Raise Misconfigured where a process that the journal knows of still lives."""
    for attempt in journal.attempts():
        if attempt.finished is None and attempt.pid and identity.alive(attempt.pid, attempt.start_time or 0):
            raise errors.Misconfigured(
                f"step {attempt.node} of run {folder.run} still runs as process {attempt.pid}; stop it (kill {attempt.pid}), then resume"
            )


async def _drive(session: _Session, observer: Observer) -> RunResult:
    stored, options, began = session.stored, session.options, time.monotonic()
    scratch.clear_left()
    workflow = assembly.workflow(stored, session.started, session.journal.nodes())
    machine = workflow.machine
    async with Launcher(options.imports_with) as starter:
        runner = Runner(
            workflow,
            journal=session.journal,
            pods=assembly.pods(stored, session.folder, options, starter, machine.catalogue),
            mutexes=Mutexes(options.home / "locks"),
            memory=assembly.memory(stored, options),
            parallelism=options.parallelism,
            observer=observer,
        )
        with _signals_to(runner), _requests_to(runner, session.folder):
            if session.suspended:  # only now: who reads it may ask the run to go on at once
                runner.suspend()
            ending = await _ending_of(runner)
    if not session.over:
        session.journal.write(meta=_meta(ending, machine.outputs))
    not_deleted = _clean_up(session, ending) if ending else []
    phase = str(ending.phase) if ending else INTERRUPTED
    return RunResult(
        run=session.folder.run,
        folder=session.folder.path,
        workflow=stored.workflow,
        phase=phase,
        message=ending.message if ending else "",
        nodes={argo.local_name(name, stored.workflow): node for name, node in machine.nodes.items()},
        outputs=session.exported if session.over else machine.outputs,
        seconds=time.monotonic() - began,
        fsyncs=session.journal.fsyncs,
        exit_code=outcome.exit_code(phase, {name: node.seen() for name, node in machine.nodes.items()}),
        warnings=tuple(f"not deleted: {reason}" for reason in not_deleted),
    )


async def _ending_of(runner: Runner) -> Ending | None:
    try:
        return await runner.run()
    except Interrupted:
        return None


def _meta(ending: Ending | None, outputs: Outputs) -> dict[str, str]:
    return {
        "phase": str(ending.phase) if ending else INTERRUPTED,
        "message": ending.message if ending else "",
        "finished": repr(time.time()),
        "outputs": json.dumps(outputs.to_json()),
    }


def _clean_up(session: _Session, ending: Ending) -> list[str]:
    """Remove what does not outlive the run; returns why artifacts that should have gone are still there."""
    if claims.are_done_with(Spec(session.stored.spec), ending.phase):
        remove_claims(session.folder.path / runs.VOLUMES)
    return _collect_garbage(session.folder, session.stored, session.journal, session.options, (garbage.ON_COMPLETION,))


def _collect_garbage(
    folder: RunFolder, stored: StoredRun, journal: Journal, options: RunOptions, strategies: Collection[str]
) -> list[str]:
    if not garbage.is_asked_for(stored.spec, stored.others):
        return []
    return garbage.collect(
        folder, journal, Spec(stored.spec), assembly.remote(stored, options), options.home, strategies
    )


def forget_artifacts(folder: RunFolder, options: RunOptions) -> None:
    """Delete the artifacts of a run that go when it is deleted. Raises TryAgain where one cannot be, unless the manifest lets that be."""
    if not (folder.path / runs.JOURNAL).exists():
        return
    stored, strategies = StoredRun.read(folder), (garbage.ON_COMPLETION, garbage.ON_DELETION)
    with contextlib.closing(Journal(folder.path / runs.JOURNAL)) as journal:
        failures = _collect_garbage(folder, stored, journal, options, strategies)
    if failures and not Spec(stored.spec).artifact_gc.force_finalizer_removal:
        raise errors.TryAgain(f"run {folder.run} is not deleted: {failures[0]}")


@contextlib.contextmanager
def _requests_to(runner: Runner, folder: RunFolder) -> Iterator[None]:
    """While the block runs, *runner* does what other commands ask of the run."""
    inbox = control.Inbox(folder.path)

    def listen() -> None:
        for file, request in inbox.take():
            _do(runner, request)
            inbox.done(file)

    loop = asyncio.get_running_loop()
    loop.add_reader(inbox.descriptor, listen)
    try:
        yield
    finally:
        loop.remove_reader(inbox.descriptor)
        inbox.close()


def _do(runner: Runner, request: Json) -> None:
    match request:
        case {"do": "stop" | "terminate" as what}:
            runner.shut_down(what.title())
        case {"do": "suspend"}:
            runner.suspend()
        case {"do": "resume"}:
            runner.resume()
        case {"do": "approve", "node": node, "parameters": parameters, "message": message}:
            runner.approve(node, parameters, message)


@contextlib.contextmanager
def _signals_to(runner: Runner) -> Iterator[None]:
    """While the block runs, SIGINT and SIGTERM ask *runner* to stop, where this thread may listen to signals."""
    loop = asyncio.get_running_loop()
    listening = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError, RuntimeError):
            loop.add_signal_handler(number, runner.interrupt)
            listening.append(number)
    try:
        yield
    finally:
        for number in listening:
            loop.remove_signal_handler(number)
