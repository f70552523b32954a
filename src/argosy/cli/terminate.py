"""Terminate a run at once: what runs is ended and nothing more begins, exit handlers included."""

import argparse

from argosy import errors
from argosy.cli import place

add_arguments = place.add_run


def run(arguments: argparse.Namespace) -> int:
    """Terminate one run."""
    at = place.runs(arguments)
    name = at.find(arguments.run)
    at.terminate(name)
    place.say(at, "terminate", name)
    print(f"run {name} terminated")
    return errors.DONE
