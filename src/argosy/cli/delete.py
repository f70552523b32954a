"""Delete runs: their journals, their steps' logs and files.

Artifacts stay, for other runs and the cache may have them too, unless the manifest's artifactGC says that they go with their run.
"""

import argparse
import shutil

from argosy import errors, settings
from argosy.cli import asking, cluster, cluster_runs
from argosy.engine import api
from argosy.engine.options import RunOptions
from argosy.engine.state import runs
from argosy.engine.state.locks import FileLock
from argosy.engine.state.runs import RunFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("run", nargs="*", help="runs, or the beginnings of their names; '-' for the newest")
    parser.add_argument("--completed", action="store_true", help="every run that came to its end")
    cluster.add_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="say which, and delete none")


def run(arguments: argparse.Namespace) -> int:
    """Delete runs."""
    if bool(arguments.run) == arguments.completed:
        raise errors.UsageError("name the runs to delete, or --completed for all that came to their end")
    if cluster.is_meant(arguments):
        return cluster_runs.delete(arguments)
    chosen = _completed() if arguments.completed else [asking.found(name) for name in arguments.run]
    for folder in dict.fromkeys(chosen):
        if not arguments.dry_run:
            _delete(folder)
        print(f"run {folder.run} {'would be ' if arguments.dry_run else ''}deleted")
    return errors.DONE


def _completed() -> list[RunFolder]:
    known = runs.newest_first(settings.Settings.from_environment().home)
    return [folder for folder in known if folder.state()[0].get("phase") in asking.OVER and not folder.is_locked()]


def _delete(folder: RunFolder) -> None:
    lock = FileLock(folder.path / runs.LOCK)
    if not lock.try_acquire():
        raise errors.UsageError(f"run {folder.run} is under way; stop it first (argosy stop {folder.run})")
    try:
        found = settings.Settings.from_environment()
        api.forget_artifacts(folder, RunOptions(home=found.home, secrets=found.secrets()))
        # Renamed first: half a run is never listed.
        gone = folder.path.with_name(f".{folder.run}.deleted")
        folder.path.rename(gone)
        shutil.rmtree(gone)
    finally:
        lock.release()
