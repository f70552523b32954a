"""Stop a run: what runs is ended and nothing more begins, except its exit handlers.

The run is then Failed; `argosy retry` does again what was stopped. To pause it instead, use `argosy suspend`.
"""

import argparse

from argosy import errors
from argosy.cli import place

add_arguments = place.add_run


def run(arguments: argparse.Namespace) -> int:
    """Stop one run."""
    at = place.runs(arguments)
    name = at.find(arguments.run)
    at.stop(name)
    place.say(at, "stop", name)
    print(f"run {name} stopped")
    return errors.DONE
