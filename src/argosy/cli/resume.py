"""Continue a run that was interrupted, killed, or stopped by a full disk.

A run that is suspended, or waits at a suspend step that asks for nothing, goes on where its engine is; any other is taken up here.
What succeeded stays done; what was under way is done again. Without a name the newest run is meant. A run that failed is tried again from
the steps that failed.
"""

import argparse

from argosy import errors
from argosy.cli import approve, asking, cluster, cluster_runs, executing
from argosy.engine import api
from argosy.engine.state import runs
from argosy.engine.state.runs import RunFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("run", nargs="?", help="the run, or the beginning of its name (default: the newest)")
    cluster.add_arguments(parser)
    parser.add_argument(
        "--as-begun",
        action="store_true",
        help="go on with the files the run began with, though its model's folder has changed",
    )
    executing.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Resume one run; returns 0 or the code of the first step that failed."""
    if cluster.is_meant(arguments):
        return cluster_runs.resume(arguments)
    options = executing.options(arguments)
    folder = runs.find(options.home, None if arguments.run == "-" else arguments.run)
    if _goes_on(folder):
        return errors.DONE
    executing.refuse_other_files(folder, arguments)
    manifest = folder.manifest()
    return executing.carry_out(
        arguments,
        options.home,
        manifest["workflow"],
        lambda observer: api.resume(options.home, folder.run, options, observer),
        of_model=executing.is_of_model(manifest["metadata"]),
    )


def _goes_on(folder: RunFolder) -> bool:
    """Whether an engine is at the run that was only suspended, or waited for an approval, and goes on now."""
    if not folder.is_locked():
        return False
    meta, known = folder.state()
    if meta.get("suspended"):
        asking.ask(folder, {"do": "resume"})
        print(f"run {folder.run} goes on")
        return True
    waiting = asking.waiting(known)
    for node in waiting:
        approve.approve(folder, node, [])
    return bool(waiting)
