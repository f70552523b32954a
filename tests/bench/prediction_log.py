"""What logging and metrics cost a server: requests a second and CPU time for each, with both and with neither, in one run.

    python tests/bench/prediction_log.py [--ship-seconds N]

Two servers of one bundle are called in turn, round by round, each held to one core where the kernel allows: one that logs every prediction,
ships what it logged every few seconds to a folder and is scraped every second, and one that neither logs nor counts. Ends 1 where the first
has more than 15 % less throughput for the CPU time that it takes, the process that ships for it included: eight connections keep their core
busy, so that is its throughput where nothing else runs; of all rounds the one that was disturbed least counts. Requests a second are those
of this machine, with all that it did besides.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import peer_servers
import serving

LIMIT = 0.15
ROUNDS, SECONDS = 16, 1.0
"""Many short ones: on a machine that does something else the quickest of five said anything between -3 and 23 %."""
BARE = """
import argosy.serving.prometheus as prometheus

class Silent(prometheus.Metrics):
    def observe(self, route, status, seconds): pass
    def observe_scores(self, scores): pass
    def lookup(self, outcome, rows=1): pass

prometheus.Metrics = Silent
from argosy.serving.__main__ import main
main()
"""
"""The same server, whose metrics do nothing."""


@contextmanager
def scraped(port: int) -> Iterator[None]:
    """Read the metrics of the server at *port* once a second, as a Prometheus in a hurry does."""
    stop = threading.Event()

    def scrape() -> None:
        while not stop.wait(1.0):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                answer.read()

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def main() -> None:
    """Measure, print a line for each kind of request and side, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ship-seconds", type=int, default=2, help="age at which records are shipped; default 2")
    seconds = parser.parse_args().ship_seconds
    source = Path(__file__).parents[2] / "src"
    logs = {"ARGOSY_PREDICTIONS_SHIP_SECONDS": str(seconds)}
    worst, serving.SECONDS = 0.0, SECONDS
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        place = Path(scratch)
        both = stack.enter_context(serving.serving(source, place / "both", **logs))
        bare = stack.enter_context(serving.serving(source, place / "bare", program=("-c", BARE), environment=None))
        sides = {"with log and metrics": both, "with neither": bare}
        for name, work in serving.works().items():
            rates, costs = _measured(sides, work)
            for side in sides:
                rate, cost = statistics.median(rates[side]), min(costs[side])
                print(f"{name:<14} {rate:8.0f} requests/s {cost:8.0f} µs of CPU a request  {side}")
            fewer = 1 - statistics.median(
                ours / theirs for ours, theirs in zip(rates["with log and metrics"], rates["with neither"], strict=True)
            )
            loss = 1 - min(costs["with neither"]) / min(costs["with log and metrics"])
            print(f"{name:<14} {loss:8.1%} less throughput by CPU time, {fewer:.1%} fewer requests a second")
            worst = max(worst, loss)
        time.sleep(seconds + 2)
        shipped = sum(path.stat().st_size for path in (place / "both" / "predictions").rglob("*.parquet"))
        print(f"shipped meanwhile: {shipped / 2**20:.1f} MiB of Parquet")
    assert shipped, "nothing was shipped, so that its cost was not measured"
    print(f"worst: {worst:.1%} less throughput by CPU time; at most {LIMIT:.0%} may be")
    sys.exit(worst > LIMIT)


def _measured(sides: dict[str, tuple[int, int]], work: serving.Work) -> tuple[dict[str, list[float]], ...]:
    rates: dict[str, list[float]] = {side: [] for side in sides}
    costs: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(ROUNDS):
        # Who is first changes: what else the machine does comes and goes.
        for side in list(sides)[:: 1 if number % 2 else -1]:
            pid, port = sides[side]
            with ExitStack() as stack:
                if side == "with log and metrics":
                    stack.enter_context(scraped(port))
                before = peer_servers.tree_cpu_seconds(pid)
                count = serving.load(port, work)
                costs[side].append(1e6 * (peer_servers.tree_cpu_seconds(pid) - before) / count)
                rates[side].append(count / SECONDS)
    return rates, costs


if __name__ == "__main__":
    main()
