"""Two workers beside one, each with the same share of a core: requests a second, what one costs, how evenly they share the callers.

    python tests/bench/serving_workers.py [--workers 2] [--share 0.6] [--rounds N] [--ahead]

Both servers, one of a single process and one of so many workers, answer one row and a hundred, with access, limits, log and metrics on, in
turn, to eight callers a worker who wait for each answer; ``open_loop.c`` asks for all of them. Workers and callers share this machine, so
that with all of a core for each worker the second one would have what the callers leave it. So the kernel allows each worker the same part
of a core (a quota of control groups, which takes root), and the asker has the rest: printed is which part of that each server did use.
Where that is less than nearly all, something else kept it from its share, and the ratio says nothing. Where there may be no quota, workers
have a core each and only CPU a request can be compared. ``--ahead``: workers and asker come before all else on the machine; wants root.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import peer_servers
import serving
import serving_saturation
from open_loop import Question
from serving_saturation import Asks

SHARE, PERIOD_SECONDS = 0.6, 0.02
GROUPS = Path("/sys/fs/cgroup")


def children(pid: int) -> list[int]:
    """The processes that *pid* started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def shares(before: Mapping[int, float], after: Mapping[int, float]) -> str:
    """What each worker took of the CPU time between *before* and *after*."""
    spent = sorted((after[pid] - before[pid] for pid in before), reverse=True)
    total = sum(spent)
    return " and ".join(f"{100 * seconds / total:.0f} %" for seconds in spent if seconds > 0.01 * total)


@contextlib.contextmanager
def quota(share: float, *, ahead: bool) -> Iterator[Path]:
    """A control group whose processes together get *share* of a core, *ahead* of other groups. Raises OSError where none may be made."""
    own = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    first = [path for _, kinds, path in (line.split(":", 2) for line in own) if "cpu" in kinds.split(",")]
    period, allowed = round(1e6 * PERIOD_SECONDS), round(1e6 * PERIOD_SECONDS * share)
    # Of the second version only the root may have both processes and groups of its own.
    parent = GROUPS / "cpu" / first[0].lstrip("/") if first else GROUPS
    folder = Path(tempfile.mkdtemp(prefix="argosy-bench-", dir=parent))
    try:
        limits = {"cpu.max": f"{allowed} {period}"}
        weight = {"cpu.weight": "10000"}
        if first:
            limits = {"cpu.cfs_period_us": str(period), "cpu.cfs_quota_us": str(allowed)}
            weight = {"cpu.shares": "262144"}
        for name, value in (limits | (weight if ahead else {})).items():
            (folder / name).write_text(value, encoding="ascii")
        yield folder
    finally:
        _removed(folder)


def _removed(folder: Path) -> None:
    """*folder* can go once its processes are gone, which their end may take a moment to bring about."""
    until = time.monotonic() + 10
    while True:
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


@dataclass
class Side:
    """A server and what was measured of it, a round each."""

    workers: int
    pid: int
    question: Question
    costs: list[float] = field(default_factory=list)
    """Seconds of CPU a request, of all its processes."""
    rates: list[float] = field(default_factory=list)
    """Answers a second."""
    used: list[float] = field(default_factory=list)
    """Cores."""
    asker: list[float] = field(default_factory=list)
    """Cores that were used to ask."""

    @property
    def processes(self) -> list[int]:
        """Those that answer."""
        return children(self.pid) if self.workers > 1 else [self.pid]

    def go(self, asker: Asks) -> None:
        """One round."""
        before = peer_servers.tree_cpu_seconds(self.pid)
        connections = serving.CONNECTIONS * self.workers
        found = asker.ask(self.question, rate=0, seconds=serving.SECONDS, connections=connections)
        spent, count = peer_servers.tree_cpu_seconds(self.pid) - before, int((found.statuses == 200).sum())
        self.costs.append(spent / count)
        self.rates.append(count / found.seconds)
        self.used.append(spent / found.seconds)
        self.asker.append(found.cpu_seconds / found.seconds)

    def line(self, allowed: float) -> str:
        """All of it, for a reader."""
        return (
            f"{self.workers} workers: {statistics.median(self.rates):6.0f} requests/s"
            f" ({min(self.rates):.0f} to {max(self.rates):.0f}), {1e6 * statistics.median(self.costs):5.0f} µs of CPU a request"
            f" ({1e6 * min(self.costs):.0f} to {1e6 * max(self.costs):.0f}), {statistics.median(self.used) / allowed:.0%} of what it"
            f" may use; the asker {statistics.median(self.asker):.0%} of a core"
        )


def measure(name: str, sides: Sequence[Side], asker: Asks, rounds: int, share: float) -> None:
    """Measure *sides* in turn at what is called *name*, and print what came of it."""
    one, many = sides
    began = {pid: serving.cpu_seconds(pid) for pid in many.processes}
    for number in range(rounds):
        for side in sides if number % 2 else reversed(sides):
            side.go(asker)
    ended = {pid: serving.cpu_seconds(pid) for pid in began}
    for side in sides:
        print(f"{name:<12} {side.line(share * side.workers)}", flush=True)
    ratio = statistics.median(theirs / own for theirs, own in zip(many.rates, one.rates, strict=True))
    cost = statistics.median(theirs / own for theirs, own in zip(many.costs, one.costs, strict=True))
    print(
        f"{name:<12} {ratio:.2f} times the requests, {cost:.2f} times the CPU a request; CPU by worker: {shares(began, ended)}"
    )


def main() -> None:
    """Measure, and print a line for each case and side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--share", type=float, default=SHARE, help=f"of a core, for each worker; default {SHARE}")
    parser.add_argument("--rounds", type=int, default=serving.ROUNDS)
    parser.add_argument("--ahead", action="store_true", help="of everything else on the machine; wants root")
    given = parser.parse_args()
    serving.PINNED = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"  # workers want more than one core
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scratch = Path(folder)
        asker = serving_saturation.asking("open_loop", scratch, ahead=given.ahead)
        rules, head = serving.access(scratch)
        share = given.share
        try:
            groups = [stack.enter_context(quota(share, ahead=given.ahead)) for _ in range(1 + given.workers)]
        except OSError as error:
            print(f"no quota ({error}): each worker has a core, and requests a second say nothing of the workers")
            groups, share = [], 1.0
        started = {}
        for workers in (1, given.workers):
            words = ("--access", str(rules), *(("--workers", str(workers)) if workers > 1 else ()))
            home = scratch / str(workers)
            started[workers] = stack.enter_context(serving.serving(serving.SOURCE, home, words=words))
        for name in ("V2, 1 row", "V2, 100 rows"):
            path, body = serving.works()[name]
            sides = [Side(count, pid, Question(port, path, body, head)) for count, (pid, port) in started.items()]
            held = [process for side in sides for process in side.processes]
            for group, process in zip(groups, held, strict=False):
                (group / "cgroup.procs").write_text(str(process), encoding="ascii")
            if not groups:
                cores = sorted(os.sched_getaffinity(0))
                for place, process in enumerate(held):
                    os.sched_setaffinity(process, {cores[place % len(cores)]})
            measure(name, sides, asker, given.rounds, share)


if __name__ == "__main__":
    main()
