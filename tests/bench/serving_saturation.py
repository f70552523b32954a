"""Open-loop load: requests come when they are due, whether earlier ones were answered or not, as those of many callers do.

    python tests/bench/serving_saturation.py [--environments FOLDER] [--only kserve | --only ''] [--rows N] [--seconds N]

Ours with everything on and KServe's own loop (``tests/bench/peer_servers.py``) serve one model, each on one core, in turn; vegeta, which
Go builds the first time, asks from another. Printed for each: its saturation, the highest rate that it answers whole; the time of an
answer unloaded (a twentieth of that), at half of it, and past it (twice), where what was refused, and whether it said when to come back,
is counted. A closed loop would wait with whoever waits, and show no queue.

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
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import peer_servers
import serving
import serving_peers

MODULE, VERSION = "github.com/tsenart/vegeta/v12", "v12.12.0"
TOOLS = Path.home() / ".cache" / "argosy" / "bench-tools"
RAMP = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5)
"""Rates that saturation is looked for at, as parts of what eight callers get who wait for their answers."""
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

    def __init__(self, program: Path, scratch: Path, port: int, work: serving.Work, head: Mapping[str, str]) -> None:
        self._program = program
        scratch.mkdir(parents=True, exist_ok=True)
        body, self._targets = scratch / "body", scratch / "targets"
        body.write_bytes(work[1])
        lines = [f"POST http://127.0.0.1:{port}{work[0]}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in head.items()]
        self._targets.write_text("\n".join([*lines, f"@{body}", ""]), encoding="utf-8")

    def at_most(self, seconds: int) -> float:
        """Answers a second that eight callers get who wait for each."""
        found = self._attack(["-rate=0", f"-max-workers={serving.CONNECTIONS}", f"-duration={seconds}s"], 0.0)
        return len(found.accepted) / found.seconds

    def at_rate(self, rate: float, seconds: int) -> OfferedLoad:
        """What comes of *rate* requests a second."""
        whole = max(1, round(rate))
        return self._attack([f"-rate={whole}/1s", f"-duration={seconds}s", "-max-workers=512"], whole)

    def _attack(self, words: Sequence[str], rate: float) -> OfferedLoad:
        last = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
        pinned = [sys.executable, "-c", serving.PINNED.replace("{0}", f"{{{last}}}")]
        attack = [*pinned, str(self._program), "attack", f"-targets={self._targets}", "-timeout=20s", *words]
        results = subprocess.run(attack, stdout=subprocess.PIPE, check=True).stdout
        encode = [self._program, "encode", "-to=json"]
        lines = subprocess.run(encode, input=results, stdout=subprocess.PIPE, check=True).stdout.splitlines()
        return _served(rate, [json.loads(line) for line in lines])


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


def measure(name: str, asker: Asker, seconds: int) -> None:
    """Measure one server, and print what came of it."""
    asker.at_most(1)  # warm
    most = asker.at_most(seconds)
    kept = [found for part in RAMP if (found := asker.at_rate(part * most, seconds)).keeps_up]
    saturation = max((found.rate for found in kept), default=RAMP[0] * most)
    print(f"{name}: {most:.0f} requests/s to eight callers who wait; saturation {saturation:.0f}/s", flush=True)
    calm = asker.at_rate(saturation / 20, 3 * seconds)
    half, past = asker.at_rate(saturation / 2, 2 * seconds), asker.at_rate(2 * max(saturation, most), 2 * seconds)
    for what, found in (("unloaded", calm), ("at half", half), ("past it", past)):
        print(
            f"  {what:<9} {found.rate:6.0f}/s: p50 {found.at(50):8.2f} ms, p99 {found.at(99):8.2f} ms; {len(found.accepted)} answered,"
            f" {found.refused} refused ({found.unannounced} without Retry-After), {found.failed} failed",
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
    given = parser.parse_args()
    program, rows = vegeta(), serving_peers.customers()[0][: given.rows]
    names = [name for name in given.only.split(",") if name]
    pythons = {name: peer_servers.environment(given.environments, peer_servers.PEERS[name].lock) for name in names}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scratch = Path(folder)
        _, port, head, model = stack.enter_context(serving_peers.ours(scratch))
        servers = {"ours": (port, head)}
        for place, name in enumerate(names):
            own = serving_peers.FIRST_PORT + 10 * place
            stack.enter_context(
                peer_servers.started(peer_servers.PEERS[name], pythons[name], model, own, scratch / name)
            )
            servers[name] = (own, {})
        for name, (port, head) in servers.items():
            work = serving_peers.work(name, rows, in_columns=False)
            measure(name, Asker(program, scratch / f"{name}-asked", port, work, head), given.seconds)


if __name__ == "__main__":
    main()
