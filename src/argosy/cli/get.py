"""Show one run: how it stands, and its nodes as a tree."""

import argparse
import json
import shlex
import time
from collections.abc import Iterator

from argosy import errors
from argosy.cli import asking, cluster, cluster_runs, progress
from argosy.engine import nodes
from argosy.engine.state.runs import RunFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    asking.add_run(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print one run."""
    if cluster.is_meant(arguments):
        return cluster_runs.get(arguments)
    folder = asking.found(arguments.run)
    workflow = folder.manifest()["workflow"]
    meta, known = folder.state()
    if arguments.json:
        status = {nodes.local_name(name, workflow): nodes.as_status(node) for name, node in known.items()}
        print(json.dumps({**_facts(folder, meta), "nodes": status}))
        return errors.DONE
    for name, value in _facts(folder, meta).items():
        if value:
            print(f"{name.title() + ':':<10} {value}")
    print()
    for line in progress.plain(known, workflow):
        print(line)
    for line in _advice(folder, meta, workflow):
        print(line)
    return errors.DONE


def _facts(folder: RunFolder, meta: dict[str, str]) -> dict[str, str]:
    started, finished = meta.get("started"), meta.get("finished")
    phase = asking.phase_of(folder, meta)
    end = time.time() if phase in ("Running", "Suspended") or not finished else float(finished)
    return {
        "run": folder.run,
        "phase": phase,
        "message": meta.get("message", ""),
        "started": asking.clock(started),
        "seconds": f"{max(0.0, end - float(started)):.1f}" if started and phase != "Killed" else "",
        "folder": str(folder.path),
    }


def _advice(folder: RunFolder, meta: dict[str, str], workflow: str) -> Iterator[str]:
    """What a person may want to do next."""
    phase = asking.phase_of(folder, meta)
    if phase in ("Killed", "Interrupted", "Suspended"):
        yield f"`argosy resume {folder.run}` goes on"
    elif phase in ("Failed", "Error"):
        yield f"`argosy retry {folder.run}` does again what failed"
    elif phase == "Running":
        for node in asking.waiting(folder.state()[1]):
            name = shlex.quote(nodes.local_name(node.name, workflow))
            yield f"waits: `argosy approve {folder.run} {name}`"
