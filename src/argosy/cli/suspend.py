"""Suspend a run: steps that run go on to their end, and nothing more begins until `argosy resume`."""

import argparse

from argosy.cli import asking, cluster, cluster_runs

add_arguments = asking.add_run


def run(arguments: argparse.Namespace) -> int:
    """Suspend one run."""
    if cluster.is_meant(arguments):
        return cluster_runs.suspend(arguments)
    return asking.ask_by_name(arguments.run, "suspend", "suspended")
