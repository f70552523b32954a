"""What a request is made of: microseconds of CPU for each part of it, on the hot path of one process, without a connection.

    python tests/bench/serving_parts.py [--rounds N]

The customers and the model of ``serving_peers.py`` (300 trees of depth 5), one row and a hundred, by rows and by columns. Each part is
called alone, in turn with the others, and the quickest of all rounds counts, which a busy machine changes least; so parts add up to less
than the whole. Log and metrics have parts on the event loop, and others in threads of their own: those are of requests that come together.
"""

import argparse
import json
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import numpy as np
import serving
import serving_peers

from argosy.adapters.segment_log import blocks, columns, framing, segments
from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import reading, records
from argosy.serving.app import app_of, server_parts
from argosy.serving.hot_path import HotRequest
from argosy.serving.service import given_by
from kit import serving_kit

CALLS, TOGETHER = 20, 30
"""Calls of a part in a round; requests that the log writes together."""
BLOCKS = 30
"""Of them that are shipped together."""
Part = Callable[[], object]


def bodies() -> dict[str, serving.Work]:
    """Address and body by name."""
    rows = serving_peers.customers()[0][:100]
    listed = {name: [row[name] for row in rows] for name in rows[0]}
    binary = b"".join(np.array(values, np.float64).tobytes() for values in listed.values())
    inputs = [
        {"name": name, "shape": [100], "datatype": "FP64", "parameters": {"binary_data_size": 800}} for name in listed
    ]
    head = json.dumps({"inputs": inputs}).encode()
    return {
        "1 row": serving_peers.work("ours", rows[:1], in_columns=False),
        "100 rows": serving_peers.work("ours", rows, in_columns=False),
        "columns, plain": ("/predict", json.dumps({"columns": listed}).encode()),
        "columns, V2": serving_peers.work("ours", rows, in_columns=True),
        "columns, V2 binary": (f"{serving_peers.V2}#{len(head)}", head + binary),
    }


def quickest(parts: Mapping[str, Part], rounds: int) -> dict[str, float]:
    """Microseconds of CPU of a call of each part, the least of all *rounds*."""
    least = dict.fromkeys(parts, float("inf"))
    for _ in range(rounds):
        for name, part in parts.items():
            began = time.thread_time_ns()
            for _ in range(CALLS):
                part()
            least[name] = min(least[name], (time.thread_time_ns() - began) / 1000 / CALLS)
    return least


class HotPathParts:
    """The hot path of a model, and its parts."""

    def __init__(self, folder: Path) -> None:
        digest = serving_peers.write_bundle(folder)
        self.predictor = Predictor.load(folder, digest)
        self.served = ServedRelease("leaving", "x", 1, digest)
        self.taken: list[Any] = []
        log = serving_kit.MemoryLog()
        log.append = self.taken.append  # type: ignore[method-assign,assignment] # as columns, which the list of records is not
        self.parts = server_parts(predictor=self.predictor, served=self.served, log=log, hash_key=b"key")
        self.app = app_of(self.parts)
        self.features = records.columns(self.predictor.signature)

    def of(self, work: serving.Work) -> dict[str, Part]:
        """The parts of one request."""
        path, _, length = work[0].partition("#")
        body, json_length = work[1], int(length) if length else None
        protocol: Any = {"/predict": self.parts.plain, serving_peers.V2: self.parts.second}.get(path, self.parts.first)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        headers += [(b"inference-header-content-length", length.encode())] if length else []
        asked, wanted = protocol.read(body, json_length)
        assert asked.encoded is not None
        assert self.parts.service.plain(asked)
        encoder, given = self.predictor.encoder, _columns(asked)
        values = self.predictor.predict_matrix(asked.encoded.matrix)
        answer = given_by(self.predictor, values, "x" * 32)
        scores, recorder, metrics = values[:, np.newaxis], self.parts.service._recorder, self.parts.metrics
        assert recorder is not None

        def whole() -> None:
            scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "state": {}}
            request = HotRequest(scope, body, time.perf_counter())
            assert self.app.state.hot_path.answer([request]) != [None]
            self.taken.clear()

        def counted() -> None:
            metrics.observe("v1", 200, 0.001)
            metrics.together.observe(1)
            metrics.predictions.inc(len(values))
            metrics.observe_scores(values)

        def logged() -> None:
            recorder.record("x" * 32, asked, scores, answer.decisions or [])
            self.taken.clear()

        return {
            "JSON": lambda: reading.loads(body[:json_length]),
            "read, JSON and all below": lambda: protocol.read(body, json_length),
            "checks, matrix": lambda: encoder.columns(given),
            "predict": lambda: self.predictor.predict_matrix(asked.encoded.matrix),
            "answer": lambda: given_by(self.predictor, values, "x" * 32),
            "count": counted,
            "hand to the log": logged,
            "write": lambda: protocol.write(answer, wanted),
            "all of it": whole,
        }

    def beside(self, work: serving.Work, rounds: int) -> dict[str, float]:
        """What a request costs the log's threads."""
        asked, _ = self.parts.first.read(work[1], None)
        assert asked.encoded is not None
        values = self.predictor.predict_matrix(asked.encoded.matrix)
        decisions = given_by(self.predictor, values, "").decisions or []
        for _ in range(TOGETHER):
            self.parts.service._recorder.record(uuid.uuid4().hex, asked, values[:, np.newaxis].copy(), list(decisions))  # type: ignore[union-attr]
        batches, mark = list(self.taken), b"12345678"
        self.taken.clear()
        payload = blocks.packed(batches, self.features)
        content = framing.SegmentContent([segments.header(self.served, self.features), *[payload] * BLOCKS], damaged=0)
        found = quickest(
            {
                "written by the log": lambda: framing.frame(blocks.packed(batches, self.features), mark),
                "shipped": lambda: [columns.packed(part.coded) for part in columns.hours(content)],
            },
            rounds,
        )
        return {
            "written by the log": found["written by the log"] / TOGETHER,
            "shipped": found["shipped"] / TOGETHER / BLOCKS,
        }


def _columns(asked: Any) -> list[Any]:
    """The columns of *asked* as they came."""
    features = asked.features
    return list(getattr(features, "_columns", features).values())


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server, works = HotPathParts(Path(folder) / "bundle"), bodies()
        found = {name: quickest(server.of(work), given.rounds) for name, work in works.items()}
        print("| µs of CPU | " + " | ".join(found) + " |\n" + "|---" * (len(found) + 1) + "|")
        for part in next(iter(found.values())):
            print(f"| {part} | " + " | ".join(f"{each[part]:.1f}" for each in found.values()) + " |")
        for name in ("1 row", "100 rows"):
            threads = server.beside(works[name], max(3, given.rounds // 10))
            print(f"{name}, beside it: " + ", ".join(f"{part} {cost:.1f}" for part, cost in threads.items()))


if __name__ == "__main__":
    main()
