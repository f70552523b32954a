"""What a request waits while its server ships what it logged: time to answer one row, with and without a segment being shipped.

    python tests/bench/log_shipping.py [--rounds N] [--seconds N]

The hot path answers a row each millisecond, in turn: alone; beside the process that ships for a server, which takes a segment of 12,000
single rows after another, without a pause; and beside a thread of its own that does the same, as servers of before had it. All of that is
held to one core. What is told is by how much an answer is later than the millisecond, which on a busy machine is
mostly that machine's: the three are to be compared, and what was shipped meanwhile.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from argosy.adapters.segment_log import columns, framing, layout, segments
from argosy.adapters.segment_log.shared_shipper import SharedShipper
from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import records
from argosy.serving.hot_path import HotPath, HotRequest
from kit import serving_kit

REQUESTS, TOGETHER = 12_000, 30
PAUSE = 0.001
Count = Callable[[], int]
"""Segments that were shipped."""


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


@contextmanager
def alone(_: Path, __: ServedRelease) -> Iterator[Count]:
    """Nothing is shipped."""
    yield lambda: 0


@contextmanager
def process(segment: Path, served: ServedRelease) -> Iterator[Count]:
    """What is in *segment* is shipped, again and again, by the process that ships for a server."""
    with tempfile.TemporaryDirectory() as place:
        spool = layout.Spool(Path(place) / "spool")
        spool.folder.mkdir()
        command = [sys.executable, "-m", "argosy.serving.log_shipper", str(spool.folder), f"file://{place}/log"]
        seat = SharedShipper(spool.folder, command).seat(served)
        stop = threading.Event()

        def feed() -> None:
            for number in range(1_000_000):
                if stop.wait(0.02):
                    return
                while len(spool.segments()) < 2 and not stop.is_set():
                    copied = Path(place) / "copied"
                    shutil.copy(segment, copied)
                    sealed = spool.folder / f"{number}-{time.monotonic_ns()}{layout.SEGMENT}"
                    copied.rename(sealed)
                    seat.wake(sealed)

        feeding = threading.Thread(target=feed)
        feeding.start()
        while not seat.counts.shipped:  # its start is no part of it
            time.sleep(0.05)
        before = seat.counts.shipped
        try:
            yield lambda: (seat.counts.shipped - before) // REQUESTS
        finally:
            stop.set()
            feeding.join()
            seat.close(10)


@contextmanager
def thread(segment: Path, _: ServedRelease) -> Iterator[Count]:
    """What is in *segment* is converted, again and again, by a thread of this process."""
    stop, times = threading.Event(), [0]

    def ship() -> None:
        while not stop.is_set():
            for part in columns.hours(framing.read(segment.read_bytes())):
                columns.packed(part.coded)
            times[0] += 1

    shipping = threading.Thread(target=ship)
    shipping.start()
    try:
        yield lambda: times[0]
    finally:
        stop.set()
        shipping.join()


def told(name: str, found: list[float], shipped: int) -> str:
    """A line."""
    cuts = statistics.quantiles(found, n=100)
    lateness = f"p50 {cuts[49]:6.2f} ms late, p99 {cuts[98]:7.2f}, at most {max(found):7.2f}"
    return f"{name:<8} {lateness}; {len(found)} answers, {shipped} segments"


def filled(hot: HotPath, body: bytes, taken: list[Any], head: bytes, folder: Path) -> Path:
    """A segment of REQUESTS requests."""
    segment = segments.Segment(layout.Spool(folder), head)
    for _ in range(REQUESTS // TOGETHER):
        hot.answer([request(body) for _ in range(TOGETHER)])
        segment.append(taken)
        taken.clear()
    segment.close()
    return segment.path


def main() -> None:
    """Measure, and print a line for each round and side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        digest = serving_kit.write_bundle(folder / "bundle")
        predictor, served = Predictor.load(folder / "bundle", digest), ServedRelease("leaving", "x", 1, digest)
        log = serving_kit.MemoryLog()
        taken: list[Any] = []
        log.append = taken.append  # type: ignore[method-assign,assignment] # as columns, which the list of records is not
        app: Any = serving_kit.build_app(predictor=predictor, served=served, log=log, hash_key=b"key")
        hot: HotPath = app.state.hot_path
        body = json.dumps({"instances": serving_kit.rows(1)}).encode()
        head = segments.header(served, records.columns(predictor.signature))
        segment = filled(hot, body, taken, head, folder / "made")
        for _ in range(given.rounds):
            for side in (alone, process, thread):
                with side(segment, served) as shipped:
                    found = late(hot, body, given.seconds)
                    print(told(side.__name__, found, shipped()), flush=True)
                taken.clear()


if __name__ == "__main__":
    main()
