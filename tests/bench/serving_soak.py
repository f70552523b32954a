"""Whether the model server keeps what it should let go of: memory, open files, threads and spool over an hour of mixed traffic.

    python tests/bench/serving_soak.py [--minutes M] [--rate N]

Right and wrong requests, of one row and of a hundred, over HTTP and gRPC, N a second in all, everything on: access, limits,
log, metrics. Prints what the server holds a hundred times; then the slope of its memory, by least squares behind the first fifth, which
warms it up, with the interval that holds it in 95 of 100 cases. Ends 1 where all of that interval is above MOST_KIB a minute (which would
be 1.4 GiB in a month), or files or threads are more than SPARE above what they were.
"""

import argparse
import collections
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import serving
import serving_hostile

from kit.model_server import free_port

CALLERS, SAMPLES, WARM, MOST_KIB, SPARE = 4, 100, 0.2, 34.0, 8


def resident(pid: int) -> float:
    """KiB of process *pid* in memory."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


@dataclass(frozen=True)
class Holding:
    """What the server holds at a time."""

    minute: float
    kib: float
    files: int
    threads: int
    spool: int
    """Bytes of predictions that wait to be shipped."""

    @classmethod
    def of(cls, pid: int, home: Path, began: float) -> "Holding":
        """That of process *pid*, now."""
        spool = sum(path.stat().st_size for path in home.rglob("*") if "spool" in path.parts and path.is_file())
        count = [len(list(Path(f"/proc/{pid}/{kind}").iterdir())) for kind in ("fd", "task")]
        return cls((time.monotonic() - began) / 60, resident(pid), count[0], count[1], spool)

    def __str__(self) -> str:
        return (
            f"{self.minute:6.1f} min {self.kib / 1024:8.1f} MiB {self.files:4} files {self.threads:3} threads "
            f"{self.spool / 1024:8.0f} KiB of spool"
        )


def traffic(
    ports: tuple[int, int], head: dict[str, str], pauses: Iterator[None], seed: int, ends: "serving_hostile.Ends"
) -> None:
    """Ask until *pauses* end: three good requests over HTTP, a hostile one, a hostile call."""
    chance, works = random.Random(seed), list(serving.works().values())
    for number, _ in enumerate(pauses):
        kind = number % 5
        if kind < 3:
            status = serving.asked(ports[0], works[number % len(works)], head)
            ends[f"HTTP {status}, good"] += 1
        elif kind == 3:
            serving_hostile.ask(ports[0], head, chance, 1, ends)
        else:
            serving_hostile.call(ports[1], head, chance, 1, ends)


def paced(rate: float, until: float) -> Iterator[None]:
    """Comes *rate* times a second until a time by the monotonic clock; what is late is left out."""
    while time.monotonic() < until:
        yield
        time.sleep(1 / rate)


def slope(found: list[Holding]) -> tuple[float, float]:
    """KiB a minute by least squares, and half of the interval that holds it in 95 of 100 cases.

    Memory moves in steps, and one sample is much like the one before: a tenth of them is counted as if each told something new.
    """
    rest = found[round(len(found) * WARM) :]
    minutes, kib = np.array([one.minute for one in rest]), np.array([one.kib for one in rest])
    fitted = np.polyfit(minutes, kib, 1)
    spread = float(np.sqrt(np.sum((kib - np.polyval(fitted, minutes)) ** 2) / max(len(rest) / 10 - 2, 1)))
    return float(fitted[0]), 1.96 * spread / float(np.std(minutes) * np.sqrt(10))


def main() -> None:
    """Ask, look, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=100.0)
    given = parser.parse_args()
    ends: serving_hostile.Ends = collections.Counter()
    found: list[Holding] = []
    with tempfile.TemporaryDirectory() as folder:
        home, beside = Path(folder) / "home", free_port()
        rules, head = serving.access(Path(folder))
        words = ("--access", str(rules), "--grpc-port", str(beside))
        shipped = {"ARGOSY_PREDICTIONS_SHIP_SECONDS": "5"}
        with serving.serving(serving.SOURCE, home, words=words, **shipped) as (pid, port):
            began = time.monotonic()
            until = began + 60 * given.minutes
            callers = [
                threading.Thread(
                    target=traffic, args=((port, beside), head, paced(given.rate / CALLERS, until), place, ends)
                )
                for place in range(CALLERS)
            ]
            for thread in callers:
                thread.start()
            for place in range(SAMPLES):
                time.sleep(max(began + (place + 1) * 60 * given.minutes / SAMPLES - time.monotonic(), 0))
                found.append(Holding.of(pid, home, began))
                print(found[-1], flush=True)
            for thread in callers:
                thread.join()
    found_slope, half = slope(found)
    warm, last = found[round(len(found) * WARM)], found[-1]
    print(f"{sum(ends.values())} requests: {dict(sorted(ends.items()))}")
    print(f"slope: {found_slope:.1f} KiB a minute, 95 of 100 times within ±{half:.1f}; at most {MOST_KIB:g} may be")
    more = max(last.files - warm.files, last.threads - warm.threads)
    sys.exit(found_slope - half > MOST_KIB or more > SPARE)


if __name__ == "__main__":
    main()
