"""Copy the state folder to another place, while it is in use, and check such copies.

`create` copies all of it, keys included, and checks the copy; `verify` checks one again: each file by its digest, databases and the
environment repo by themselves. `argosy restore` puts one back. On a cluster nothing of ours lies in a state folder: docs/operations.md.
"""

import argparse
from pathlib import Path

from argosy import errors
from argosy.cli import home_copy, verb_actions
from argosy.cli.home_copy import Copy
from argosy.report.plain_text import line
from argosy.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, summary in (("create", "copy the state folder to a new folder"), ("verify", "check a copy")):
        verb = verb_actions.added(verbs, name, None, summary)
        verb.add_argument("folder", type=Path, metavar="FOLDER")


def run(arguments: argparse.Namespace) -> int:
    """Copy, or check."""
    if arguments.action == "verify":
        return demand_whole(home_copy.read(arguments.folder))
    made = home_copy.make(Settings.from_environment().home, arguments.folder)
    print(f"copied {made.home} to {made.folder}: {len(made.entries)} files, {made.size / 1e6:.1f} MB, keys included")
    return demand_whole(made)


def demand_whole(copy: Copy) -> int:
    """Say that *copy* is what it says it is. Raises Rejected, with all that is wrong, where it is not."""
    found = [line(one) for one in home_copy.problems(copy)]
    if found:
        more = f" and {len(found) - 20} more" if len(found) > 20 else ""
        raise errors.Rejected(
            f"{copy.folder} is damaged, use another copy:{errors.BETWEEN}{errors.listed(found[:20])}{more}"
        )
    print(f"whole: {copy.folder}, of {copy.home}, made {copy.made} by argosy {copy.argosy}: {len(copy.entries)} files")
    return errors.DONE
