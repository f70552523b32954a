"""The engine's front door: load a manifest, prepare it, run it, resume a run."""

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import time
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from argosy import argo, errors, scratch
from argosy.argo import Phase
from argosy.engine import garbage, outcome, preparation, schedules
from argosy.engine.artifacts.remote import Remote
from argosy.engine.attempts import environment, preloading
from argosy.engine.attempts.cache import StepCache
from argosy.engine.attempts.environment import Sources
from argosy.engine.attempts.pods import Pods
from argosy.engine.attempts.visible_paths import VisiblePaths
from argosy.engine.attempts.volumes import Claims, remove_claims
from argosy.engine.machine.core import Identity
from argosy.engine.machine.workflow import Workflow
from argosy.engine.manifest import catalogue as catalogues
from argosy.engine.manifest import claims, loading, resources
from argosy.engine.manifest.catalogue import Catalogue
from argosy.engine.manifest.loading import Manifest
from argosy.engine.nodes import Ending, Json, Outputs
from argosy.engine.options import Cluster, Place, Prepared, RunOptions, RunResult
from argosy.engine.processes import identity, isolation, launcher
from argosy.engine.runner import Interrupted, Observer, Runner
from argosy.engine.state import control, disk, runs
from argosy.engine.state.journal import Journal
from argosy.engine.state.locks import FileLock, Mutexes
from argosy.engine.state.memoized import Memory
from argosy.engine.state.object_store import ObjectStore
from argosy.engine.state.runs import RunFolder
from argosy.ports.runs import INTERRUPTED, Node

load = loading.load
prepare = preparation.prepare
Unanswered = preparation.Unanswered

__all__ = [
    "INTERRUPTED",
    "Manifest",
    "Prepared",
    "RunOptions",
    "RunResult",
    "Silent",
    "Unanswered",
    "load",
    "next_times",
    "prepare",
    "resume",
    "run",
    "why_open",
]


def next_times(manifest: Manifest, now: datetime, count: int) -> list[datetime]:
    """When the CronWorkflow that was prepared would start next; nothing where it is none."""
    if manifest.main.kind != "CronWorkflow":
        return []
    spec = manifest.main.body["spec"]
    return schedules.next_times(spec["schedules"], spec.get("timezone"), now, count)


def why_open() -> str | None:
    """Why steps can see on this machine what is the user's; None where each has a view of its own."""
    found = isolation.here()
    return None if found.private_files else found.reason


class Silent:
    """An observer that looks away."""

    def node_changed(self, node: Node) -> None:
        """Nothing."""


def run(prepared: Prepared, options: RunOptions, observer: Observer | None = None) -> RunResult:
    """Run *prepared* as a new run. Raises LocalDisk where the disk is full."""
    folder = runs.create(options.home, prepared.run)
    lock = _locked(folder)
    try:
        with disk.guarded("write the run's manifest"):
            folder.write_manifest(_stored(prepared, options))
        return _run(folder, options, observer or Silent())
    finally:
        lock.release()


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
    lock = _locked(folder)
    try:
        return _run(folder, options, observer or Silent(), again)
    finally:
        lock.release()


def _locked(folder: RunFolder) -> FileLock:
    lock = FileLock(folder.path / runs.LOCK)
    with disk.guarded("lock the run"):
        if not lock.try_acquire():
            raise folder.taken()
        lock.sign()
    return lock


def _stored(prepared: Prepared, options: RunOptions) -> Json:
    return {
        "workflow": prepared.workflow,
        "spec": prepared.spec,
        "metadata": prepared.metadata,
        "arguments": prepared.arguments,
        "others": dict(prepared.others),
        "engineOfContainers": prepared.engine_of_containers,
        "uid": str(uuid.uuid4()),
        "created": time.time(),
        "configMaps": {name: dict(values) for name, values in prepared.config_maps.items()},
        "useCache": options.use_cache,
        "workingFolder": str(options.working_folder),
        "allowed": [[str(place.path), place.writable] for place in _named(options)],
        "processImages": list(options.process_images),
        "trustsReads": options.trusts_reads,
        "secretFiles": list(prepared.secret_files),
        "repository": prepared.repository,
        "cluster": dataclasses.asdict(options.cluster) if options.cluster else None,
        "volumes": {claim: str(folder.absolute()) for claim, folder in prepared.volumes.items()},
    }


@dataclass
class _Session:
    """One engine on one run."""

    folder: RunFolder
    stored: Json
    journal: Journal
    started: float
    suspended: bool
    """Whether the manifest has it wait for somebody before it begins."""
    over: bool
    """Whether it has succeeded already: then nothing is left to do, and what is written of its end stays."""


def _run(folder: RunFolder, options: RunOptions, observer: Observer, again: Collection[str] = ()) -> RunResult:
    stored = folder.manifest()
    journal = Journal(folder.path / runs.JOURNAL)
    try:
        _prove_dead(folder, journal)
        # A run that came to its end and failed is tried again; one that was cut off is only continued.
        if journal.meta().get("phase") in (Phase.FAILED, Phase.ERROR):
            journal.forget(outcome.to_do_again(journal.nodes()))
        if again:
            journal.forget(outcome.restarted(journal.nodes(), again))
        suspended = "started" not in journal.meta() and bool(stored["spec"].get("suspend"))
        started = float(journal.meta().get("started", time.time()))
        over = journal.meta().get("phase") == Phase.SUCCEEDED and not again
        if not over:
            # What the run ended with before is no longer true.
            began = {"started": repr(started), "phase": "Running", "message": "", "suspended": ""}
            journal.write(meta=began, durable=False)
        session = _Session(folder, stored, journal, started, suspended, over)
        return asyncio.run(_drive(session, options, observer))
    finally:
        journal.close()


def _prove_dead(folder: RunFolder, journal: Journal) -> None:
    """Raise Misconfigured where a process that the journal knows of still lives."""
    for attempt in journal.attempts():
        if attempt.finished is None and attempt.pid and identity.alive(attempt.pid, attempt.start_time or 0):
            raise errors.Misconfigured(
                f"step {attempt.node} of run {folder.run} still runs as process {attempt.pid}; stop it (kill {attempt.pid}), then resume"
            )


async def _drive(session: _Session, options: RunOptions, observer: Observer) -> RunResult:
    stored, began = session.stored, time.monotonic()
    scratch.clear_left()
    workflow = _workflow(session)
    async with launcher.Launcher(options.imports_with) as starter:
        runner = Runner(
            workflow,
            journal=session.journal,
            pods=_pods(session, options, starter, workflow.machine.catalogue),
            mutexes=Mutexes(options.home / "locks"),
            memory=Memory(
                options.home / "memory" / namespace_of(stored["metadata"]), ObjectStore(options.home / "objects")
            ),
            parallelism=options.parallelism,
            observer=observer,
        )
        with _signals_to(runner), _requests_to(runner, session.folder):
            if session.suspended:  # only now: who reads it may ask the run to go on at once
                runner.suspend()
            ending = await _ending_of(runner)
    machine = workflow.machine
    phase = str(ending.phase) if ending else INTERRUPTED
    if not session.over:
        session.journal.write(meta=_meta(ending, machine.outputs))
    if ending and claims.are_done_with(stored["spec"], ending.phase):
        remove_claims(session.folder.path / runs.VOLUMES)
    not_deleted: list[str] = []
    if ending:
        not_deleted = _collect_garbage(session.folder, session.journal, options, (garbage.ON_COMPLETION,))
    return RunResult(
        run=session.folder.run,
        folder=session.folder.path,
        workflow=stored["workflow"],
        phase=phase,
        message=ending.message if ending else "",
        nodes={argo.local_name(name, stored["workflow"]): node for name, node in machine.nodes.items()},
        outputs=machine.outputs,
        seconds=time.monotonic() - began,
        fsyncs=session.journal.fsyncs,
        exit_code=outcome.exit_code(phase, {name: node.seen() for name, node in machine.nodes.items()}),
        warnings=tuple(f"not deleted: {reason}" for reason in not_deleted),
    )


def _collect_garbage(
    folder: RunFolder, journal: Journal, options: RunOptions, strategies: Collection[str]
) -> list[str]:
    stored = folder.manifest()
    if not garbage.is_asked_for(stored["spec"], stored["others"]):
        return []
    return garbage.collect(folder, journal, stored["spec"], _remote(stored, options), options.home, strategies)


def forget_artifacts(folder: RunFolder, options: RunOptions) -> None:
    """Delete the artifacts of a run that go when it is deleted. Raises TryAgain where one cannot be, unless the manifest lets that be."""
    if not (folder.path / runs.JOURNAL).exists():
        return
    journal = Journal(folder.path / runs.JOURNAL)
    try:
        failures = _collect_garbage(folder, journal, options, (garbage.ON_COMPLETION, garbage.ON_DELETION))
    finally:
        journal.close()
    if failures and not (folder.manifest()["spec"].get("artifactGC") or {}).get("forceFinalizerRemoval"):
        raise errors.TryAgain(f"run {folder.run} is not deleted: {failures[0]}")


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


def _workflow(session: _Session) -> Workflow:
    stored = session.stored
    return Workflow(
        catalogue=catalogues.of(stored["spec"], stored["others"]),
        identity=Identity(stored["workflow"], stored["uid"], stored["created"]),
        metadata=stored["metadata"],
        arguments=stored["arguments"],
        config_maps=stored["configMaps"],
        clock=time.time,
        started=session.started,
        history=session.journal.nodes(),
    )


def _named(options: RunOptions) -> list[Place]:
    """What the user allows steps to see, and what is there of the absolute paths that values of parameters name: to be read."""
    values = options.parameters.values()
    named = [value for value in values if value.startswith("/") and value.isprintable() and os.path.lexists(value)]
    return [*options.allowed, *(Place(Path(value)) for value in named)]


def _visible_paths(stored: Json, options: RunOptions) -> VisiblePaths:
    kept = [Place(Path(path), writable) for path, writable in stored.get("allowed", [])]
    here = Path(os.path.abspath(stored["workingFolder"])) if stored.get("trustsReads") else None  # noqa: PTH100
    volumes = [Path(folder) for folder in stored["volumes"].values()]
    return VisiblePaths(
        [*kept, *options.allowed, *map(Place, environment.certificates())], options.by_secret, here, volumes
    )


def namespace_of(metadata: Json) -> str:
    """The namespace of the workflow with this *metadata*."""
    return str(metadata.get("namespace") or "argo")


def _claims(session: _Session) -> Claims:
    stored = session.stored
    own = claims.own(stored["spec"], stored["workflow"])
    return Claims(
        own=session.folder.path / runs.VOLUMES,
        names=frozenset(map(claims.name_of, own)),
        given={claim: Path(folder) for claim, folder in stored["volumes"].items()},
    )


def _remote(stored: Json, options: RunOptions) -> Remote:
    secrets = {**options.secrets, **resources.secrets(stored["secretFiles"])}
    return Remote(options.home / "bucket", secrets, stored["repository"])


def _pods(session: _Session, options: RunOptions, starter: launcher.Launcher, catalogue: Catalogue) -> Pods:
    stored = session.stored
    remote = _remote(stored, options)
    sources = Sources(stored["configMaps"], remote.secrets)
    store = ObjectStore(options.home / "objects")
    visible = _visible_paths(stored, options)
    return Pods(
        starter=starter,
        store=store,
        claims=_claims(session),
        remote=remote,
        cache=StepCache(
            options.home / "cache", store, here=Path(stored["workingFolder"]), reads_hits=stored["useCache"]
        ),
        sources=sources,
        preloads=preloading.warmths(catalogue, sources),
        visible=visible,
        folder=lambda node, number: session.folder.attempt(stored["workflow"], node, number),
        code_identity=options.code_identity,
        process_images=(*options.process_images, *stored.get("processImages", [])),
        workflow=stored["workflow"],
        namespace=namespace_of(stored["metadata"]),
        account=stored["spec"].get("serviceAccountName") or "default",
        shows_paths=lambda: isolation.here().private_files,
        engine_of_containers=stored["engineOfContainers"],
        cluster=Cluster(**stored["cluster"]) if stored["cluster"] else None,
    )


@contextlib.contextmanager
def _requests_to(runner: Runner, folder: RunFolder) -> Iterator[None]:
    """What other commands ask of this run is done by *runner*."""
    inbox = control.Inbox(folder.path)

    def listen() -> None:
        for file, request in inbox.take():
            _carry_out(runner, request)
            inbox.done(file)

    loop = asyncio.get_running_loop()
    loop.add_reader(inbox.descriptor, listen)
    try:
        yield
    finally:
        loop.remove_reader(inbox.descriptor)
        inbox.close()


def _carry_out(runner: Runner, request: Json) -> None:
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
    """SIGINT and SIGTERM ask *runner* to stop, where this thread may listen to signals."""
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
