"""Stop a run: what runs is ended and nothing more begins, except its exit handlers.

The run is then Failed; `argosy retry` does again what was stopped. To pause it instead, use `argosy suspend`.
"""

import argparse

from argosy.cli import asking, cluster, cluster_runs

add_arguments = asking.add_run


def run(arguments: argparse.Namespace) -> int:
    """Stop one run."""
    if cluster.is_meant(arguments):
        return cluster_runs.stop(arguments)
    return asking.ask_by_name(arguments.run, "stop", "stopped")
