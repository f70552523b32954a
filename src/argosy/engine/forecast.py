"""Foretells a run: which of its pods the cache answers, which run, and of which that is not known before others have run. Starts nothing.

The machine is driven as a run drives it, but a pod that would run is answered with what it gave in an earlier run, so that what comes
after it can be looked up, too. What takes something of such a pod may come out otherwise: it is foretold as open, never as cached.
"""

import json
import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from argosy import argo
from argosy.argo import NodeType, Phase
from argosy.engine import assembly, effects, key_changes, resource_durations
from argosy.engine.attempts import cache
from argosy.engine.attempts.pods import Pods
from argosy.engine.effects import PodResult, StartPod
from argosy.engine.machine.dependencies import Dependencies
from argosy.engine.machine.workflow import Workflow
from argosy.engine.nodes import Json, Node
from argosy.engine.options import Prepared, RunOptions
from argosy.engine.processes.fork_server import Running
from argosy.engine.processes.launches import Launch, Warmth
from argosy.engine.state import journal, runs
from argosy.engine.state.runs import RunFolder
from argosy.engine.state.stored_run import StoredRun

Answer = Literal["cached", "runs", "open"]
_LATER = re.compile(r"\b(?:tasks|steps)\.([\w-]+)\.")
_ATTEMPT = re.compile(r"(\([^)]*\))+$")
MOST_RUNS = 10
"""Earlier runs that are looked at."""


@dataclass(frozen=True)
class Foretold:
    """One pod, or a task whose pods are not known yet."""

    name: str
    """As the run will have it, with ``$`` for the workflow's own name."""
    task: str
    """The task of the entrypoint that it belongs to."""
    answer: Answer
    reasons: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    """Of one that is open: the tasks whose outputs decide."""
    seconds: float | None = None
    """The median of its earlier runs, where it may run again."""
    resources: Mapping[str, float] = field(default_factory=dict)
    """What it then asks for over that time, by Argo's units."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Its output parameters, of one that is cached."""


@dataclass(frozen=True)
class _Earlier:
    """What earlier runs have of one node."""

    node: Node
    run: str
    made_of: Json | None
    seconds: tuple[float, ...]


class _NoStarter:
    async def start(self, launch: Launch) -> Running:
        raise NotImplementedError("a forecast starts nothing")

    def warm(self, warmth: Warmth) -> None:
        """Nothing."""


def of(prepared: Prepared, options: RunOptions, earlier: Sequence[RunFolder]) -> list[Foretold]:
    """The forecast of *prepared*. *earlier*: runs of the same workflow, the newest first."""
    stored = StoredRun.of(prepared, options, ())
    workflow = assembly.workflow(stored, time.time(), {})
    nowhere = RunFolder(options.home / "runs" / prepared.run)
    pods = assembly.pods(stored, nowhere, options, _NoStarter(), workflow.machine.catalogue)
    forecast = _Forecast(workflow, stored.workflow, pods, _known(earlier[:MOST_RUNS]))
    forecast.drive()
    return [*forecast.found, *forecast.never_met()]


class _Forecast:
    """One drive of the machine."""

    def __init__(self, workflow: Workflow, root: str, pods: Pods, earlier: Mapping[str, _Earlier]) -> None:
        self.found: list[Foretold] = []
        self._workflow = workflow
        self._machine = workflow.machine
        self._root = root
        self._pods = pods
        self._earlier = earlier
        self._unsure: set[str] = set()
        """Nodes that run or are open, and the tasks that these belong to."""
        self._moved: set[str] = set()
        """States that those change."""

    def drive(self) -> None:
        """Carry out all that can be without a process."""
        self._workflow.start()
        while self._machine.effects and not self._workflow.ending:
            taken, self._machine.effects = self._machine.effects, []
            for effect in taken:
                match effect:
                    case StartPod():
                        self._answer(effect)
                    case effects.AcquireLocks(name):
                        self._machine.locks_granted(name)
                    case effects.Recall(name):
                        self._machine.recalled(
                            name, None
                        )  # whether that is still remembered then is not for us to touch
                    case _:
                        pass
            for pause in list(self._machine.pauses.values()):
                pause({}, "")
            self._machine.drain()

    def never_met(self) -> Iterator[Foretold]:
        """The tasks of the entrypoint that wait for a pod of which nothing is known."""
        top = self._machine.nodes.get(self._root)
        if top is None or top.type is not NodeType.DAG:
            return
        template, _ = self._machine.catalogue.resolve(self._workflow.entry.holder, self._workflow.entry.owner)
        for name in Dependencies(template.dag).included:
            if f"{self._root}.{name}" not in self._machine.nodes:
                yield Foretold(f"$.{name}", name, "runs", ("what it takes was never made before",))

    def _answer(self, request: StartPod) -> None:
        parts = self._pods.made_of(request)
        outputs = self._pods.cache.find(cache.key_of(parts)) if parts else None
        before = self._earlier.get(argo.local_name(request.name, self._root))
        waits_for = tuple(self._doubts(request, parts))
        if outputs is not None and not waits_for:
            name, task = self._local(request.name), self._task(request.name)
            self.found.append(Foretold(name, task, "cached", outputs=outputs.parameters))
        else:
            self._note_unsure(request, parts)
            self.found.append(self._of_unsure(request, parts, before, waits_for, hit=outputs is not None))
        given = outputs or (before.node.outputs if before and before.node.phase is Phase.SUCCEEDED else None)
        if given is not None:
            self._machine.pod_finished(
                request.name, PodResult(Phase.SUCCEEDED, outputs=given, cached=outputs is not None)
            )

    def _of_unsure(
        self, request: StartPod, parts: Json | None, before: _Earlier | None, waits_for: tuple[str, ...], *, hit: bool
    ) -> Foretold:
        seconds = statistics.median(before.seconds) if before and before.seconds else None
        return Foretold(
            self._local(request.name),
            self._task(request.name),
            "open" if hit else "runs",
            () if hit else tuple(_reasons(parts, before)),
            waits_for,
            seconds,
            resource_durations.of_template(request.template.written, seconds) if seconds is not None else {},
        )

    def _note_unsure(self, request: StartPod, parts: Json | None) -> None:
        name: str | None = request.name
        while name is not None and name != self._root:
            self._unsure |= {name, _ATTEMPT.sub("", name)}
            node = self._machine.nodes.get(name)
            name = node.boundary if node else None
        self._moved |= set((parts or {}).get("observed") or ()) - {"day"}
        self._moved |= set(json.loads(request.template.metadata.annotations.get(cache.OBSERVES) or "[]"))

    def _doubts(self, request: StartPod, parts: Json | None) -> Iterator[str]:
        """The tasks that have to run, or may, before it is known what *request* is given."""
        found: dict[str, None] = {}
        name = request.name
        while (node := self._machine.nodes.get(name)) is not None and node.boundary:
            found |= dict.fromkeys(self._doubts_of_task(_ATTEMPT.sub("", name), node.boundary))
            name = node.boundary
        yield from found
        if self._moved.intersection((parts or {}).get("observed") or ()):
            yield "the state that it observes"

    def _doubts_of_task(self, name: str, boundary: str) -> Iterator[str]:
        around = self._machine.nodes[boundary]
        templates = self._machine.catalogue.workflow.templates
        template = next((each for each in templates if each.name == around.template), None)
        own = name.removeprefix(f"{boundary}.")
        task = next((each for each in template.dag.tasks if each.name == own), None) if template else None
        if task is None:  # a list of steps, or a template of another resource: whatever came before may count
            yield from (self._task(each) for each in self._unsure if each != name)
            return
        written = {key: value for key, value in task.written.items() if key not in ("depends", "dependencies")}
        for other in _LATER.findall(json.dumps(written)):
            if f"{boundary}.{other}" in self._unsure:
                yield other

    def _local(self, name: str) -> str:
        return argo.local_name(name, self._root)

    def _task(self, name: str) -> str:
        return re.split(r"[.(\[]", name.removeprefix(f"{self._root}."))[0]


def _reasons(parts: Json | None, before: _Earlier | None) -> Iterator[str]:
    """Why the cache has no answer."""
    if parts is None:
        yield "it is never taken from the cache"
    elif before is None:
        yield "no earlier run has it"
    elif before.made_of is None:
        yield f"what it depended on in run {before.run} was not written down"
    elif found := list(key_changes.between(before.made_of, cache.condensed(parts))):
        yield from found
    else:
        yield "what it gave is no longer kept, or the cache is not to be used"


def _known(earlier: Sequence[RunFolder]) -> dict[str, _Earlier]:
    """What the *earlier* runs have of each node, by its local name: of the newest that has it, and how long it took in all."""
    found: dict[str, _Earlier] = {}
    for folder in earlier:
        if not (folder.path / runs.JOURNAL).exists():
            continue
        root, nodes = StoredRun.read(folder).workflow, folder.state()[1]
        made_of = journal.read_made_of(folder.path / runs.JOURNAL)
        for node in nodes.values():
            if node.type is not NodeType.POD:
                continue
            name = argo.local_name(node.name, root)
            took = (node.finished - node.started,) if node.finished and not node.cached else ()
            known = found.get(name)
            if known is not None:
                found[name] = _Earlier(known.node, known.run, known.made_of, (*known.seconds, *took))
            elif node.phase is Phase.SUCCEEDED:
                found[name] = _Earlier(node, folder.run, made_of.get(node.name), took)
    return found
