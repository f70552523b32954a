"""Continue a run that was interrupted, killed, or stopped by a full disk.

What succeeded stays done; what was under way is done again. Without a name the newest run is meant. A run that failed is tried again from
the steps that failed.
"""

import argparse

from argosy.cli import executing
from argosy.engine import api
from argosy.engine.state import runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("run", nargs="?", help="the run, or the beginning of its name (default: the newest)")
    executing.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Resume one run; returns 0 or the code of the first step that failed."""
    options = executing.options(arguments)
    folder = runs.find(options.home, arguments.run)
    manifest = folder.manifest()
    return executing.carry_out(
        arguments,
        options.home,
        manifest["workflow"],
        lambda observer: api.resume(options.home, folder.run, options, observer),
        of_model=executing.is_of_model(manifest["metadata"]),
    )
