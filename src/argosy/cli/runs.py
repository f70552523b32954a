"""List the runs of this machine, the newest first."""

import argparse
import json

from argosy import errors, settings
from argosy.cli import asking
from argosy.engine.state import runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("-n", "--limit", type=int, default=20, metavar="N", help="at most this many (default: 20)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Print one line a run."""
    folders = runs.newest_first(settings.Settings.from_environment().home)
    rows = [_row(folder) for folder in folders[: arguments.limit]]
    if arguments.json:
        for row in rows:
            print(json.dumps(row))
        return errors.DONE
    width = max((len(row["run"]) for row in rows), default=0)
    for row in rows:
        print(
            f"{row['run']:<{width}}  {row['phase']:<11}  {row['started']:<19}  {row['seconds']:>7}  {row['message']}".rstrip()
        )
    if not rows:
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
