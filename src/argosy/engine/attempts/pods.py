"""Runs pods: one attempt each, from laid-out files to collected outputs. Which pod runs when is the runner's business."""

import asyncio
import contextlib
import dataclasses
import functools
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from argosy import argo
from argosy.argo import KILLED_FOR_MEMORY, MAIN, Phase
from argosy.engine.artifacts.remote import Remote
from argosy.engine.attempts import (
    advice,
    containers,
    data_template,
    environment,
    fields,
    local_images,
    memory_limits,
    preloading,
    readiness,
    resource,
    transfer,
    volumes,
    web,
)
from argosy.engine.attempts.cache import StepCache, condensed, key_of
from argosy.engine.attempts.container_roles import PodContainer, Role, containers_of_pod
from argosy.engine.attempts.engine_tasks import EngineTask
from argosy.engine.attempts.environment import EnvironmentFailure, Sources
from argosy.engine.attempts.pod_containers import GRACE, Containers, End, Watch, message_of
from argosy.engine.attempts.transfer import UNSAVED, Collected, TransferFailure
from argosy.engine.attempts.visible_paths import VisiblePaths
from argosy.engine.attempts.volumes import Claims
from argosy.engine.attempts.workspace import (
    ROOT_VARIABLE,
    TMP,
    PathFailure,
    Workspace,
    input_paths,
)
from argosy.engine.effects import PodResult, StartPod
from argosy.engine.manifest import patches
from argosy.engine.nodes import Json, Outputs
from argosy.engine.options import Cluster
from argosy.engine.processes.fork_server import Running
from argosy.engine.processes.launches import Launch, LaunchFailure, Warmth
from argosy.engine.processes.view import Bind
from argosy.engine.state import disk, trees
from argosy.engine.state.object_store import ObjectStore

LATE = "Pod was active on the node longer than the specified deadline"
HALTED = "stopped while its artifacts were read or kept"
SCRIPT = "script"


class Starts(Protocol):
    """A starter of processes: the launcher, or a fake."""

    async def start(self, launch: Launch) -> Running: ...

    def warm(self, warmth: Warmth) -> None: ...


class Stoppable(Protocol):
    """Work under way for a node."""

    async def stop(self, grace: float) -> None: ...


@dataclass
class _Part:
    """One container of an attempt. *request*: what a pod of it alone would be asked."""

    member: PodContainer
    request: StartPod
    workspace: Workspace
    launch: Launch | None = None
    """The last start of its process."""
    shortage: advice.Shortage | None = None
    """The last kill of its process for want of memory."""
    _group: memory_limits.Cgroup | None = None

    def hold(self, pid: int) -> None:
        """Limit the memory of its process *pid*, where it has a limit and this machine can."""
        if limit := memory_limits.limit_of(self.request.template.main_container):
            self._group = memory_limits.group(limit)
        if self._group:
            self._group.take(pid)

    def lacked_memory(self) -> bool:
        """True where the container's process, which has ended, ran into its limit on memory."""
        group, self._group = self._group, None
        peak = group.close() if group else None
        limit = memory_limits.limit_of(self.request.template.main_container)
        self.shortage = advice.Shortage(limit, peak) if limit is not None and peak is not None else None
        return self.shortage is not None

    def advise(self, end: End) -> None:
        """Add to its log what it lacked on this machine, where it failed for that."""
        lines = []
        if self.shortage and end.word == KILLED_FOR_MEMORY:
            lines = [advice.of_memory(self.member.template, self.request.template.name, self.shortage)]
        elif self.launch and containers.gave_up(self.launch, end.code) and self.workspace.log.exists():
            image = self.member.template.main_container.image
            lines = [advice.of_engine(self.workspace.log, self.launch, image)]
        elif self.launch and end.code and self.workspace.log.exists():
            lines = list(advice.of_paths(self.workspace.log, self.launch, end.code))
        with disk.guarded("write to the log of a step"):
            advice.write(self.workspace.log, lines)


@dataclass
class Pods:
    """Runs the pods of one run."""

    starter: Starts
    store: ObjectStore
    remote: Remote
    claims: Claims
    cache: StepCache
    sources: Sources
    folder: Callable[[str, int], Path]
    """The folder of a node's attempt."""
    visible: VisiblePaths
    """The paths of this machine that a process sees beside the system."""
    code_identity: str
    process_images: tuple[str, ...]
    workflow: str
    namespace: str
    account: str
    """The service account of its pods on a cluster."""
    shows_paths: Callable[[], bool]
    """True where this machine can give a process its own view of the file system."""
    cluster: Cluster | None = None
    """The cluster that ``resource`` templates act on."""
    preloads: Sequence[Warmth] = ()
    """The libraries that the steps of the run want imported, in the order in which they come."""
    engine_of_containers: str | None = None
    """``podman`` or ``docker``, where images run in containers."""
    running: dict[str, Stoppable] = field(default_factory=dict)
    _halts: dict[str, threading.Event] = field(default_factory=dict)
    """By node: set where nothing more is to be done with its files."""
    _clearing: set["asyncio.Future[None]"] = field(default_factory=set)

    def cached(self, request: StartPod) -> PodResult | None:
        """The result of a call that was made before, with everything it depends on the same."""
        parts = self.made_of(request)
        outputs = self.cache.find(key_of(parts)) if parts else None
        if parts is None or outputs is None:
            return None
        return PodResult(Phase.SUCCEEDED, outputs=outputs, cached=True, made_of=condensed(parts))

    def made_of(self, request: StartPod) -> Json | None:
        """All that the answer to *request* depends on, as of now; None where it is not one that the cache can have."""
        try:
            return self._parts_of_key(request)
        except (EnvironmentFailure, PathFailure):
            return None

    async def run(self, request: StartPod, number: int, watch: Watch) -> PodResult:
        """Run *request* as attempt *number*; *watch* hears of its containers."""
        try:
            return await self._run(request, number, watch)
        except (EnvironmentFailure, PathFailure, TransferFailure, LaunchFailure) as failure:
            return PodResult(Phase.ERROR, str(failure))
        except trees.Halted:
            return PodResult(Phase.FAILED, HALTED)
        finally:
            self.running.pop(request.name, None)

    async def stop(self, name: str, grace: float = GRACE) -> None:
        """Stop the processes of the node *name*, if it has any, and what is done with its files."""
        if halt := self._halts.get(name):
            halt.set()
        if running := self.running.get(name):
            await running.stop(grace)

    async def _run(self, request: StartPod, number: int, watch: Watch) -> PodResult:
        template = request.template
        match template.kind:
            case "http":
                return await self._do(web.HttpRequest(template.http, self.sources.secrets), request)
            case "data":
                result = await data_template.carry_out(template.data, self.remote, _patience(request))
                return result or PodResult(Phase.FAILED, LATE)
            case "resource":
                if self.cluster is None:
                    raise EnvironmentFailure("no cluster was named that it may change")
                folder = self.folder(request.name, number)
                return await self._do(resource.Action(template, self.cluster, folder), request)
        if template.pod_spec_patch and (lack := patches.lack_of(template.pod_spec_patch)):
            raise EnvironmentFailure(f"podSpecPatch: {lack}")
        return await self._run_containers(request, number, watch)

    async def _do(self, task: EngineTask, request: StartPod) -> PodResult:
        self.running[request.name] = task
        return await task.run(_patience(request)) or PodResult(Phase.FAILED, LATE)

    async def _run_containers(self, request: StartPod, number: int, watch: Watch) -> PodResult:
        parts = self._parts(request, number)
        found = self.made_of(request) if self.cache.only_looks(request.template) else None
        with self._handling_files(request.name):
            if request.template.inputs.artifacts:
                await asyncio.to_thread(self._lay_out_all, parts)
            else:
                self._lay_out_all(parts)

        async def start(member: PodContainer) -> Running:
            part = parts[member.name]
            launch = part.launch = self._launch(part.request, part.workspace, self._environment(part.request))
            self._look_ahead(launch)
            running = await self.starter.start(launch)
            if local_images.is_process(part.member.template.main_container.image, self.process_images):
                part.hold(running.pid)
            return running

        running = Containers(
            [part.member for part in parts.values()],
            start,
            lambda member: parts[member.name].workspace.log,
            lambda member: parts[member.name].lacked_memory(),
        )
        self.running[request.name] = running
        async with self._rising(request, watch):
            ends, late = await self._ends(running, request, watch)
        for name, end in ends.items():
            parts[name].advise(end)
        collected = Collected(Outputs())
        if MAIN in ends:
            with self._handling_files(request.name):
                collected = await self._collected(parts[MAIN].request, parts[MAIN].workspace)
            collected.outputs.exit_code = str(ends[MAIN].code)
        result = _result(running, ends, collected, late=late)
        if result.phase is Phase.SUCCEEDED:
            # Now, not as it was before: what a step changed outside is part of what its answer is good for.
            depends_on = self.made_of(request)
            # What somebody else changed while a step looked, it may have seen or not.
            if depends_on and (found is None or depends_on == found):
                self.cache.keep(key_of(depends_on), collected.outputs)
                result = dataclasses.replace(result, made_of=condensed(depends_on))
            for part in parts.values():
                self._beside(part.workspace.clear)
            if all(part.member.apart for part in parts.values()):
                self._beside(functools.partial(volumes.remove, self.folder(request.name, number)))
        return result

    @contextlib.contextmanager
    def _handling_files(self, name: str) -> Iterator[None]:
        """Handling the files of the node *name* ends when the node is stopped, in other threads too."""
        halt = self._halts[name] = threading.Event()
        try:
            with trees.interruptible(halt):
                yield
        except asyncio.CancelledError:
            halt.set()
            raise
        finally:
            del self._halts[name]

    @contextlib.asynccontextmanager
    async def _rising(self, request: StartPod, watch: Watch) -> AsyncIterator[None]:
        """While a daemon runs, *watch* is told when it is up."""

        async def tell() -> None:
            await readiness.until_ready(request.template.main_container)
            watch.ready()

        rising = asyncio.ensure_future(tell()) if request.lasts else None
        try:
            yield
        finally:
            if rising:
                rising.cancel()

    def _parts(self, request: StartPod, number: int) -> "dict[str, _Part]":
        """The containers of *request*, each with what it is asked to do and its files."""
        members = containers_of_pod(request.template)
        pod = self.folder(request.name, number) if len(members) > 1 or members[0].apart else None
        parts = {}
        for member in members:
            own = dataclasses.replace(
                request, template=member.template, keeps_result=request.keeps_result and member.name == MAIN
            )
            folder = self.folder(member.node(request.name), number)
            workspace = Workspace(folder, member.template, request.volumes, self.claims, pod=pod, is_seen=self._sees)
            parts[member.name] = _Part(member, own, workspace)
        for part in parts.values():
            if part.member.mirrors:
                part.workspace.mirror(parts[MAIN].workspace, input_paths(request.template))
        return parts

    async def _collected(self, request: StartPod, workspace: Workspace) -> Collected:
        collect = functools.partial(
            transfer.collect,
            request.template,
            workspace,
            self.store,
            self.remote,
            keeps_result=request.keeps_result,
        )
        # Parameters are read at once; what can be gigabytes is hashed and moved beside the loop.
        return await asyncio.to_thread(collect) if request.template.outputs.artifacts else collect()

    def _beside(self, clear: Callable[[], None]) -> None:
        """Remove files of a finished attempt beside the loop: nobody waits for it before :meth:`settle`, and some disks take their time."""
        clearing = asyncio.get_running_loop().run_in_executor(None, clear)
        self._clearing.add(clearing)
        clearing.add_done_callback(self._clearing.discard)

    async def settle(self) -> None:
        """Wait until everything is removed that is to be removed."""
        await asyncio.gather(*self._clearing, return_exceptions=True)

    def _lay_out_all(self, parts: "Mapping[str, _Part]") -> None:
        # The pod's own folder first: it holds the volumes that the others are given.
        for part in sorted(parts.values(), key=lambda part: part.member.apart):
            self._lay_out(part.request, part.workspace)

    def _lay_out(self, request: StartPod, workspace: Workspace) -> None:
        template = request.template
        workspace.prepare()
        for volume in request.volumes:
            if (folder := workspace.volumes.get(volume.name)) and volumes.is_filled(volume):
                if any(folder.iterdir()):
                    continue  # by another container of the pod
                volumes.fill(volume, folder, self.sources, self._facts(request))
        workspace.prepare_mounts()
        if source := template.script.source:
            script = workspace.folder / SCRIPT
            script.write_text(source, encoding="utf-8")
            script.chmod(0o755)  # `command: [sh, -c]` runs it as a program
        transfer.deliver(template, workspace, self.store, self.remote)
        workspace.prepare_outputs()

    def _environment(self, request: StartPod) -> environment.Environment:
        return environment.of_container(request.template.main_container, self.sources, self._facts(request))

    def _facts(self, request: StartPod) -> dict[str, str]:
        return fields.of_pod(
            request.template.metadata,
            pod=argo.pod_name(self.workflow, request.name, request.template.name),
            namespace=self.namespace,
            workflow=self.workflow,
            account=request.template.service_account or self.account,
        )

    def _launch(self, request: StartPod, workspace: Workspace, given: environment.Environment) -> Launch:
        container = request.template.main_container
        script = workspace.folder / SCRIPT if request.template.script.source else None
        binds = tuple(Bind(shown.source, str(shown.target), shown.read_only) for shown in workspace.shown())
        if binds and not self.shows_paths():
            raise PathFailure(
                f"{binds[0].target} is outside $ARGOSY_ROOT, and this machine cannot show a step files of its own there"
            )
        argv = local_images.command_of(container, given.variables, script)
        if not local_images.is_process(container.image, self.process_images):
            return containers.launch(self.engine_of_containers, request, workspace, given.variables)
        home = str(TMP) if self.shows_paths() else str(workspace.scratch)
        own = {**environment.of_machine(), "HOME": home}
        return Launch(
            argv=local_images.with_this_python(argv),
            env={**own, **self._translated(given.variables, workspace)},
            cwd=workspace.working_folder(container.working_dir, has_view=self.shows_paths()),
            log=workspace.log,
            stdout=workspace.stdout if request.keeps_result else None,
            binds=binds,
            given=(*workspace.own(script), *self.visible.of(request.template)),
            preload=preloading.preload_of(request.template),
            alone=memory_limits.is_limited() and memory_limits.limit_of(container) is not None,
            scratch=workspace.scratch,
            shares_scratch=workspace.shares_scratch(),
        )

    def _sees(self, path: Path) -> bool:
        """True where a process finds the machine's *path* in its place."""
        return not self.shows_paths() or self.visible.is_seen(path)

    def _look_ahead(self, launch: Launch) -> None:
        """Have the next step's libraries imported while this step's are, and while it runs."""
        own = Warmth.of(launch.preload, launch.env)
        following = self.preloads[self.preloads.index(own) + 1 :] if own in self.preloads else ()
        if following:
            self.starter.warm(following[0])

    def _translated(self, variables: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
        root = {ROOT_VARIABLE: workspace.translated(variables[ROOT_VARIABLE])} if ROOT_VARIABLE in variables else {}
        return {**variables, **root}

    async def _ends(self, running: Containers, request: StartPod, watch: Watch) -> tuple[dict[str, End], bool]:
        """The ends of the containers, and whether they had to be stopped for taking too long."""
        patience = _patience(request)
        if patience is None:
            return await running.run(watch), False
        work = asyncio.ensure_future(running.run(watch))
        try:
            return await asyncio.wait_for(asyncio.shield(work), patience), False
        except TimeoutError:
            await running.kill()
            return await work, True

    def _parts_of_key(self, request: StartPod) -> Json | None:
        container = request.template.main_container
        if not self.cache.is_asked_for(request.template):
            return None
        if len(containers_of_pod(request.template)) > 1 or not container.written:
            return None  # what several containers do together depends on when each does it
        if volumes.hold_state(request.volumes, container.volume_mounts):
            return None
        given = self._environment(request)
        is_process = local_images.is_process(container.image, self.process_images)
        code = self.code_identity if is_process else container.image
        argv = local_images.command_of(container, given.variables, None)
        return self.cache.parts(
            request.template, code=code, argv=argv, environment=given.open, keeps_result=request.keeps_result
        )


def _patience(request: StartPod) -> float | None:
    """The seconds that *request* may take from now on."""
    limits = [request.limit] if request.limit is not None else []
    if request.deadline is not None:
        limits.append(request.deadline - time.time())
    return max(0.0, min(limits)) if limits else None


def _result(running: Containers, ends: Mapping[str, End], collected: Collected, *, late: bool) -> PodResult:
    """The result of a pod whose containers have ended; of several that failed the controller names one."""
    outputs = collected.outputs
    if late:
        return PodResult(Phase.FAILED, LATE, outputs)
    if failed := running.failed(ends, Role.BEFORE, Role.MAIN):
        return PodResult(Phase.FAILED, failed, outputs)
    if collected.unsaved:
        outputs.exit_code = str(UNSAVED)
        return PodResult(Phase.FAILED, message_of(MAIN, End(UNSAVED, collected.unsaved)), outputs)
    if collected.missing:
        return PodResult(Phase.ERROR, f"wait: Error (exit code 64): {'; '.join(collected.missing)}", outputs)
    if failed := running.failed(ends, Role.BESIDE):
        return PodResult(Phase.FAILED, failed, outputs)
    return PodResult(Phase.SUCCEEDED, "", outputs)
