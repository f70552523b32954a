"""What a second worker is worth: requests for each second of CPU time that all processes of a server take, by one worker and by two.

    python tests/bench/serving_workers.py [--rounds N] [--seconds N] [--rows N]

Two servers of one model, everything on, one worker on one core and two on two, are asked in turn by vegeta, which Go builds the first
time: eight callers a worker, who wait for each answer. Workers share no lock and no queue, so cores that do nothing else answer as often
as their CPU time allows: twice the ratio is what the second worker makes of it, and 1 is the end where that is below LEAST. Requests a
second are told beside it: on a machine of two cores the callers take theirs from the workers.
"""

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import peer_servers
import serving
import serving_saturation

LEAST = 1.8


def main() -> None:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of a round; default 3")
    parser.add_argument("--rows", type=int, default=1, choices=(1, 100), help="of a request; default 1")
    given = parser.parse_args()
    program = serving_saturation.vegeta()
    work = serving.works()[f"V1, {given.rows} row{'s' if given.rows > 1 else ''}"]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scratch = Path(folder)
        rules, head = serving.access(scratch)
        askers = {}
        for workers in (1, 2):
            words = ("--access", str(rules), "--workers", str(workers))
            server = serving.serving(serving.SOURCE, scratch / str(workers), words=words, cores=workers)
            pid, port = stack.enter_context(server)
            askers[workers] = pid, serving_saturation.Asker(program, scratch / f"asks-{workers}", port, work, head)
        costs: dict[int, list[float]] = {workers: [] for workers in askers}
        rates: dict[int, list[float]] = {workers: [] for workers in askers}
        for _ in range(given.rounds):
            for workers, (pid, asker) in askers.items():
                before = peer_servers.tree_cpu_seconds(pid)
                found = asker.waiting(workers * serving.CONNECTIONS, given.seconds)
                costs[workers].append((peer_servers.tree_cpu_seconds(pid) - before) / len(found.accepted))
                rates[workers].append(len(found.accepted) / found.seconds)
    for workers, cost in costs.items():
        print(
            f"{workers} worker{'s' if workers > 1 else ' '} {1e6 * statistics.median(cost):7.0f} \N{MICRO SIGN}s of CPU a request "
            f"({1e6 * min(cost):.0f} to {1e6 * max(cost):.0f}), {statistics.median(rates[workers]):7.0f} requests/s seen"
        )
    worth = 2 * statistics.median(one / two for one, two in zip(costs[1], costs[2], strict=True))
    print(
        f"two workers answer {worth:.2f} times what one does for the CPU time that they have; at least {LEAST:g} is wanted"
    )
    sys.exit(worth < LEAST)


if __name__ == "__main__":
    main()
