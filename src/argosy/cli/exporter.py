"""Show Prometheus what is known of models beside their servers: looks, requests, releases, pipelines, canaries, retrainings.

Reads them at intervals and answers /metrics until Ctrl-C or SIGTERM. A source that cannot be read keeps its last values, and series of
its own say so. docs/monitoring.md lists the series, docs/runbook.md the alerts.
"""

import argparse

from argosy.exporter import command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    command.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read and answer until told to stop."""
    return command.run(arguments)
