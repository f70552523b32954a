"""Print what a step of a run wrote.

STEP is a node's name ($.train, $.tune.trial-0(3:...)), its last part (train), or the name of a template. Where several nodes fit, each line
begins with the node's name.
"""

import argparse
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argosy import errors, settings
from argosy.cli import cluster, cluster_runs
from argosy.engine import nodes
from argosy.engine.nodes import Node, NodeType
from argosy.engine.state import journal, runs

POLL = 0.2
WITH_LOGS = (NodeType.POD, NodeType.CONTAINER)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("run", help="the run, or the beginning of its name; '-' for the newest")
    parser.add_argument("step", nargs="?", help="the step (default: every step)")
    cluster.add_arguments(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the step has ended")


def run(arguments: argparse.Namespace) -> int:
    """Print the logs."""
    if cluster.is_meant(arguments):
        return cluster_runs.logs(arguments)
    home = settings.Settings.from_environment().home
    folder = runs.find(home, None if arguments.run == "-" else arguments.run)
    reader = Reader(folder, arguments.step)
    for line in reader.lines(follow=arguments.follow):
        print(line, flush=arguments.follow)
    return errors.DONE


@dataclass
class Reader:
    """Reads the logs of the steps that *step* names."""

    folder: runs.RunFolder
    step: str | None
    _positions: dict[Path, int] = field(default_factory=dict)

    def lines(self, *, follow: bool) -> Iterator[str]:
        """All lines so far; with *follow* those to come, until every fitting step has ended. Raises UsageError where nothing fits."""
        workflow = self.folder.manifest()["workflow"]
        while True:
            _, known = self.folder.state()
            fitting = [
                node
                for node in known.values()
                if node.type in WITH_LOGS and cluster_runs.fits(node, self.step, workflow)
            ]
            if not fitting and not follow:
                there = ", ".join(
                    nodes.local_name(node.name, workflow) for node in known.values() if node.type in WITH_LOGS
                )
                raise errors.UsageError(
                    f"run {self.folder.run} has no step {self.step!r}; it has {there or 'none yet'}"
                )
            ended = bool(fitting) and all(node.fulfilled for node in fitting)
            names = [*(node.name for node in fitting), *self._beside(fitting, known)]
            for name in names:
                prefix = f"{nodes.local_name(name, workflow)}: " if len(names) > 1 else ""
                for line in self._news(workflow, name, whole=ended or not follow):
                    yield prefix + line
            if not follow or ended or not self.folder.is_locked():
                return
            time.sleep(POLL)

    def _beside(self, fitting: list[Node], known: Mapping[str, Node]) -> list[str]:
        """What ran before or beside the steps *fitting* in their pods: containers that are no nodes, but on record."""
        recorded = {attempt.node for attempt in journal.read_attempts(self.folder.path / runs.JOURNAL)}
        pods = tuple(f"{node.name}." for node in fitting if node.type is NodeType.POD)
        return sorted(name for name in recorded if name not in known and name.startswith(pods))

    def _news(self, workflow: str, name: str, *, whole: bool) -> Iterator[str]:
        for path in sorted(self.folder.attempt(workflow, name, 0).parent.glob("*/main.log"), key=_number):
            with path.open("rb") as log:
                log.seek(self._positions.get(path, 0))
                for line in log:
                    if not whole and not line.endswith(b"\n"):
                        break  # the rest of the line is still to come
                    self._positions[path] = self._positions.get(path, 0) + len(line)
                    yield line.decode("utf-8", errors="replace").rstrip("\n")


def _number(path: Path) -> int:
    return int(path.parent.name)
