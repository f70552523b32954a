"""How long the command takes to answer, beside the bare interpreter; and to compile, beside hera by itself.

    python tests/bench/startup.py [--rounds 9] [--project FOLDER] [--runs 10000]

Interleaved rounds, medians with minimum and maximum. The ratio is what counts: machines differ. --project: also a plan and a second run
with nothing changed, wall and CPU, of the first model in FOLDER/workflows, by the state folder ARGOSY_HOME. --runs: also lists and pages of
a state folder with so many runs.
"""

import argparse
import contextlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from argosy.argo import NodeType, Phase
from argosy.engine.nodes import Node
from argosy.engine.state import runs
from argosy.engine.state.journal import Journal

ARGOSY = str(Path(sys.executable).with_name("argosy"))
MODEL = "workflows/churn"
OF_NOTHING: dict[str, Any] = {
    "workflow": "toy",
    "metadata": {"name": "toy"},
    **{key: {} for key in ("spec", "arguments", "others", "configMaps", "volumes")},
    **dict.fromkeys(("engineOfContainers", "repository", "cluster")),
    "uid": "toy",
    "created": 1.0,
    "useCache": True,
    "workingFolder": "/",
    "secretFiles": [],
}
"""What a run's folder keeps of a manifest, of one with no steps."""


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def _compare(title: str, ours: list[str], peer: list[str], rounds: int) -> None:
    _seconds(ours), _seconds(peer)  # warm the file cache
    pairs = [(_seconds(ours), _seconds(peer)) for _ in range(rounds)]
    mine, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    ratio = statistics.median(first / second for first, second in pairs)
    print(f"{title}: {_spread(mine)} against {_spread(theirs)}; median ratio {ratio:.1f}")


def _used(command: list[str], folder: Path, variables: Mapping[str, str]) -> tuple[float, float]:
    """Seconds of wall and of CPU, children included, that *command* takes in *folder*."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env={**os.environ, **variables})
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - started
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _alone(title: str, command: list[str], folder: Path, rounds: int, **variables: str) -> None:
    _used(command, folder, variables)
    found = [_used(command, folder, variables) for _ in range(rounds)]
    print(f"{title}: wall {_spread([one for one, _ in found])}, CPU {_spread([one for _, one in found])}")


def _project(folder: Path, rounds: int) -> None:
    model = sorted(folder.glob("workflows/*/pipeline.py"))[0].parent.name
    _alone(f"argosy plan {model}", [ARGOSY, "plan", model], folder, rounds)
    _alone(f"argosy run {model}, nothing changed", [ARGOSY, "run", model], folder, rounds)


def _many_runs(count: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        first = runs.RunFolder(home / "runs" / "toy-260101-000000-0000")
        first.path.mkdir(parents=True)
        first.write_manifest(OF_NOTHING)
        journal = Journal(first.path / runs.JOURNAL)
        nodes = [
            Node(f"toy.{step}(0)", NodeType.POD, Phase.SUCCEEDED, 1.0, finished=2.0, template=f"{step}")
            for step in range(30)
        ]
        journal.write(meta={"phase": "Succeeded", "started": "1.0", "finished": "2.0", "message": ""}, nodes=nodes)
        journal.close()
        for number in range(1, count):
            minutes, seconds = divmod(number, 60)
            hours, minutes = divmod(minutes, 60)
            shutil.copytree(
                first.path, home / "runs" / f"toy-260102-{hours:02}{minutes:02}{seconds:02}-{number % 65536:04x}"
            )
        variables = {"ARGOSY_HOME": str(home)}
        _alone(f"argosy runs, of {count:,}", [ARGOSY, "runs"], Path(place), rounds, **variables)
        _alone(f"argosy get, of {count:,}", [ARGOSY, "get", "-"], Path(place), rounds, **variables)
        _pages(Path(place), variables, rounds)


def _pages(folder: Path, variables: Mapping[str, str], rounds: int) -> None:
    """How long the server of `argosy ui` takes for its pages."""
    command = [ARGOSY, "ui", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[0]
        with contextlib.ExitStack() as stack:
            stack.callback(server.terminate)
            for page in ("", "runs", "runs/toy-260101-000000-0000"):
                taken = []
                for _ in range(rounds + 1):
                    started = time.perf_counter()
                    with urllib.request.urlopen(address + page) as answer:  # noqa: S310 - our own
                        size = len(answer.read())
                    taken.append(time.perf_counter() - started)
                print(f"page /{page}: {_spread(taken[1:])}, {size / 1e3:.0f} kB")


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values) * 1e3:.0f} ms [{min(values) * 1e3:.0f}-{max(values) * 1e3:.0f}]"


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--project", type=Path, metavar="FOLDER")
    parser.add_argument("--runs", type=int, default=0, metavar="N")
    given = parser.parse_args()
    rounds = given.rounds
    _compare("argosy --help, a bare interpreter", [ARGOSY, "--help"], [sys.executable, "-c", "pass"], rounds)
    _compare(
        "argosy compile, importing hera",
        [ARGOSY, "compile", MODEL],
        [sys.executable, "-c", "import hera.workflows"],
        rounds,
    )
    if given.project:
        _project(given.project.resolve(), rounds)
    if given.runs:
        _many_runs(given.runs, rounds)


if __name__ == "__main__":
    main()
