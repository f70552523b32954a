"""Open-loop load: requests come when they are due, whether earlier ones were answered or not, as those of many callers do.

    python tests/bench/serving_saturation.py [--environments FOLDER] [--only kserve | --only ''] [--rows N] [--seconds N] [--ahead]
                                             [--asker vegeta]

Ours with everything on and KServe's own loop (``tests/bench/peer_servers.py``) serve one model, each on the first core, in turn; a program
of C (``tests/bench/open_loop.c``, built by ``cc``) asks from the last one. Printed for each: its saturation, the highest rate that it
answers whole; then the waits at a twentieth of that (unloaded), at half of it, and past it (twice and three times), of what was accepted
and of what was refused, each from when a request was due. A closed loop would wait with whoever waits, and show no queue.

``bare``, at the same rates, is a server that answers anything at once: what it takes is the asker's, the kernel's and the machine's own.
``late`` is by how much a request was sent after it was due, and ``cores`` are the parts of a core that server and asker used: where the
asker is late with the bare server, or has used its core up, the rate is too high for it, and what stands beside it says nothing.

``--ahead``: servers and asker come before all else on the machine (the kernel's round-robin class; wants root), so that a busy one can be
measured too. ``--asker vegeta`` is the second opinion, at rates that it bears.

It judges nothing: on a machine that does something else besides, times are that machine's.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import open_loop
import peer_servers
import serving
import serving_peers
import vegeta
from open_loop import Question, Records

RAMP = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5)
"""Rates that saturation is looked for at, as parts of what eight callers get who wait for their answers."""
BARE = """
import asyncio, re
import uvloop

ANSWER = b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: 200\\r\\n\\r\\n" + b"x" * 200
LENGTH = re.compile(rb"(?i)content-length: (\\d+)")

class Bare(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.came = transport, b""

    def data_received(self, data):
        self.came += data
        head, found, body = self.came.partition(b"\\r\\n\\r\\n")
        if found and len(body) >= int(LENGTH.search(head)[1]):
            self.came = b""
            self.transport.write(ANSWER)

async def main():
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

uvloop.run(main())
"""
WHOLE = 0.99
"""Part of the requests that a rate below saturation has answered, and of the rate that answers come at."""
REFUSALS = (429, 503)


class Asks(Protocol):
    """What asks in an open loop: see :class:`open_loop.Asker`."""

    def ask(self, question: Question, *, rate: float, seconds: float, connections: int = ...) -> Records:
        """See there."""


@dataclass(frozen=True)
class OfferedLoad:
    """What came of a rate."""

    rate: float
    found: Records
    core: float = 0.0
    """Part of a core that the server used meanwhile."""

    @property
    def accepted(self) -> npt.NDArray[np.float64]:
        """Milliseconds of each answer 200."""
        waits: npt.NDArray[np.float64] = 1000 * self.found.waits[self.found.statuses == 200]
        return waits

    @property
    def refused(self) -> npt.NDArray[np.float64]:
        """Milliseconds of each refusal."""
        waits: npt.NDArray[np.float64] = 1000 * self.found.waits[np.isin(self.found.statuses, REFUSALS)]
        return waits

    @property
    def unannounced(self) -> int:
        """Refusals without Retry-After."""
        return int((np.isin(self.found.statuses, REFUSALS) & ~self.found.announced).sum())

    @property
    def failed(self) -> int:
        """Requests with another answer, or none."""
        return len(self.found.statuses) - len(self.accepted) - len(self.refused)

    @property
    def keeps_up(self) -> bool:
        """True where nearly all was answered, at the rate that it came."""
        whole, rate = len(self.found.statuses), len(self.accepted) / self.found.seconds
        return len(self.accepted) >= WHOLE * whole and rate >= WHOLE * 0.98 * self.rate

    def line(self) -> str:
        """All of it, for a reader."""
        late = 1000 * np.nan_to_num(self.found.lateness, nan=np.inf)
        return (
            f"{self.rate:6.0f}/s: {len(self.accepted):6} accepted{_percentiles(self.accepted)}; {len(self.refused):6} refused"
            f"{_percentiles(self.refused)}, {self.unannounced} without Retry-After; {self.failed} failed; late{_percentiles(late)};"
            f" cores {self.core:.0%} and {self.found.cpu_seconds / self.found.seconds:.0%}"
        )


def percentile(waits: npt.NDArray[np.float64], percent: float) -> float:
    """What *percent* of *waits* took at most; NaN of none."""
    return float(np.percentile(waits, percent)) if len(waits) else float("nan")


def _percentiles(waits: npt.NDArray[np.float64]) -> str:
    if not len(waits):
        return ""
    return f" (p50 {percentile(waits, 50):.2f}, p99 {percentile(waits, 99):.2f} ms)"


@dataclass(frozen=True)
class AskedServer:
    """A server, and what it is asked."""

    name: str
    pid: int
    question: Question

    def at_most(self, asker: Asks, seconds: float) -> float:
        """Answers a second that eight callers get who wait for each."""
        found = asker.ask(self.question, rate=0, seconds=seconds, connections=serving.CONNECTIONS)
        return float((found.statuses == 200).sum()) / found.seconds

    def at_rate(self, asker: Asks, rate: float, seconds: float) -> OfferedLoad:
        """What comes of *rate* requests a second."""
        before = peer_servers.tree_cpu_seconds(self.pid)
        found = asker.ask(self.question, rate=round(rate), seconds=seconds)
        return OfferedLoad(rate, found, (peer_servers.tree_cpu_seconds(self.pid) - before) / found.seconds)


def put_ahead(pid: int) -> None:
    """Have every thread of process *pid* run before all else, its first one before the others: of equals one would wait for a tenth of a
    second until another lets go of the core, and could not ask for the interpreter's lock meanwhile."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        place = 2 if int(thread.name) == pid else 1
        os.sched_setscheduler(int(thread.name), os.SCHED_RR, os.sched_param(place))


@contextmanager
def bare() -> Iterator[tuple[int, int]]:
    """Process id and port of the server that does nothing, on the first core as the others are."""
    first = min(os.sched_getaffinity(0))
    command = [sys.executable, "-c", serving.PINNED.replace("{0}", f"{{{first}}}"), sys.executable, "-c", BARE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.pid, int(process.stdout.readline())
        finally:
            process.terminate()


def saturation(server: AskedServer, asker: Asks, most: float, seconds: float) -> float:
    """The highest rate that *server* answers whole, of which eight callers who wait get *most*. Behind two that it does not answer, none is
    tried."""
    kept, lost = RAMP[0] * most, 0
    for part in RAMP:
        if server.at_rate(asker, part * most, seconds).keeps_up:
            kept, lost = part * most, 0
        else:
            lost += 1
        if lost == 2:
            break
    return kept


def measure(server: AskedServer, nothing: AskedServer, asker: Asks, seconds: float) -> None:
    """Measure one server, and *nothing* at the same rates, and print what came of it."""
    server.at_most(asker, 1)  # warm
    most = server.at_most(asker, seconds)
    highest = saturation(server, asker, most, seconds)
    print(f"{server.name}: {most:.0f} requests/s to eight callers who wait; saturation {highest:.0f}/s", flush=True)
    waits = {}
    for what, times in (("unloaded", 0.05), ("at half", 0.5), ("twice", 2.0), ("three times", 3.0)):
        # Who is unloaded has few answers to be judged by.
        length = seconds * (3 if times < 0.1 else 2)
        found = server.at_rate(asker, times * highest, length)
        waits[what] = percentile(found.accepted, 99)
        print(f"  {what:<12} {found.line()}", flush=True)
        print(f"  {'bare':<12} {nothing.at_rate(asker, times * highest, seconds).line()}", flush=True)
    ratios = ", ".join(f"{what} {waits[what] / waits['unloaded']:.1f}" for what in ("at half", "twice", "three times"))
    print(f"  p99 of what was accepted as a multiple of the unloaded one: {ratios}", flush=True)


def asking(kind: str, scratch: Path, *, ahead: bool) -> Asks:
    """What asks, from the last core, *ahead* of all else on the machine or not."""
    first = "os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1)); " if ahead else ""
    last = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    before = [sys.executable, "-c", f"import os; {first}{serving.PINNED}".replace("{0}", f"{{{last}}}")]
    if kind == "vegeta":
        return vegeta.VegetaAsker(vegeta.built(), scratch, before)
    return open_loop.Asker(open_loop.built(scratch), before)


def main() -> None:
    """Measure each server in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, default=serving_peers.ENVIRONMENTS)
    parser.add_argument("--only", default="kserve", help="peers beside ours; default kserve")
    parser.add_argument("--rows", type=int, default=1, help="of a request; default 1")
    parser.add_argument("--seconds", type=float, default=5, help="of a rate; default 5")
    parser.add_argument("--ahead", action="store_true", help="of everything else on the machine; wants root")
    parser.add_argument("--asker", choices=("open_loop", "vegeta"), default="open_loop")
    given = parser.parse_args()
    names = [name for name in given.only.split(",") if name]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scratch = Path(folder)
        asker = asking(given.asker, scratch, ahead=given.ahead)
        rows = serving_peers.customers()[0][: given.rows]
        pythons = {name: peer_servers.environment(given.environments, peer_servers.PEERS[name].lock) for name in names}
        pid, port, head, model = stack.enter_context(serving_peers.ours(scratch))
        started = {"ours": (pid, port, head)}
        for place, name in enumerate(names):
            own = serving_peers.FIRST_PORT + 10 * place
            peer = peer_servers.started(peer_servers.PEERS[name], pythons[name], model, own, scratch / name)
            started[name] = (stack.enter_context(peer), own, {})
        bare_pid, bare_port = stack.enter_context(bare())
        for name, (pid, port, head) in started.items():
            path, body = serving_peers.work(name, rows, in_columns=False)
            server = AskedServer(name, pid, Question(port, path, body, head))
            nothing = AskedServer("bare", bare_pid, Question(bare_port, path, body))
            if given.ahead:
                put_ahead(pid)
                put_ahead(bare_pid)
            measure(server, nothing, asker, given.seconds)


if __name__ == "__main__":
    main()
