"""Stop a run: what runs is ended and nothing more begins, except its exit handlers.

The run is then Failed; `argosy retry` does again what was stopped. To pause it instead, use `argosy suspend`.
"""

import argparse

from argosy import errors
from argosy.cli import target

add_arguments = target.add_run


def run(arguments: argparse.Namespace) -> int:
    """Stop one run."""
    at = target.runs(arguments)
    name = at.find(arguments.run)
    at.stop(name)
    target.say(at, "stop", name)
    print(f"run {name} stopped")
    return errors.DONE
