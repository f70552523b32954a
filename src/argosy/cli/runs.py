"""List the runs of this machine, or of a cluster's namespace, the newest first."""

import argparse
import itertools
import json
from collections.abc import Mapping, Sequence

from argosy import errors
from argosy.cli import progress, run_ends, run_facts, target
from argosy.ports.runs import Run, Runs
from argosy.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="at most this many (default: 20)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    target.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print one line a run."""
    if arguments.limit < 0:
        raise errors.UsageError(f"--limit {arguments.limit}: at least none can be listed")
    at = target.runs(arguments)
    rows = [_row(at, each) for each in itertools.islice(at.newest_first(), arguments.limit)]
    target.say(at, "list")
    if arguments.json:
        for row in rows:
            print(json.dumps(row))
    elif rows:
        _print(rows)
    else:
        print(at.none_yet)
    return errors.DONE


def _print(rows: Sequence[Mapping[str, str]]) -> None:
    width = max(len(row["run"]) for row in rows)
    for row in rows:
        version = f"v{row['version']}" if row.get("version") else ""
        end = "  ".join(filter(None, (row.get("outcome"), version, row.get("score"), row.get("commit", "")[:7])))
        print(
            f"{row['run']:<{width}}  {row['phase']:<11}  {row['started']:<19}  {row['seconds']:>7}  {end or row['message']}".rstrip()
        )


def _row(at: Runs, each: Run) -> dict[str, str]:
    return {
        "run": each.name,
        "phase": each.phase,
        "started": progress.clock(each.started),
        "seconds": f"{each.finished - each.started:.1f}s" if each.finished and each.started else "",
        "message": each.message,
        **_end(at, each),
    }


def _end(at: Runs, each: Run) -> dict[str, str]:
    """What *each* came to; nothing on a cluster, where that takes a question for each."""
    if not at.keeps_reports:
        return {}
    try:
        end = run_ends.of(at.get(each.name))
    except errors.Misconfigured:  # it never started, or another version wrote it: what is known of it is said
        return {}
    found = {"outcome": end.word, "verdict": end.verdict, "version": end.version}
    return found | run_facts.of(Settings.from_environment().home, each.name)
