"""Suspend a run: steps that run go on to their end, and nothing more begins until `argosy resume`."""

import argparse

from argosy import errors
from argosy.cli import target

add_arguments = target.add_run


def run(arguments: argparse.Namespace) -> int:
    """Suspend one run."""
    at = target.runs(arguments)
    name = at.find(arguments.run)
    at.suspend(name)
    target.say(at, "suspend", name)
    print(f"run {name} suspended")
    return errors.DONE
