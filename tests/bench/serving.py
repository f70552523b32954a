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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

sys.path.insert(0, str(Path(__file__).parents[1]))
from kit.serving_kit import rows

CONNECTIONS, ROUNDS, SECONDS = 8, 5, 2.0
TICK = os.sysconf("SC_CLK_TCK")
MAKE = "import sys, pathlib, kit.serving_kit as kit; print(kit.write_bundle(pathlib.Path(sys.argv[1])))"
SOURCE = Path(__file__).parents[2] / "src"
Work = tuple[str, bytes]
PINNED = "import os, sys; hasattr(os, 'sched_setaffinity') and os.sched_setaffinity(0, {0}); os.execvp(sys.argv[1], sys.argv[1:])"
"""Held to one core from the start, with every thread and process that it will have."""


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
    words: Sequence[str] = (),
    errors: IO[str] | None = None,
    **settings: str,
) -> Iterator[tuple[int, int]]:
    """Process id and port of a server that runs *source*; where an *environment* is named, with a prediction log below *home*.

    *words*: more of its command line. *errors*: where its log goes.
    """
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
        "-c",
        PINNED,
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
        *words,
    ]
    with subprocess.Popen(
        command, env=around, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"http://[^:]+:(\d+)", line)
            assert found, line
            yield process.pid, int(found[1])
        finally:
            process.terminate()


def access(scratch: Path) -> tuple[Path, dict[str, str]]:
    """A file of who may ask, with a key that may ask as often as it can, and the header that proves it."""
    rules = scratch / "access.yaml"
    command = [Path(sys.executable).parent / "argosy", "access", "key", "bench", "--model", "leaving", "--file", rules]
    around = os.environ | {"ARGOSY_HOME": str(scratch / "none")}
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=around).stdout
    key = re.search(r"argosy_bench_\S+", told)
    assert key, told
    with rules.open("a", encoding="utf-8") as file:
        file.write("limits: {default: 1000000/second}\n")
    return rules, {"Authorization": f"Bearer {key[0]}"}


def cpu_seconds(pid: int) -> float:
    """What process *pid* has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def load(port: int, work: Work, headers: Mapping[str, str] | None = None) -> int:
    """Ask for SECONDS; how many were answered.

    What is refused for want of time, as it may be on a machine that others keep busy, is asked again: its cost is there, no answer is.
    """
    path, body = work
    head = {"Content-Type": "application/json"} | dict(headers or {})
    answered = [0] * CONNECTIONS
    until = time.monotonic() + SECONDS

    def ask(place: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.monotonic() < until:
            connection.request("POST", path, body, head)
            reply = connection.getresponse()
            content = reply.read()
            assert reply.status in {200, 503}, content
            answered[place] += reply.status == 200
        connection.close()

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answered)


def asked(port: int, work: Work, headers: Mapping[str, str]) -> int:
    """The status of the answer to one request, over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", work[0], work[1], {"Content-Type": "application/json", **headers})
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply.status


def main() -> None:
    """Measure, and print a line for each work and source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", type=Path, default=[SOURCE])
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
