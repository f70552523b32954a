"""Terminate a run at once: what runs is ended and nothing more begins, exit handlers included."""

import argparse

from argosy.cli import asking

add_arguments = asking.add_run


def run(arguments: argparse.Namespace) -> int:
    """Terminate one run."""
    return asking.ask_by_name(arguments.run, "terminate", "terminated")
