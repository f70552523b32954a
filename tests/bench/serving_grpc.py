"""What a call over gRPC costs the server beside the same request over HTTP: CPU time of its process, and how many it answered together.

    python tests/bench/serving_grpc.py [--rounds N] [--together N]

The same model, rows and tensors: V2 over HTTP, and gRPC with typed and raw contents, in turn, in short bursts; access, limits, log and
metrics on. The callers (``tests/bench/lockstep.py``) send what Python's client and grpcio send, on as many connections at once for each, so
that the server has the same company: requests that are there at once share a call of the model. Of many bursts the quickest quarter was
disturbed least, on a machine that others keep busy.
"""

import argparse
import statistics
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import lockstep
import numpy as np
import serving

from argosy.serving import grpc_messages, tensors
from kit.model_server import free_port
from kit.serving_kit import rows

CALL = f"/{grpc_messages.SERVICE}/ModelInfer"
BURST, ROUNDS = 200, 60
"""Requests in a burst, and bursts of each kind."""


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


def answered_together(port: int, head: Mapping[str, str]) -> tuple[float, float]:
    """Requests answered so far, and the calls of the model that it took."""
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers=dict(head))) as told:
        lines = dict(line.rsplit(" ", 1) for line in told.read().decode().splitlines() if line[0] != "#")
    return float(lines["argosy_requests_together_sum"]), float(lines["argosy_requests_together_count"])


def cases(
    port: int, beside: int, head: Mapping[str, str], together: int
) -> dict[str, Sequence[lockstep.LockstepAsker]]:
    """Who asks, *together* of a kind, by the name of what is asked."""
    found: dict[str, Sequence[lockstep.LockstepAsker]] = {}
    for label, count in (("1 row", 1), ("100 rows", 100)):
        work = serving.works()[f"V2, {label}"]
        found[f"{label}, HTTP"] = [lockstep.HttpAsker(port, work, head) for _ in range(together)]
        for form in ("typed", "raw"):
            recording = lockstep.GrpcRecording(beside, CALL, message(count, raw=form == "raw"), head)
            found[f"{label}, gRPC {form}"] = [lockstep.GrpcAsker(beside, recording) for _ in range(together)]
    return found


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"bursts of each kind; default {ROUNDS}")
    parser.add_argument("--together", type=int, default=4, help="connections that ask at once; default 4")
    given = parser.parse_args()
    beside = free_port()
    with tempfile.TemporaryDirectory() as folder:
        rules, head = serving.access(Path(folder))
        words = ("--access", str(rules), "--grpc-port", str(beside))
        with serving.serving(serving.SOURCE, Path(folder) / "home", words=words) as (pid, port):
            asked = cases(port, beside, head, given.together)
            costs: dict[str, list[float]] = {name: [] for name in asked}
            company: dict[str, list[float]] = {name: [] for name in asked}
            for _ in range(given.rounds):
                for name, askers in asked.items():
                    for asker in askers:
                        asker.ready()
                    earlier, before = answered_together(port, head), lockstep.cpu_microseconds(pid)
                    count = lockstep.asked(askers, BURST // given.together)
                    used = lockstep.cpu_microseconds(pid) - before
                    if not count:  # all were refused, as they may be where others keep the machine busy
                        continue
                    costs[name].append(used / count)
                    requests, calls = (
                        now - then for now, then in zip(answered_together(port, head), earlier, strict=True)
                    )
                    company[name].append(requests / calls)
    for name, cost in costs.items():
        quarter, middle, _ = statistics.quantiles(cost, n=4, method="inclusive")
        together = statistics.median(company[name])
        said = f"{min(cost):6.0f} µs of CPU at least, {quarter:.0f} in a quarter of the bursts, {middle:.0f} in half"
        print(f"{name:<22} {said}; {together:.1f} together")


if __name__ == "__main__":
    main()
