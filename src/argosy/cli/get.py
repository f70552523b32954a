"""Show one run: how it stands, and its nodes as a tree."""

import argparse
import json
import time

from argosy import errors
from argosy.cli import hints, progress, target
from argosy.ports.runs import KILLED, Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    target.add_run(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print one run."""
    at = target.runs(arguments)
    found = at.get(at.find(arguments.run))
    target.say(at, "get", found.name)
    if arguments.json:
        status = {found.local(node): node.as_status() for node in found.nodes.values()}
        print(json.dumps({**_facts(found), "nodes": status}))
        return errors.DONE
    for name, value in _facts(found).items():
        if value:
            print(f"{name.title() + ':':<10} {value}")
    print()
    for line in [*progress.plain(found), *hints.times(at, found), *hints.next_steps(at, found)]:
        print(line)
    return errors.DONE


def _facts(found: Run) -> dict[str, str]:
    # When an engine died that was killed, nobody knows.
    lasted = (found.finished or time.time()) - found.started if found.started and found.phase != KILLED else None
    return {
        "run": found.name,
        "phase": found.phase,
        "message": found.message,
        "started": progress.clock(found.started),
        "seconds": "" if lasted is None else f"{max(0.0, lasted):.1f}",
        **found.facts,
    }
