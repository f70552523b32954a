"""How long a run is likely to go on: the work that earlier runs of the same pipeline had, less what is done, at the pace that they had.

An estimate, for whoever waits at a terminal. It is read from journals of this machine, and nothing is said where there are none.
"""

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from argosy import argo, errors
from argosy.argo import NodeType, Phase
from argosy.engine.nodes import Node as KeptNode
from argosy.engine.state import runs
from argosy.engine.state.runs import RunFolder
from argosy.ports.runs import Node
from argosy.report import formats
from argosy.templates import folder as folders

SECONDS_ALONE = 100
"""From so many on minutes are said, too."""
LEAST_SECONDS = 2.0
"""Of what is over sooner nobody is told how long it takes."""
MOST_RUNS = 3
"""Earlier runs that are looked at."""


@dataclass(frozen=True)
class PastRun:
    """What an earlier run had to do: seconds of each pod that ran, by its name (``$`` for the workflow's), and of the whole."""

    pods: Mapping[str, float]
    seconds: float

    @property
    def pace(self) -> float:
        """Seconds of work done in a second."""
        return max(1.0, sum(self.pods.values()) / self.seconds) if self.seconds > 0 else 1.0


def of_nodes(nodes: Iterable[KeptNode], workflow: str) -> PastRun | None:
    """The run with *nodes*; None where nothing ran in it."""
    found = {
        _key(node.name, workflow): (node.started, node.finished)
        for node in nodes
        if node.type is NodeType.POD and node.phase is Phase.SUCCEEDED and not node.cached and node.finished is not None
    }
    if not found:
        return None
    spans = [(start, end) for start, end in found.values() if end is not None]
    whole = max(end for _, end in spans) - min(start for start, _ in spans)
    return PastRun({name: max(0.0, (end or start) - start) for name, (start, end) in found.items()}, whole)


def earlier(home: Path, run: str) -> list[PastRun]:
    """The newest earlier runs under *home* of the pipeline that the run named *run* is of, of which some step ran."""
    try:
        pipeline = _pipeline(runs.find(home, run))
    except errors.ArgosyError:  # nobody has written it down yet
        return []
    found = list[PastRun]()
    for each in runs.newest_first(home)[:20]:
        if each.run == run or not (each.path / runs.MANIFEST).exists() or _pipeline(each) != pipeline:
            continue
        past = of_nodes(each.state()[1].values(), str(each.manifest().get("workflow") or ""))
        if past is not None:
            found.append(past)
        if len(found) == MOST_RUNS:
            break
    return found


def _pipeline(folder: RunFolder) -> str:
    metadata = folder.manifest().get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    return str(annotations.get(folders.MODEL) or metadata.get("name") or metadata.get("generateName") or "")


@dataclass
class TimeLeft:
    """What is left of one run."""

    workflow: str
    past: Sequence[PastRun]
    _nodes: dict[str, Node] = field(default_factory=dict)

    def node_changed(self, node: Node) -> None:
        """Take notice of a pod."""
        if node.type is NodeType.POD:
            self._nodes[_key(node.name, self.workflow)] = node

    def seconds(self, now: float) -> float | None:
        """About how many more the run takes at *now*, seconds since 1970; None where no earlier run tells."""
        if not self.past:
            return None
        work = 0.0
        for name in {name for past in self.past for name in past.pods}:
            median = statistics.median(past.pods[name] for past in self.past if name in past.pods)
            node = self._nodes.get(name)
            if node is None or not node.phase.fulfilled:
                ran = now - node.started if node is not None and node.phase is Phase.RUNNING else 0.0
                work += max(0.0, median - ran)
        return work / statistics.median(past.pace for past in self.past)

    def line(self, now: float) -> str:
        """How far the run is, in a few words: steps that are done, and about how long it still takes."""
        done = sum(node.phase.fulfilled for node in self._nodes.values())
        known = {*self._nodes, *(name for past in self.past[:1] for name in past.pods)}
        left = self.seconds(now)
        of = f" of {len(known)}" if self.past else ""
        return f"{done}{of} steps done{_about(left) if left else ''}"


def _key(name: str, workflow: str) -> str:
    """The name of a pod without that of its run, and without which attempt it was."""
    return re.sub(r"\(\d+\)$", "", argo.local_name(name, workflow))


def by_share(done: int, of_all: int, seconds: float) -> str:
    """The end of a line about *done* of *of_all* equal parts, after so many *seconds*: about how long the others take; empty too early."""
    if not 0 < done < of_all or seconds < LEAST_SECONDS:
        return ""
    return _about(seconds / done * (of_all - done))


def _about(left: float) -> str:
    whole = max(1, round(left))
    return f", about {f'{whole} s' if whole < SECONDS_ALONE else formats.seconds(float(whole))} left"
