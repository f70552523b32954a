"""What the verbs that speak to a run under way share: which run is meant, whether an engine is at it, what it was asked to do."""

import argparse
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from argosy import errors, settings
from argosy.cli import cluster
from argosy.engine.nodes import Json, Node
from argosy.engine.state import control, runs
from argosy.engine.state.runs import RunFolder

OVER = ("Succeeded", "Failed", "Error")


def add_run(parser: argparse.ArgumentParser) -> None:
    """Declare the run that a verb is about, here or on a cluster."""
    parser.add_argument("run", help="the run, or the beginning of its name; '-' for the newest")
    cluster.add_arguments(parser)


def found(name: str) -> RunFolder:
    """The run that *name* means. Raises UsageError where there is none, or more than one."""
    return runs.find(settings.Settings.from_environment().home, None if name == "-" else name)


def phase_of(folder: RunFolder, meta: dict[str, str]) -> str:
    """The run's phase as people are told it: one whose engine is gone was killed."""
    phase = meta.get("phase", "Unknown")
    if phase == "Running":
        return ("Suspended" if meta.get("suspended") else "Running") if folder.is_locked() else "Killed"
    return phase


def ask(folder: RunFolder, request: Json) -> None:
    """Have the engine at the run do *request*. Raises UsageError where none is there."""
    if not control.ask(folder.path, request):
        phase = phase_of(folder, folder.state()[0])
        hint = "it is over" if phase in OVER else f"`argosy resume {folder.run}` goes on with it"
        raise errors.UsageError(f"run {folder.run} does not run now (it is {phase}); {hint}")


def ask_by_name(name: str, what: str, said: str) -> int:
    """Have the run *name* do *what*, and say that it is *said*."""
    folder = found(name)
    ask(folder, {"do": what})
    print(f"run {folder.run} {said}")
    return errors.DONE


def print_rows(rows: Sequence[Mapping[str, str]], *, as_json: bool) -> None:
    """Print one line a run."""
    if as_json:
        for row in rows:
            print(json.dumps(row))
        return
    width = max((len(row["run"]) for row in rows), default=0)
    for row in rows:
        print(
            f"{row['run']:<{width}}  {row['phase']:<11}  {row['started']:<19}  {row['seconds']:>7}  {row['message']}".rstrip()
        )


def waiting(nodes: dict[str, Node]) -> list[Node]:
    """The suspended steps of a run that wait for somebody."""
    return [node for node in nodes.values() if node.type == "Suspend" and not node.fulfilled]


def clock(moment: str | float | None) -> str:
    """A moment as people of this time zone write it."""
    return datetime.fromtimestamp(float(moment)).astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""
