"""Runs pods: one attempt each, from laid-out files to collected outputs. Which pod runs when is the runner's business."""

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from argosy.engine import nodes
from argosy.engine.artifacts.remote import Remote
from argosy.engine.attempts import ahead, containers, environment, images, transfer, volumes
from argosy.engine.attempts.cache import StepCache
from argosy.engine.attempts.environment import EnvironmentFailure, Sources
from argosy.engine.attempts.transfer import TransferFailure
from argosy.engine.attempts.volumes import Claims
from argosy.engine.attempts.workspace import ROOT_VARIABLE, PathFailure, Workspace, container_of, output_paths
from argosy.engine.machine.effects import PodResult, StartPod
from argosy.engine.nodes import Json, Outputs, Phase
from argosy.engine.processes.launcher import Bind, Exit, Launch, LaunchFailure, Running, Warmth
from argosy.engine.state.objects import ObjectStore

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""

LATE = "Pod was active on the node longer than the specified deadline"
SCRIPT = "script"


class Starts(Protocol):
    """What starts processes: the launcher, or a fake."""

    async def start(self, launch: Launch) -> Running: ...

    def warm(self, warmth: Warmth) -> None: ...


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
    """Where the attempt of a node has its files."""
    kept: tuple[Path, ...]
    """Folders of this machine that a process sees even where they lie under its ``/tmp``."""
    code_identity: str
    process_images: tuple[str, ...]
    image_environment: Mapping[str, str]
    """What a process has of the image it stands for."""
    workflow: str
    namespace: str
    shows_paths: Callable[[], bool]
    """Whether this machine can give a process its own view of the file system."""
    ahead: Sequence[Warmth] = ()
    """What the steps of the run want imported, in the order in which they come."""
    engine_of_containers: str | None = None
    """``podman`` or ``docker``, where images run in containers."""
    running: dict[str, Running] = field(default_factory=dict)
    _clearing: set["asyncio.Future[None]"] = field(default_factory=set)

    def cached(self, request: StartPod) -> PodResult | None:
        """The result of a call that was made before, with everything it depends on the same."""
        try:
            key = self._key(request)
        except (EnvironmentFailure, PathFailure):
            return None
        outputs = self.cache.find(key) if key else None
        return PodResult(Phase.SUCCEEDED, outputs=outputs, cached=True) if outputs else None

    async def run(self, request: StartPod, number: int, started: Callable[[Running], None]) -> PodResult:
        """Run *request* as attempt *number*; *started* hears of its process."""
        try:
            return await self._run(request, number, started)
        except (EnvironmentFailure, PathFailure, TransferFailure, LaunchFailure) as failure:
            return PodResult(Phase.ERROR, str(failure))

    async def stop(self, name: str, grace: float = GRACE) -> None:
        """Stop the process of the node *name*, if it has one."""
        if running := self.running.get(name):
            await running.stop(grace)

    async def _run(self, request: StartPod, number: int, started: Callable[[Running], None]) -> PodResult:
        template = request.template
        workspace = Workspace(self.folder(request.name, number), template, request.volumes, self.claims)
        variables = self._environment(request)
        if _takes_artifacts(template):
            await asyncio.to_thread(self._lay_out, request, workspace)
        else:
            self._lay_out(request, workspace)
        launch = self._launch(request, workspace, variables)
        self._look_ahead(launch)
        running = await self.starter.start(launch)
        self.running[request.name] = running
        started(running)
        try:
            ended, late = await self._wait(running, request)
        finally:
            self.running.pop(request.name, None)
        outputs, missing = await self._collected(request, workspace)
        result = _result(ended, outputs, missing, late=late)
        if result.phase is Phase.SUCCEEDED:
            if key := self._key(request):
                self.cache.keep(key, outputs)
            self._clear(workspace)
        return result

    async def _collected(self, request: StartPod, workspace: Workspace) -> tuple[Outputs, list[str]]:
        collect = functools.partial(
            transfer.collect,
            request.template,
            workspace,
            self.store,
            self.remote,
            keeps_result=request.keeps_result,
        )
        # Parameters are read at once; what can be gigabytes is hashed and moved beside the loop.
        gives_artifacts = bool((request.template.get("outputs") or {}).get("artifacts"))
        return await asyncio.to_thread(collect) if gives_artifacts else collect()

    def _clear(self, workspace: Workspace) -> None:
        """Remove a finished attempt's files; where there are any, beside the loop: nobody waits for it before :meth:`settle`."""
        if not workspace.clear_empty():
            clearing = asyncio.get_running_loop().run_in_executor(None, workspace.clear)
            self._clearing.add(clearing)
            clearing.add_done_callback(self._clearing.discard)

    async def settle(self) -> None:
        """Wait until everything is removed that is to be removed."""
        await asyncio.gather(*self._clearing, return_exceptions=True)

    def _lay_out(self, request: StartPod, workspace: Workspace) -> None:
        template = request.template
        workspace.prepare()
        for volume in request.volumes:
            if (folder := workspace.volumes.get(volume["name"])) and volumes.is_filled(volume):
                volumes.fill(volume, folder, self.sources, self._facts(request))
        workspace.prepare_mounts()
        if source := container_of(template).get("source"):
            (workspace.folder / SCRIPT).write_text(source, encoding="utf-8")
        transfer.deliver(template, workspace, self.store, self.remote)
        for path in output_paths(template):
            workspace.path(path).parent.mkdir(parents=True, exist_ok=True)

    def _environment(self, request: StartPod) -> environment.Environment:
        return environment.of_container(container_of(request.template), self.sources, self._facts(request))

    def _facts(self, request: StartPod) -> dict[str, str]:
        return volumes.pod_facts(
            request.template.get("metadata") or {},
            pod=nodes.pod_name(self.workflow, request.name, request.template.get("name") or ""),
            namespace=self.namespace,
            workflow=self.workflow,
        )

    def _launch(self, request: StartPod, workspace: Workspace, given: environment.Environment) -> Launch:
        container = container_of(request.template)
        script = workspace.folder / SCRIPT if container.get("source") else None
        binds = tuple(Bind(shown.source, str(shown.target), shown.read_only) for shown in workspace.shown())
        if binds and not self.shows_paths():
            raise PathFailure(
                f"{binds[0].target} is outside $ARGOSY_ROOT, and this machine cannot show a step files of its own there"
            )
        argv = images.command_of(container, given.variables, script)
        if not images.is_process(container.get("image") or "", self.process_images):
            return containers.launch(self.engine_of_containers, request, workspace, given.variables)
        own = {**environment.of_machine(), "HOME": str(workspace.scratch)}
        return Launch(
            argv=images.with_this_python(argv),
            env={**own, **self.image_environment, **self._translated(given.variables, workspace)},
            cwd=workspace.working_folder(container.get("workingDir")),
            log=workspace.log,
            stdout=workspace.stdout if request.keeps_result else None,
            binds=binds,
            keep=self.kept,
            preload=ahead.preload_of(request.template),
            memory=None,
            scratch=workspace.scratch,
        )

    def _look_ahead(self, launch: Launch) -> None:
        """Have the next step's libraries imported while this step's are, and while it runs."""
        own = Warmth.of(launch.preload, launch.env)
        following = self.ahead[self.ahead.index(own) + 1 :] if own in self.ahead else ()
        if following:
            self.starter.warm(following[0])

    def _translated(self, variables: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
        root = {ROOT_VARIABLE: workspace.translated(variables[ROOT_VARIABLE])} if ROOT_VARIABLE in variables else {}
        return {**variables, **root}

    async def _wait(self, running: Running, request: StartPod) -> tuple[Exit, bool]:
        """The process's end, and whether it had to be stopped for taking too long."""
        limits = [request.limit] if request.limit is not None else []
        if request.deadline is not None:
            limits.append(request.deadline - running.started)
        if not limits:
            return await running.wait(), False
        try:
            return await asyncio.wait_for(asyncio.shield(running.wait()), max(0.0, min(limits))), False
        except TimeoutError:
            return await running.stop(GRACE), True

    def _key(self, request: StartPod) -> str | None:
        container = container_of(request.template)
        if volumes.hold_state(request.volumes, container.get("volumeMounts") or []):
            return None
        given = self._environment(request)
        image = container.get("image") or ""
        code = self.code_identity if images.is_process(image, self.process_images) else image
        argv = images.command_of(container, given.variables, None)
        return self.cache.key(
            request.template, code=code, argv=argv, environment=given.open, keeps_result=request.keeps_result
        )


def _takes_artifacts(template: Json) -> bool:
    return bool((template.get("inputs") or {}).get("artifacts"))


def _result(ended: Exit, outputs: Outputs, missing: list[str], *, late: bool) -> PodResult:
    code = ended.code if ended.code is not None else 128 + (ended.signal or 0)
    outputs.exit_code = str(code)
    if late:
        return PodResult(Phase.FAILED, LATE, outputs)
    if code:
        return PodResult(Phase.FAILED, f"main: Error (exit code {code})", outputs)
    if missing:
        return PodResult(Phase.ERROR, f"wait: Error (exit code 64): {'; '.join(missing)}", outputs)
    return PodResult(Phase.SUCCEEDED, "", outputs)
