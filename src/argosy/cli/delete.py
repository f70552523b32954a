"""Delete runs: their journals, their steps' logs and files.

Artifacts stay, for other runs and the cache may have them too, unless the manifest's artifactGC says that they go with their run.
"""

import argparse

from argosy import errors
from argosy.cli import target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="*", help="runs, or the beginnings of their names; '-' for the newest")
    parser.add_argument("--completed", action="store_true", help="every run that came to its end")
    target.add_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="say which, and delete none")


def run(arguments: argparse.Namespace) -> int:
    """Delete runs."""
    if bool(arguments.run) == arguments.completed:
        raise errors.UsageError("name the runs to delete, or --completed for all that came to their end")
    at = target.runs(arguments)
    if arguments.completed:
        names = [each.name for each in at.newest_first() if each.over and not each.under_way]
    else:
        names = [at.find(name) for name in arguments.run]
    for name in dict.fromkeys(names):
        if not arguments.dry_run:
            at.delete(name)
        print(f"run {name} {'would be ' if arguments.dry_run else ''}deleted")
    return errors.DONE
