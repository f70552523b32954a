"""Continue a run that was interrupted, killed, or stopped by a full disk.

A run that is suspended, or waits at a suspend step that asks for nothing, goes on where its engine is; any other is taken up here.
What succeeded stays done; what was under way is done again. Without a name the newest run is meant. A run that failed is tried again from
the steps that failed.
"""

import argparse

from argosy import errors
from argosy.cli import approve, local_run, target
from argosy.ports.runs import NEWEST, SUSPENDED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", help="the run, or the beginning of its name (default: the newest)")
    target.add_arguments(parser)
    local_run.add_as_begun(parser)
    local_run.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Resume one run; returns 0 or the code of the first step that failed."""
    at = target.runs(arguments)
    found = at.get(at.find(arguments.run or NEWEST))
    if found.under_way and found.phase != SUSPENDED and found.waiting:
        for node in found.waiting:
            approve.approve(at, found, node, {})
        return errors.DONE
    code = at.resume(found.name)
    if code is not None:
        return code
    target.say(at, "resume", found.name)
    print(f"run {found.name} goes on")
    return errors.DONE
