"""The whole churn pipeline beside one plain script: from the file to a verdict, and again with nothing changed.

    python tests/bench/pipeline.py [--rounds 3]

Interleaved rounds (ours, the script, ours again with nothing changed). Ours does far more than the script: it validates, joins features as
of a time, measures six dimensions, registers, signs and proposes. Memory is the peak of all its processes together.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ARGOSY = str(Path(sys.executable).with_name("argosy"))
SCRIPT = [sys.executable, str(Path(__file__).with_name("plain_script.py")), "data/churn/customers.csv"]


@dataclass
class Cost:
    """What one command took."""

    seconds: float
    peak_megabytes: float


def _measure(command: list[str], environment: dict[str, str]) -> Cost:
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    peak: list[float] = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peak), daemon=True)
    started = time.perf_counter()
    watcher.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended {process.returncode}\n{output[-3000:]}")
    return Cost(seconds, peak[0])


def _watch(process: subprocess.Popen[str], peak: list[float]) -> None:
    """Sum of what all processes of the command hold, looked at ten times a second; a page that several share counts once in all (PSS)."""
    while process.poll() is None:
        total = sum(_pss(pid) for pid in _family(process.pid))
        peak[0] = max(peak[0], total / 1024)
        time.sleep(0.1)


def _family(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it ended while we looked
    members = {root}
    while more := {pid for pid, parent in parents.items() if parent in members} - members:
        members |= more
    return sorted(members)


def _pss(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1])
    except OSError:
        pass  # it ended while we looked
    return 0.0


def main() -> None:
    """Print the rounds and their medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    ours, plain, again = [], [], []
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="argosy-bench-") as home:
            environment = {**os.environ, "ARGOSY_HOME": home}
            subprocess.run([ARGOSY, "setup"], env=environment, check=True, capture_output=True)
            ours.append(_measure([ARGOSY, "run", "churn"], environment))
            plain.append(_measure(SCRIPT, environment))
            again.append(_measure([ARGOSY, "run", "churn"], environment))
        print(
            f"round {number + 1}: pipeline {_text(ours[-1])}; plain script {_text(plain[-1])}; nothing changed {_text(again[-1])}",
            flush=True,
        )
    ratio = statistics.median(first.seconds / second.seconds for first, second in zip(ours, plain, strict=True))
    print(
        f"median: pipeline {_median(ours)}; plain script {_median(plain)}; nothing changed {_median(again)}; pipeline / script {ratio:.2f}"
    )


def _text(cost: Cost) -> str:
    return f"{cost.seconds:.1f} s, {cost.peak_megabytes:.0f} MB"


def _median(costs: list[Cost]) -> str:
    return _text(
        Cost(
            statistics.median(cost.seconds for cost in costs), statistics.median(cost.peak_megabytes for cost in costs)
        )
    )


if __name__ == "__main__":
    main()
