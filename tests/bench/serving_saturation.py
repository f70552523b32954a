"""Open-loop load: requests come when they are due, whether earlier ones were answered or not, as those of many callers do.

    python tests/bench/serving_saturation.py [--environments FOLDER] [--only kserve | --only ''] [--rows N] [--seconds N] [--ahead]

Ours with everything on and KServe's own loop (``tests/bench/peer_servers.py``) serve one model, each on one core, in turn; vegeta, which
Go builds the first time, asks from another. Printed for each: its saturation, the highest rate that it answers whole; the time of an
answer unloaded (a twentieth of that), at half of it, and past it (twice), where what was refused, and whether it said when to come back,
is counted. A closed loop would wait with whoever waits, and show no queue. ``bare``, measured first at the same rates, is a server that
answers anything with the same bytes after a tenth of a millisecond: what it takes is vegeta's, the kernel's and the machine's own. Past
saturation, where ten thousand a second would be too many for it, it is asked at an address that it answers at once: where that takes long,
or fewer are asked than were due, vegeta has reached its own limit, and all that it asks waits for it. ``core`` is the part of its core
that the server used.

``--ahead``: servers and vegeta come before all else on the machine (the kernel's round-robin class; wants root), so that a busy one can be
measured too. Not past saturation: of a core that is never idle the kernel takes a twentieth back, in one piece.

It judges nothing: on a machine that does something else besides, times are that machine's. Where there is no Go and no vegeta it says so.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import peer_servers
import serving
import serving_peers

MODULE, VERSION = "github.com/tsenart/vegeta/v12", "v12.12.0"
TOOLS = Path.home() / ".cache" / "argosy" / "bench-tools"
RAMP = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5)
"""Rates that saturation is looked for at, as parts of what eight callers get who wait for their answers."""
BARE = """
import asyncio, re, time
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
            self.came, until = b"", time.perf_counter() + (0 if b" /at-once " in head else 0.0001)
            while time.perf_counter() < until:
                pass
            self.transport.write(ANSWER)

async def main():
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

uvloop.run(main())
"""
AT_ONCE = "/at-once"
"""What the server that does nothing does not even wait for."""
WHOLE = 0.99
"""Part of the requests that a rate below saturation has answered, and of the rate that answers come at."""


def vegeta() -> Path:
    """The program, of the path or built by Go. Ends where there is neither."""
    if found := shutil.which("vegeta"):
        return Path(found)
    built, go = TOOLS / "vegeta", shutil.which("go")
    if not built.exists():
        if go is None:
            raise SystemExit("neither vegeta nor Go is on the path; install one of them: nothing was measured")
        sys.stderr.write(f"building {MODULE}@{VERSION} in {TOOLS} (once; needs the module proxy)\n")
        subprocess.run([go, "install", f"{MODULE}@{VERSION}"], env=os.environ | {"GOBIN": str(TOOLS)}, check=True)
    return built


@dataclass(frozen=True)
class OfferedLoad:
    """What came of a rate."""

    rate: float
    accepted: list[float]
    """Milliseconds of each answer, ascending."""
    refused: int
    """Answers 429 and 503."""
    unannounced: int
    """Those of them without Retry-After."""
    failed: int
    """Requests with another answer, or none."""
    seconds: float
    """From the first request to the last answer."""
    core: float = 0.0
    """Part of a core that the server used meanwhile."""

    @property
    def asked(self) -> int:
        """Requests."""
        return len(self.accepted) + self.refused + self.failed

    @property
    def keeps_up(self) -> bool:
        """True where nearly all was answered, at the rate that it came."""
        return (
            len(self.accepted) >= WHOLE * self.asked and len(self.accepted) / self.seconds >= WHOLE * 0.98 * self.rate
        )

    def at(self, percent: int) -> float:
        """The time that *percent* of the answers took at most; NaN where nothing was accepted."""
        if len(self.accepted) < 2:
            return self.accepted[0] if self.accepted else float("nan")
        return statistics.quantiles(self.accepted, n=100, method="inclusive")[percent - 1]


class Asker:
    """Asks one server by vegeta, from the last core."""

    def __init__(
        self,
        program: Path,
        scratch: Path,
        port: int,
        work: serving.Work,
        head: Mapping[str, str],
        pid: int,
        *,
        ahead: bool,
    ) -> None:
        """*pid*: of the server. *ahead*: of everything else on the machine."""
        self._program = program
        self._pid = pid
        self._class = "os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1)); " if ahead else ""
        if ahead:
            schedule(pid, os.SCHED_RR)
        scratch.mkdir(parents=True, exist_ok=True)
        body, self._targets = scratch / "body", scratch / "targets"
        body.write_bytes(work[1])
        lines = [f"POST http://127.0.0.1:{port}{work[0]}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in head.items()]
        self._targets.write_text("\n".join([*lines, f"@{body}", ""]), encoding="utf-8")

    def step_back(self) -> None:
        """Ask on, and have the server answer, like everybody else."""
        self._class = ""
        schedule(self._pid, os.SCHED_OTHER)

    def at_most(self, seconds: int) -> float:
        """Answers a second that eight callers get who wait for each."""
        found = self._attack(["-rate=0", f"-max-workers={serving.CONNECTIONS}", f"-duration={seconds}s"], 0.0)
        return len(found.accepted) / found.seconds

    def at_rate(self, rate: float, seconds: int) -> OfferedLoad:
        """What comes of *rate* requests a second."""
        whole = max(1, round(rate))
        before = peer_servers.tree_cpu_seconds(self._pid)
        found = self._attack([f"-rate={whole}/1s", f"-duration={seconds}s", "-max-workers=512"], whole)
        return replace(found, core=(peer_servers.tree_cpu_seconds(self._pid) - before) / found.seconds)

    def _attack(self, words: Sequence[str], rate: float) -> OfferedLoad:
        last = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
        pinned = [sys.executable, "-c", f"import os; {self._class}{serving.PINNED}".replace("{0}", f"{{{last}}}")]
        attack = [*pinned, str(self._program), "attack", f"-targets={self._targets}", "-timeout=20s", *words]
        results = subprocess.run(attack, stdout=subprocess.PIPE, check=True).stdout
        encode = [self._program, "encode", "-to=json"]
        lines = subprocess.run(encode, input=results, stdout=subprocess.PIPE, check=True).stdout.splitlines()
        return _served(rate, [json.loads(line) for line in lines])


def schedule(pid: int, kind: int) -> None:
    """Have the kernel run every thread of process *pid* in the class *kind*."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setscheduler(int(thread.name), kind, os.sched_param(1 if kind == os.SCHED_RR else 0))


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


def _served(rate: float, results: Sequence[Mapping[str, object]]) -> OfferedLoad:
    accepted, refused, unannounced, failed, begins, ends = [], 0, 0, 0, [], []
    for result in results:
        code, latency = int(str(result["code"])), int(str(result["latency"])) / 1e9
        begin = _moment(str(result["timestamp"]))
        begins.append(begin)
        ends.append(begin + latency)
        if code == 200:
            accepted.append(1000 * latency)
        elif code in {429, 503}:
            refused += 1
            unannounced += "Retry-After" not in str(result.get("headers"))
        else:
            failed += 1
    return OfferedLoad(rate, sorted(accepted), refused, unannounced, failed, max(ends) - min(begins))


def _moment(text: str) -> float:
    """The seconds of the day of an RFC 3339 time, which has nanoseconds and a zone: all are of one zone."""
    hours, minutes, seconds = text[11:].rstrip("Z").split("+")[0].split(":")[:3]
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds.split("-")[0])


def measure(name: str, asker: Asker, nothing: Asker, at_once: Asker, seconds: int) -> None:
    """Measure one server, and *nothing* at the same rates, past saturation *at_once*, and print what came of it."""
    asker.at_most(1)  # warm
    most = asker.at_most(seconds)
    kept = [found for part in RAMP if (found := asker.at_rate(part * most, seconds)).keeps_up]
    saturation = max((found.rate for found in kept), default=RAMP[0] * most)
    print(f"{name}: {most:.0f} requests/s to eight callers who wait; saturation {saturation:.0f}/s", flush=True)
    floor = [nothing.at_rate(saturation / part, 2 * seconds) for part in (20, 2)]
    calm, half = asker.at_rate(saturation / 20, 3 * seconds), asker.at_rate(saturation / 2, 2 * seconds)
    asker.step_back()
    at_once.step_back()
    beyond = 2 * max(saturation, most)
    floor.append(at_once.at_rate(beyond, seconds))
    past = asker.at_rate(beyond, 2 * seconds)
    named = (
        ("bare", floor[0]),
        ("unloaded", calm),
        ("bare", floor[1]),
        ("at half", half),
        ("bare at once", floor[2]),
        ("past it", past),
    )
    for what, found in named:
        print(
            f"  {what:<12} {found.rate:6.0f}/s: p50 {found.at(50):8.2f} ms, p99 {found.at(99):8.2f} ms; {len(found.accepted)} answered,"
            f" {found.refused} refused ({found.unannounced} without Retry-After), {found.failed} failed;"
            f" asked {found.asked / found.seconds:.0f}/s, core {found.core:.0%}",
            flush=True,
        )
    print(f"  accepted past saturation: p99 {past.at(99) / calm.at(99):.1f} times the unloaded one", flush=True)


def main() -> None:
    """Measure each server in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, default=serving_peers.ENVIRONMENTS)
    parser.add_argument("--only", default="kserve", help="peers beside ours; default kserve")
    parser.add_argument("--rows", type=int, default=1, help="of a request; default 1")
    parser.add_argument("--seconds", type=int, default=5, help="of a rate; default 5")
    parser.add_argument("--ahead", action="store_true", help="of everything else on the machine; wants root")
    given = parser.parse_args()
    program, rows = vegeta(), serving_peers.customers()[0][: given.rows]
    names = [name for name in given.only.split(",") if name]
    pythons = {name: peer_servers.environment(given.environments, peer_servers.PEERS[name].lock) for name in names}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scratch = Path(folder)
        pid, port, head, model = stack.enter_context(serving_peers.ours(scratch))
        servers = {"ours": (pid, port, head)}
        for place, name in enumerate(names):
            own = serving_peers.FIRST_PORT + 10 * place
            peer = peer_servers.started(peer_servers.PEERS[name], pythons[name], model, own, scratch / name)
            servers[name] = (stack.enter_context(peer), own, {})
        bare_pid, bare_port = stack.enter_context(bare())
        for name, (pid, port, head) in servers.items():
            work = serving_peers.work(name, rows, in_columns=False)
            asker = Asker(program, scratch / f"{name}-asked", port, work, head, pid, ahead=given.ahead)
            nothing = Asker(program, scratch / f"{name}-bare", bare_port, work, {}, bare_pid, ahead=given.ahead)
            at_once = Asker(
                program, scratch / f"{name}-once", bare_port, (AT_ONCE, work[1]), {}, bare_pid, ahead=given.ahead
            )
            measure(name, asker, nothing, at_once, given.seconds)


if __name__ == "__main__":
    main()
