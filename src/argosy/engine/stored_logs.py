"""The logs of a stored run's steps, read from its folder while it runs or after."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from argosy import argo, errors
from argosy.argo import NodeType
from argosy.engine.state import journal, runs
from argosy.engine.state.runs import RunFolder
from argosy.ports.runs import Line, Node, Run

ADVICE = "argosy: "
"""The beginning of a line that the engine adds to what a step wrote."""

POLL_SECONDS = 0.2
WITH_LOGS = (NodeType.POD, NodeType.CONTAINER)


@dataclass
class StoredLogs:
    """Reads the logs of the steps of the run in *folder* that *step* means, or of all. *workflow*: the name of what it runs."""

    folder: RunFolder
    workflow: str
    step: str | None
    _positions: dict[Path, int] = field(default_factory=dict)

    def lines(self, *, follow: bool) -> Iterator[Line]:
        """All lines so far; with *follow* those to come, until every fitting step has ended. Raises UsageError where nothing fits."""
        while True:
            run = self._run()
            fitting = [node for node in run.nodes.values() if node.type in WITH_LOGS and run.is_meant(node, self.step)]
            if not fitting and not follow:
                raise self._no_such_step(run)
            ended = bool(fitting) and all(node.fulfilled for node in fitting)
            names = [*(node.name for node in fitting), *self._beside(fitting, run.nodes)]
            for name in names:
                step = argo.local_name(name, self.workflow) if len(names) > 1 else ""
                for text in self._news(name, whole=ended or not follow):
                    yield Line(text, step)
            if not follow or ended or not self.folder.is_locked():
                return
            time.sleep(POLL_SECONDS)

    def _run(self) -> Run:
        _, known = self.folder.state()
        seen = {name: node.seen() for name, node in known.items()}
        return Run(self.folder.run, phase="", root=self.workflow, nodes=seen)

    def _no_such_step(self, run: Run) -> errors.UsageError:
        there = ", ".join(run.local(node) for node in run.nodes.values() if node.type in WITH_LOGS)
        return errors.UsageError(f"run {run.name} has no step {self.step!r}; it has {there or 'none yet'}")

    def _beside(self, fitting: Sequence[Node], known: Mapping[str, Node]) -> list[str]:
        """The init containers and sidecars in the pods of the steps *fitting*: containers that are no nodes, but on record."""
        recorded = {attempt.node for attempt in journal.read_attempts(self.folder.path / runs.JOURNAL)}
        pods = tuple(f"{node.name}." for node in fitting if node.type is NodeType.POD)
        return sorted(name for name in recorded if name not in known and name.startswith(pods))

    def _news(self, name: str, *, whole: bool) -> Iterator[str]:
        for path in sorted(self.folder.attempt(self.workflow, name, 0).parent.glob("*/main.log"), key=_number):
            with path.open("rb") as log:
                log.seek(self._positions.get(path, 0))
                for line in log:
                    if not whole and not line.endswith(b"\n"):
                        break  # the rest of the line is still to come
                    self._positions[path] = self._positions.get(path, 0) + len(line)
                    yield line.decode("utf-8", errors="replace").rstrip("\n")


def _number(path: Path) -> int:
    return int(path.parent.name)
