"""Suspend a run: steps that run go on to their end, and nothing more begins until `argosy resume`."""

import argparse

from argosy import errors
from argosy.cli import place

add_arguments = place.add_run


def run(arguments: argparse.Namespace) -> int:
    """Suspend one run."""
    at = place.runs(arguments)
    name = at.find(arguments.run)
    at.suspend(name)
    place.say(at, "suspend", name)
    print(f"run {name} suspended")
    return errors.DONE
