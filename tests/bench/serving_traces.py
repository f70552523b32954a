"""What traces cost the server: CPU time of its process for each request, with no collector named, with one and nothing recorded, with a
tenth and with all recorded.

    python tests/bench/serving_traces.py

The collector is a process of its own. Otherwise as `serving.py`: rounds in turn, so that a busy machine is one for all.
"""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import serving as bench

COLLECTOR = """
import sys, threading
from kit.web_server import Answer, web_server
with web_server({"/v1/traces": Answer()}) as web:
    print(web.url, flush=True)
    sys.stdin.read()
"""
WAYS = {
    "no collector": {},
    "nothing recorded": {"OTEL_TRACES_SAMPLER": "always_off"},
    "a tenth": {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
    "all recorded": {"OTEL_TRACES_SAMPLER": "always_on"},
}
WORKS = ("V1, 1 row", "V1, 100 rows")


@contextmanager
def collecting() -> Iterator[str]:
    """The address of a collector."""
    around = {"PYTHONPATH": f"{bench.SOURCE}:{bench.SOURCE.parent / 'tests'}"}
    command = [sys.executable, "-c", COLLECTOR]
    with subprocess.Popen(command, env=around, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()


def main() -> None:
    """Measure, and print a line for each work and way."""
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        address = stack.enter_context(collecting())
        servers = []
        for name, settings in WAYS.items():
            more = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, **settings} if settings else {}
            servers.append(stack.enter_context(bench.serving(bench.SOURCE, Path(scratch) / name, **more)))
        for work in WORKS:
            costs: dict[str, list[float]] = {name: [] for name in WAYS}
            for _ in range(bench.ROUNDS):
                for name, (pid, port) in zip(WAYS, servers, strict=True):
                    before = bench.cpu_seconds(pid)
                    count = bench.load(port, bench.works()[work])
                    costs[name].append(1e6 * (bench.cpu_seconds(pid) - before) / count)
            for name, cost in costs.items():
                print(f"{work:<14} {name:<18} {statistics.median(cost):6.0f} µs ({min(cost):.0f} to {max(cost):.0f})")


if __name__ == "__main__":
    main()
