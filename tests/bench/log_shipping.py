"""What a request waits while its server ships what it logged: time to answer one row, with and without a segment being shipped.

    python tests/bench/log_shipping.py [--rounds N] [--seconds N] [--niceness N]

In one process, in turn, held to one core: the hot path answers a row each millisecond, alone, and beside a thread that converts a segment
of 12,000 single rows to Parquet without a pause, as the log's shipper does once a segment is full. What is told is by how much an answer is
later than the millisecond, which on a busy machine is mostly that machine's: the two are to be compared, and what was shipped meanwhile.

``--niceness``: of the thread, which has none in a server; on Linux.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from argosy.adapters.segment_log import blocks, columns, framing, segments
from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import records
from argosy.serving.hot_path import HotPath, HotRequest
from kit import serving_kit

REQUESTS, TOGETHER = 12_000, 30
PAUSE = 0.001


def request(body: bytes) -> HotRequest:
    """One that came just now."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    scope = {"type": "http", "method": "POST", "path": "/v1/models/leaving:predict", "headers": headers, "state": {}}
    return HotRequest(scope, body, time.perf_counter())


def late(hot: HotPath, body: bytes, seconds: float) -> list[float]:
    """Milliseconds by which each answer was late."""
    found, until = [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        time.sleep(PAUSE)
        hot.answer([request(body)])
        found.append(1000 * (time.perf_counter() - began - PAUSE))
    return found


def shipped_beside(content: framing.SegmentContent, work: Any, niceness: int) -> tuple[Any, int]:
    """What *work* gives, and how often *content* was converted meanwhile."""
    stop, times = threading.Event(), [0]

    def ship() -> None:
        if niceness:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
        while not stop.is_set():
            for part in columns.hours(content):
                columns.packed(part.coded)
            times[0] += 1

    thread = threading.Thread(target=ship)
    thread.start()
    try:
        return work(), times[0]
    finally:
        stop.set()
        thread.join()


def told(name: str, found: list[float], shipped: int) -> str:
    """A line."""
    cuts = statistics.quantiles(found, n=100)
    lateness = f"p50 {cuts[49]:6.2f} ms late, p99 {cuts[98]:7.2f}, at most {max(found):7.2f}"
    return f"{name:<8} {lateness}; {len(found)} answers, {shipped} segments"


def main() -> None:
    """Measure, and print a line for each round and side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--niceness", type=int, default=0, help="of the thread that ships; default 0")
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        digest = serving_kit.write_bundle(Path(folder) / "bundle")
        predictor, served = Predictor.load(Path(folder) / "bundle", digest), ServedRelease("leaving", "x", 1, digest)
        log = serving_kit.MemoryLog()
        taken: list[Any] = []
        log.append = taken.append  # type: ignore[method-assign,assignment] # as columns, which the list of records is not
        app: Any = serving_kit.build_app(predictor=predictor, served=served, log=log, hash_key=b"key")
        hot: HotPath = app.state.hot_path
        body = json.dumps({"instances": serving_kit.rows(1)}).encode()
        features = records.columns(predictor.signature)
        payloads = [segments.header(served, features)]
        for _ in range(REQUESTS // TOGETHER):
            hot.answer([request(body) for _ in range(TOGETHER)])
            payloads.append(blocks.packed(taken, features))
            taken.clear()
        content = framing.SegmentContent(payloads, damaged=0)
        for _ in range(given.rounds):
            print(told("alone", late(hot, body, given.seconds), 0), flush=True)
            found, times = shipped_beside(content, lambda: late(hot, body, given.seconds), given.niceness)
            print(told("shipping", found, times), flush=True)
            taken.clear()


if __name__ == "__main__":
    main()
