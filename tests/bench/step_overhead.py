"""What the engine costs a step that does nothing, beside Metaflow, the peer.

    python tests/bench/step_overhead.py [--peer PYTHON] [--rounds 5] [--nodes 10000]

Steps are ``sh -c true`` with a log, an output parameter where a case says so, and the journal of any run. Every figure is that of a run in
a process of its own: wall seconds from the first node to the end, over the number of steps. *cold* is the first step of a fresh engine, its
servers' start included. Growth is the median gap between ends in the last 100 steps over that in the first 100. Ours and the peer's rounds
alternate; medians with minimum and maximum. *PYTHON* is an interpreter that has Metaflow; without one the peer is not run, and it says so.
"""

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from argosy.argo import NodeType
from argosy.engine import api
from argosy.engine.options import RunOptions

PER_DAG = 200
"""Tasks the API allows in a DAG."""

Json = dict[str, Any]

SHELL: Json = {"name": "work", "container": {"image": "any", "command": ["sh", "-c", "true"]}}
PYTHON: Json = {"name": "work", "container": {"image": "any", "command": ["python", "-c", "pass"]}}
OUTPUT: Json = {
    "name": "work",
    "container": {"image": "any", "command": ["sh", "-c", "echo said; echo 1 > /tmp/out"]},
    "outputs": {"parameters": [{"name": "out", "valueFrom": {"path": "/tmp/out"}}]},
}


def chain(steps: int, work: Json = SHELL) -> list[Json]:
    """Templates for *steps* steps one after the other, in nested DAGs of no more than the API allows."""
    if steps <= PER_DAG:
        return [_dag("main", [_task(number, "work") for number in range(steps)]), work]
    parts = [_dag(f"part-{first}", _chunk(first, steps)) for first in range(0, steps, PER_DAG)]
    return [_dag("main", [_task(number, part["name"]) for number, part in enumerate(parts)]), *parts, work]


def wide(steps: int, work: Json = SHELL) -> list[Json]:
    """Templates for *steps* steps side by side."""
    task = {"name": "t", "template": "work", "withSequence": {"count": str(steps)}}
    return [_dag("main", [task]), work]


def _chunk(first: int, steps: int) -> list[Json]:
    return [_task(number, "work") for number in range(min(PER_DAG, steps - first))]


def _task(number: int, template: str) -> Json:
    task = {"name": f"t{number}", "template": template}
    return {**task, "depends": f"t{number - 1}"} if number else task


def _dag(name: str, tasks: list[Json]) -> Json:
    return {"name": name, "dag": {"tasks": tasks}}


CASES: dict[str, Callable[[], list[Json]]] = {
    "one step, cold": lambda: chain(1),
    "100 in a chain": lambda: chain(100),
    "100 in a chain, an output each": lambda: chain(100, OUTPUT),
    "100 in a chain, Python": lambda: chain(100, PYTHON),
    "500 side by side": lambda: wide(500),
    "1,000 long, nested": lambda: chain(1000),
}


def measure(templates: list[Json], state: Path) -> Json:
    """Run *templates* here, with everything of the run in a new folder below *state*, and say what it took."""
    folder = Path(tempfile.mkdtemp(dir=state))
    options = RunOptions(home=folder / "home", process_images=("*",), working_folder=folder)
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(_workflow(templates)), encoding="utf-8")
    prepared = api.prepare(api.load([manifest]), options)
    started = time.perf_counter()
    result = api.run(prepared, options)
    seconds = time.perf_counter() - started
    if result.phase != "Succeeded":
        messages = {node.message for node in result.nodes.values() if node.message}
        raise SystemExit(f"the run ended {result.phase}: {'; '.join(sorted(messages))}")
    ends = sorted(node.finished or 0.0 for node in result.nodes.values() if node.type is NodeType.POD)
    return {
        "steps": len(ends),
        "seconds": seconds,
        "fsyncs": result.fsyncs,
        "growth": _growth(ends),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _growth(ends: list[float]) -> float:
    gaps = [after - before for before, after in itertools.pairwise(ends)]
    if len(gaps) < 200:
        return 1.0
    return statistics.mean(gaps[-100:]) / statistics.mean(gaps[:100])


def _workflow(templates: list[Json]) -> Json:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "bench"},
        "spec": {"entrypoint": "main", "templates": templates},
    }


def _apart(case: str, state: Path) -> Json:
    """*case* measured in a process of its own."""
    # As after an installation, whatever this machine thinks of bytecode.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, __file__, "--case", case, "--state", str(state)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    measured: Json = json.loads(done.stdout)
    return measured


# The peer

FLOW = """
from metaflow import FlowSpec, step

class BenchFlow(FlowSpec):
{steps}

if __name__ == "__main__":
    BenchFlow()
"""


def _flow(steps: int) -> str:
    names = ["start", *(f"s{number}" for number in range(steps - 2)), "end"]
    bodies = [
        f"    @step\n    def {name}(self):\n        {f'self.next(self.{following})' if following else 'pass'}\n"
        for name, following in zip(names, [*names[1:], ""], strict=True)
    ]
    return FLOW.format(steps="\n".join(bodies))


def peer_seconds(python: str, steps: int, state: Path) -> float:
    """Wall seconds of a Metaflow run of *steps* steps that do nothing, its start included, in a new folder below *state*."""
    folder = tempfile.mkdtemp(dir=state)
    flow = Path(folder) / "flow.py"
    flow.write_text(_flow(steps), encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "",
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": folder,
        "METAFLOW_USER": "bench",
        "HOME": folder,
    }
    started = time.perf_counter()
    subprocess.run([python, str(flow), "run"], check=True, capture_output=True, cwd=folder, env=environment)
    return time.perf_counter() - started


def compare(python: str, rounds: int, state: Path, steps: int = 20) -> None:
    """Print what a step more costs here and there. The start of either is taken off."""
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_apart("100 in a chain", state)["seconds"] / 100)
        theirs.append((peer_seconds(python, steps + 2, state) - peer_seconds(python, 2, state)) / steps)
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    times = f"{statistics.median(ratios):.0f} times [{min(ratios):.0f}-{max(ratios):.0f}]"
    print(f"argosy {_spread(ours)} a step, metaflow {_spread(theirs)}; {times}")


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1e3:.1f} ms [{min(seconds) * 1e3:.1f}-{max(seconds) * 1e3:.1f}]"


def _table(rounds: int, state: Path) -> None:
    for case in CASES:
        measured = [_apart(case, state) for _ in range(rounds)]
        each = [entry["seconds"] / entry["steps"] for entry in measured]
        middle = measured[rounds // 2]
        print(
            f"{case:<32} {_spread(each):>22} a step  {middle['fsyncs'] / middle['steps']:4.1f} fsyncs a step"
            f"  growth {statistics.median(entry['growth'] for entry in measured):.2f}  {middle['megabytes']:.0f} MB",
            flush=True,
        )


def main() -> None:
    """Print the table, the large workflow, and the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", metavar="PYTHON", help="an interpreter that has Metaflow")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--nodes", type=int, default=10_000, help="nodes of the large workflow; 0 leaves it out")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--state", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        templates = CASES[arguments.case]() if arguments.case in CASES else wide(int(arguments.case))
        print(json.dumps(measure(templates, arguments.state)))
        return
    # Not under /tmp, where each step has a folder of its own; and removed at the end only: on some file systems what was removed a moment
    # ago makes the next run slower.
    cache = user_cache_path("argosy-bench")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as state:
        _print_all(arguments, Path(state))


def _print_all(arguments: argparse.Namespace, state: Path) -> None:
    _table(arguments.rounds, state)
    if arguments.nodes:
        large = _apart(str(arguments.nodes), state)
        print(
            f"{large['steps']} side by side: {large['seconds']:.0f} s, at most {large['megabytes']:.0f} MB, growth {large['growth']:.2f}"
        )
    if arguments.peer:
        compare(arguments.peer, arguments.rounds, state)
    else:
        print("metaflow: not run; name an interpreter that has it with --peer")


if __name__ == "__main__":
    main()
