"""List the runs of this machine, or of a cluster's namespace, the newest first."""

import argparse

from argosy import errors, settings
from argosy.cli import asking, cluster, cluster_runs
from argosy.engine.state import runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("-n", "--limit", type=int, default=20, metavar="N", help="at most this many (default: 20)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    cluster.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print one line a run."""
    if cluster.is_meant(arguments):
        return cluster_runs.runs(arguments)
    folders = runs.newest_first(settings.Settings.from_environment().home)
    rows = [_row(folder) for folder in folders[: arguments.limit]]
    asking.print_rows(rows, as_json=arguments.json)
    if not rows and not arguments.json:
        print("no runs yet; `argosy run MODEL` makes one")
    return errors.DONE


def _row(folder: runs.RunFolder) -> dict[str, str]:
    meta, _ = folder.state()
    started, finished = meta.get("started"), meta.get("finished")
    over = started and finished and meta.get("phase") != "Running"
    return {
        "run": folder.run,
        "phase": asking.phase_of(folder, meta),
        "started": asking.clock(started),
        "seconds": f"{float(finished) - float(started):.1f}s" if over and started and finished else "",
        "message": meta.get("message", ""),
    }
