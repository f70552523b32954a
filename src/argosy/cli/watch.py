"""Watch a run until it ends: a live tree on a terminal, a line an event elsewhere. Leaves with the run's own exit code.

It only looks: Ctrl-C ends the watching, not the run.
"""

import argparse
import sys
import time
from collections.abc import Iterator

from argosy.cli import hints, progress, target
from argosy.engine import outcome
from argosy.engine.runner import Observer
from argosy.ports.runs import Node, Run, Runs
from argosy.settings import Settings

add_arguments = target.add_run


def run(arguments: argparse.Namespace) -> int:
    """Watch one run."""
    at = target.runs(arguments)
    name = at.find(arguments.run)
    target.say(at, "watch", name)
    return until_over(at, name)


def until_over(at: Runs, name: str) -> int:
    """Show the run *name* until nobody carries it out any more; its exit code."""
    found = at.get(name)
    told: dict[str, Node] = {}
    said: set[str] = set()
    home = Settings.from_environment().home if at.keeps_reports else None
    with progress.shown(sys.stdout, found.root, home) as observer:
        while True:
            _tell_nodes(found, told, observer)
            _tell_stuck(found, said)
            if not found.under_way:
                break
            time.sleep(at.poll_seconds)
            found = at.get(name)
    print(f"{found.name} {found.phase}" + (f": {found.message}" if found.message else ""))
    for line in _last_lines(at, found):
        print(line)
    return outcome.exit_code(found.phase, found.nodes)


def _tell_nodes(found: Run, told: dict[str, Node], observer: Observer) -> None:
    for node in found.nodes.values():
        if told.get(node.name) != node:
            told[node.name] = node
            observer.node_changed(node)


def _tell_stuck(found: Run, said: set[str]) -> None:
    for line in hints.stuck(found):
        if line not in said:
            said.add(line)
            print(line.strip(), file=sys.stderr)


def _last_lines(at: Runs, found: Run) -> Iterator[str]:
    if not found.over or not at.keeps_reports:
        yield from hints.times(at, found)
        yield from hints.next_steps(at, found)
