"""Two workers beside one: what a request costs, how evenly they share the callers, and how many are answered a second.

    python tests/bench/serving_workers.py [--workers 2] [--rounds N]

Both servers, one of a single process and one of so many workers, answer one row and a hundred, with access, limits, log and metrics on, in
turn, over eight connections a worker: with fewer each would answer fewer together, and share less of what a call of the model costs
whatever its rows. Requests a second say something only where callers have cores of their own: so many for the workers and one
besides. Where there are fewer, what tells is CPU: as many cores as workers answer at most ``workers * cost of one / cost of many`` times
what one does, which is printed as the bound; what it leaves out is only what cores take from each other by memory and caches.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import peer_servers
import serving

CALLERS = serving.CONNECTIONS
"""Of a worker."""


def children(pid: int) -> list[int]:
    """The processes that *pid* started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def shares(before: Mapping[int, float], after: Mapping[int, float]) -> str:
    """What each worker took of the CPU time between *before* and *after*."""
    spent = sorted((after[pid] - before[pid] for pid in before), reverse=True)
    total = sum(spent)
    return " and ".join(f"{100 * seconds / total:.0f} %" for seconds in spent if seconds > 0.01 * total)


def main() -> None:
    """Measure, and print a line for each case and side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=serving.ROUNDS)
    given = parser.parse_args()
    serving.PINNED = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"  # workers want more than one core
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        rules, head = serving.access(Path(folder))
        sides = {}
        for workers in (1, given.workers):
            words = ("--access", str(rules), *(("--workers", str(workers)) if workers > 1 else ()))
            sides[workers] = stack.enter_context(
                serving.serving(serving.SOURCE, Path(folder) / str(workers), words=words)
            )
        for name in ("V2, 1 row", "V2, 100 rows"):
            costs: dict[int, list[float]] = {workers: [] for workers in sides}
            rates: dict[int, list[float]] = {workers: [] for workers in sides}
            pids = children(sides[given.workers][0])
            began = {pid: serving.cpu_seconds(pid) for pid in pids}
            for number in range(given.rounds):
                for workers in list(sides)[:: 1 if number % 2 else -1]:
                    pid, port = sides[workers]
                    serving.CONNECTIONS = CALLERS * workers
                    before = peer_servers.tree_cpu_seconds(pid)
                    count = serving.load(port, serving.works()[name], head)
                    costs[workers].append(1e6 * (peer_servers.tree_cpu_seconds(pid) - before) / count)
                    rates[workers].append(count / serving.SECONDS)
            for workers in sides:
                cost, rate = statistics.median(costs[workers]), statistics.median(rates[workers])
                print(
                    f"{name:<14} {workers} workers: {cost:6.0f} µs of CPU a request, {rate:6.0f} requests/s", flush=True
                )
            bound = given.workers * statistics.median(costs[1]) / statistics.median(costs[given.workers])
            ended = {pid: serving.cpu_seconds(pid) for pid in pids}
            print(f"{name:<14} at most {bound:.2f} times on as many cores; CPU by worker: {shares(began, ended)}")
        if cores <= given.workers:
            print(f"callers and workers share {cores} cores: requests a second say nothing of the workers")


if __name__ == "__main__":
    main()
