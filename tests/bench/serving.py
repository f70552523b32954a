"""What a request costs the server: CPU time of its process for each, and requests a second, for one row and for many, V1 and V2.

    python tests/bench/serving.py [SOURCE …]

Each SOURCE is a folder with an ``argosy`` package (default: this checkout's ``src``); several are measured in turn, round by round, in one
run. Each server is held to one core where the kernel allows, and called over eight connections from this process. CPU time is what a busy
machine changes least.
"""

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from kit.serving_kit import rows

CONNECTIONS, ROUNDS, SECONDS = 8, 5, 2.0
TICK = os.sysconf("SC_CLK_TCK")
MAKE = "import sys, pathlib, kit.serving_kit as kit; print(kit.write_bundle(pathlib.Path(sys.argv[1])))"
Work = tuple[str, bytes]


def works() -> dict[str, Work]:
    """What is asked: address and body by name."""
    sample = rows(100)

    def v2(count: int) -> bytes:
        inputs = [
            {
                "name": name,
                "shape": [count],
                "datatype": "BYTES" if name == "contract" else "FP64",
                "data": [row[name] for row in sample[:count]],
            }
            for name in sample[0]
        ]
        return json.dumps({"inputs": inputs}).encode()

    predict, infer = "/v1/models/leaving:predict", "/v2/models/leaving/infer"
    return {
        "V1, 1 row": (predict, json.dumps({"instances": sample[:1]}).encode()),
        "V1, 100 rows": (predict, json.dumps({"instances": sample}).encode()),
        "V2, 1 row": (infer, v2(1)),
        "V2, 100 rows": (infer, v2(100)),
    }


@contextmanager
def serving(
    source: Path,
    home: Path,
    *,
    program: Sequence[str] = ("-m", "argosy.serving"),
    environment: str | None = "bench",
    **settings: str,
) -> Iterator[tuple[int, int]]:
    """Process id and port of a server that runs *source*; where an *environment* is named, with a prediction log below *home*."""
    around = os.environ | {"PYTHONPATH": f"{source}:{source.parent / 'tests'}", "ARGOSY_HOME": str(home)} | settings
    (home / "keys").mkdir(parents=True)
    (home / "keys" / "ids.key").write_text("secret")
    bundle = home / "bundle"
    # Each reads a bundle of its own making: forms change.
    made = subprocess.run(
        [sys.executable, "-c", MAKE, bundle], env=around, stdout=subprocess.PIPE, text=True, check=True
    )
    command = [
        sys.executable,
        *program,
        "--bundle",
        str(bundle),
        "--digest",
        made.stdout.strip(),
        "--unsigned",
        "--port",
        "0",
        *(["--environment", environment] if environment else []),
    ]
    with subprocess.Popen(command, env=around, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"http://[^:]+:(\d+)", line)
            assert found, line
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(process.pid, {0})
            yield process.pid, int(found[1])
        finally:
            process.terminate()


def cpu_seconds(pid: int) -> float:
    """What process *pid* has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def load(port: int, work: Work) -> int:
    """Ask for SECONDS; how many were answered."""
    path, body = work
    answered = [0] * CONNECTIONS
    until = time.monotonic() + SECONDS

    def ask(place: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.monotonic() < until:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            content = reply.read()
            assert reply.status == 200, content
            answered[place] += 1
        connection.close()

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answered)


def main() -> None:
    """Measure, and print a line for each work and source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", type=Path, default=[Path(__file__).parents[2] / "src"])
    sources: list[Path] = [source.resolve() for source in parser.parse_args().sources]
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        homes = [Path(scratch) / str(place) for place in range(len(sources))]
        servers = [stack.enter_context(serving(*pair)) for pair in zip(sources, homes, strict=True)]
        for name, work in works().items():
            costs: list[list[float]] = [[] for _ in sources]
            rates: list[list[float]] = [[] for _ in sources]
            for _ in range(ROUNDS):
                for place, (pid, port) in enumerate(servers):
                    before = cpu_seconds(pid)
                    count = load(port, work)
                    costs[place].append(1e6 * (cpu_seconds(pid) - before) / count)
                    rates[place].append(count / SECONDS)
            for source, cost, rate in zip(sources, costs, rates, strict=True):
                print(
                    f"{name:<14} {statistics.median(cost):8.0f} µs of CPU a request ({min(cost):.0f} to {max(cost):.0f})"
                    f" {statistics.median(rate):8.0f} requests/s  {source}"
                )


if __name__ == "__main__":
    main()
