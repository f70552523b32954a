"""Terminate a run at once: what runs is ended and nothing more begins, exit handlers included."""

import argparse

from argosy import errors
from argosy.cli import target

add_arguments = target.add_run


def run(arguments: argparse.Namespace) -> int:
    """Terminate one run."""
    at = target.runs(arguments)
    name = at.find(arguments.run)
    at.terminate(name)
    target.say(at, "terminate", name)
    print(f"run {name} terminated")
    return errors.DONE
