"""Draw the tasks of a pipeline and what each waits for: of a model, of any Argo manifest, or of a run, with how far that is.

In the terminal a line a task; --svg writes a picture. Of a run each task says how it stands: done, works, waits, failed, left out, and how
long it took. Lines that follow from others are left out.
"""

import argparse
from pathlib import Path

from argosy import errors
from argosy.cli import models, target, task_graphs
from argosy.cli.task_graphs import PipelineGraph
from argosy.domain import task_graph
from argosy.domain.task_graph import Standings
from argosy.engine.manifest import loading
from argosy.engine.state import runs as run_folders
from argosy.ports.runs import Run
from argosy.report import plain_text, task_graph_picture, task_graph_text
from argosy.settings import Settings
from argosy.templates import folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", metavar="MODEL|FILE|RUN", help="a model or its folder, a manifest, or a run as `argosy get` takes it"
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the picture to FILE instead")
    target.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Draw the graph."""
    name, graph, standings = _of_manifest(arguments) or _of_run(arguments)
    if not graph.tasks:
        raise errors.Misconfigured(
            f"{name} has no tasks that wait for each other: its entrypoint works itself, or is not there"
        )
    if found := list(task_graph.doubts(graph.tasks)):
        raise errors.Misconfigured(f"{name}: {errors.listed(found)}")
    if arguments.svg:
        arguments.svg.write_text(task_graph_picture.svg(name, graph.tasks, standings), encoding="utf-8")
        print(plain_text.line(f"written: {arguments.svg}"))
        return errors.DONE
    print(plain_text.line(name))
    for line in task_graph_text.lines(graph.tasks, standings):
        print(plain_text.line(line))
    return errors.DONE


def _of_manifest(arguments: argparse.Namespace) -> tuple[str, PipelineGraph, Standings] | None:
    """The graph of the manifest or the model that is meant, and its name; None where neither is."""
    if target.is_cluster(arguments):
        return None
    given = Path(arguments.what)
    if not given.is_file():
        try:
            given = models.folder_of(arguments.what) / folder.MANIFEST
        except errors.UsageError:
            return None
    manifest = loading.load([given])
    return manifest.main.name, task_graphs.of_manifest(manifest), {}


def _of_run(arguments: argparse.Namespace) -> tuple[str, PipelineGraph, Standings]:
    """The graph of the run that is meant, its name, and how its tasks stand."""
    at = target.runs(arguments)
    try:
        found = at.get(at.find(arguments.what))
    except errors.UsageError as error:
        if target.is_cluster(arguments):
            raise
        raise errors.UsageError(
            f"{arguments.what!r} is no model of this project and no manifest, and {error}"
        ) from None
    graph = _graph(arguments, Settings.from_environment().home, found)
    return f"{found.name}  {found.phase}", graph, graph.standings(found)


def _graph(arguments: argparse.Namespace, home: Path, run: Run) -> PipelineGraph:
    if target.is_cluster(arguments):
        return task_graphs.of_workflow(target.workflows(arguments).get(run.name))
    return task_graphs.of_stored(run_folders.find(home, run.name))


def picture(arguments: argparse.Namespace, home: Path, run: Run) -> str:
    """The graph of a *run*, which is where *arguments* mean or under *home*, as an SVG; empty where it has none."""
    if not run.nodes:
        return ""  # it never began, or nothing of it is left
    graph = _graph(arguments, home, run)
    return task_graph_picture.svg(run.name, graph.tasks, graph.standings(run)) if graph.tasks else ""
