"""Terminate a run at once: what runs is ended and nothing more begins, exit handlers included."""

import argparse

from argosy.cli import asking, cluster, cluster_runs

add_arguments = asking.add_run


def run(arguments: argparse.Namespace) -> int:
    """Terminate one run."""
    if cluster.is_meant(arguments):
        return cluster_runs.terminate(arguments)
    return asking.ask_by_name(arguments.run, "terminate", "terminated")
