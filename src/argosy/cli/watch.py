"""Watch a run until it ends: a live tree on a terminal, a line an event elsewhere. Leaves with the run's own exit code.

It only looks: Ctrl-C ends the watching, not the run.
"""

import argparse
import sys
import time

from argosy import errors
from argosy.cli import asking, cluster, cluster_runs, progress
from argosy.engine import outcome
from argosy.engine.nodes import Ending, Node, Phase
from argosy.engine.runner import Observer
from argosy.engine.state.runs import RunFolder

POLL = 0.2

add_arguments = asking.add_run


def run(arguments: argparse.Namespace) -> int:
    """Watch one run."""
    if cluster.is_meant(arguments):
        return cluster_runs.watch(arguments)
    folder = asking.found(arguments.run)
    with progress.shown(sys.stdout, folder.manifest()["workflow"]) as observer:
        meta, known = _until_over(folder, observer)
    phase = asking.phase_of(folder, meta)
    message = meta.get("message", "")
    print(f"{folder.run} {phase}" + (f": {message}" if message else ""))
    if phase not in asking.OVER:
        print(f"`argosy resume {folder.run}` goes on")
        return errors.INTERRUPTED
    return outcome.exit_code(Ending(Phase(phase), message), known)


def _until_over(folder: RunFolder, observer: Observer) -> tuple[dict[str, str], dict[str, Node]]:
    told: dict[str, Node] = {}
    while True:
        runs_on = folder.is_locked()  # asked first: what is read after it is the whole story
        meta, known = folder.state()
        for name, node in known.items():
            if told.get(name) != node:
                told[name] = node
                observer.node_changed(node)
        if not runs_on:
            return meta, known
        time.sleep(POLL)
