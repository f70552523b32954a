"""What a call over gRPC costs the server beside the same request over HTTP: CPU time of its process, and how many came a second.

    python tests/bench/serving_grpc.py [--rounds N]

The same model, rows and tensors: V2 over HTTP, and gRPC with typed and raw contents, in turn, over eight connections; access, limits, log
and metrics on. The callers are grpcio's and Python's own, and slower than the server: what counts is the server's CPU time. It depends on
how many requests are there at once, which share a call of the model: that is told, too. Slower callers bring each other less company.
"""

import argparse
import functools
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

import grpc
import numpy as np
import serving

from argosy.serving import grpc_messages, tensors
from kit.model_server import free_port
from kit.serving_kit import rows

CALL = f"/{grpc_messages.SERVICE}/ModelInfer"


def message(count: int, *, raw: bool) -> bytes:
    """The call for *count* rows, with typed or *raw* contents."""
    sample = rows(count)
    made = grpc_messages.CLASSES["ModelInferRequest"](model_name="leaving")
    for name in sample[0]:
        values = [row[name] for row in sample]
        text = isinstance(values[0], str)
        tensor = made.inputs.add(name=name, datatype="BYTES" if text else "FP64", shape=[count])
        if raw:
            given = values if text else np.array(values, dtype=np.float64)
            made.raw_input_contents.append(tensors.packed(given, tensor.datatype))
        elif text:
            tensor.contents.bytes_contents.extend(str(value).encode() for value in values)
        else:
            tensor.contents.fp64_contents.extend(np.array(values, dtype=np.float64).tolist())
    content: bytes = made.SerializeToString()
    return content


def load(port: int, body: bytes, head: Mapping[str, str]) -> int:
    """Call for as long as :func:`serving.load` asks; how many were answered."""
    answered = [0] * serving.CONNECTIONS
    until = time.monotonic() + serving.SECONDS
    brought = tuple((name.lower(), value) for name, value in head.items())

    def ask(place: int) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            method = channel.unary_unary(CALL)
            while time.monotonic() < until:
                method(body, metadata=brought)
                answered[place] += 1

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(serving.CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answered)


def answered_together(port: int, head: Mapping[str, str]) -> tuple[float, float]:
    """Requests answered so far, and the calls of the model that it took."""
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers=dict(head))) as told:
        lines = dict(line.rsplit(" ", 1) for line in told.read().decode().splitlines() if line[0] != "#")
    return float(lines["argosy_requests_together_sum"]), float(lines["argosy_requests_together_count"])


def cases(port: int, beside: int, head: Mapping[str, str]) -> dict[str, Callable[[], int]]:
    """What is asked, by name: each asks for a while and says how often it was answered."""
    found: dict[str, Callable[[], int]] = {}
    for label, count in (("1 row", 1), ("100 rows", 100)):
        work = serving.works()[f"V2, {label}"]
        found[f"{label}, HTTP"] = functools.partial(serving.load, port, work, head)
        for form in ("typed", "raw"):
            body = message(count, raw=form == "raw")
            found[f"{label}, gRPC {form}"] = functools.partial(load, beside, body, head)
    return found


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=serving.ROUNDS)
    rounds = parser.parse_args().rounds
    beside = free_port()
    with tempfile.TemporaryDirectory() as folder:
        rules, head = serving.access(Path(folder))
        words = ("--access", str(rules), "--grpc-port", str(beside))
        with serving.serving(serving.SOURCE, Path(folder) / "home", words=words) as (pid, port):
            asked = cases(port, beside, head)
            costs: dict[str, list[float]] = {name: [] for name in asked}
            company: dict[str, list[float]] = {name: [] for name in asked}
            for _ in range(rounds):
                for name, ask in asked.items():
                    earlier, before = answered_together(port, head), serving.cpu_seconds(pid)
                    count = ask()
                    costs[name].append(1e6 * (serving.cpu_seconds(pid) - before) / count)
                    requests, calls = (
                        now - then for now, then in zip(answered_together(port, head), earlier, strict=True)
                    )
                    company[name].append(requests / calls)
    for name, cost in costs.items():
        spread, together = f"{min(cost):.0f} to {max(cost):.0f}", statistics.median(company[name])
        print(f"{name:<22} {statistics.median(cost):8.0f} µs of CPU ({spread}), {together:.1f} together")


if __name__ == "__main__":
    main()
