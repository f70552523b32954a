"""Labels joined to predictions and real performance measured, per number of rows: how long it takes and how much memory.

    python tests/bench/labels.py [ROWS ...]        (1000000 where none is named)

One row of the log has one label, by the entity's id and the nearest time, as the settings of most models would say; a twentieth of the
labels is corrected once. Both sides are written first. What is measured is a process of its own: it reads the label file by its contract,
joins, and measures every score, interval, slice and day, and the estimate of what has no label.
"""

import datetime
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from argosy.adapters.duckdb_tables.label_join import DuckDBLabelJoin
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.domain.label_settings import Labels
from argosy.domain.model_settings import ModelSettings
from argosy.domain.pseudonyms import hashed
from argosy.domain.release import Version
from argosy.domain.source_settings import Column, ColumnType, Source
from argosy.monitoring import performance
from argosy.ports.prediction_log import Logged, ServedRelease

KEY = b"a secret of this measurement"
BEGIN = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
DAYS = 28
SERVED = ServedRelease("leaving", "production", 1, "sha256:one")
PART = 50_000
"""Rows of one segment of the log."""
TYPES: dict[str, ColumnType] = {
    "id": "string",
    "at": "timestamp",
    "known": "timestamp",
    "left": "string",
    "revenue": "number",
}


@dataclass(frozen=True)
class LogFiles:
    """A history whose segments are files."""

    files: list[Path]

    def read(
        self,
        model: str,
        environment: str,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Iterator[Logged]:
        """See the port; all of them are of the window."""
        for file in self.files:
            yield Logged(SERVED, pq.read_table(file, partitioning=None))


def settings() -> ModelSettings:
    """A model's, with labels by entity and time."""
    columns = [Column(name=name, type=kind, meaning="") for name, kind in TYPES.items()]
    outcomes = Source(
        name="outcomes", file="outcomes.parquet", entity=["id"], timestamp="at", created="known", columns=columns
    )
    labels = Labels(
        table=outcomes, by="entity", before="0m", after="7d", due="7d", sql='"left"', slices=["contract"], outcomes={"revenue": "revenue"}
    )  # fmt: skip
    label = {"source": "outcomes", "sql": '"left"', "classes": ["no", "yes"], "columns": ["left"]}
    return ModelSettings.model_validate(
        {
            "model": "leaving", "task": "binary", "description": "", "owner": "", "seed": 1, "entity": ["id"],
            "feature_service": "leaving", "sources": [outcomes.model_dump()], "label": label,
            "split": {"by": "entity", "holdout": 0.2}, "search": {"metric": "auc"}, "labels": labels.model_dump(),
            "evaluation": {"business": {"true_positive": 250, "false_positive": -40}},
        }
    )  # fmt: skip


def write(folder: Path, rows: int) -> None:
    """Write the log's segments and the label file."""
    random = np.random.default_rng(1)
    scores = random.beta(1.2, 3, rows)
    left = random.random(rows) < scores
    at = np.sort(random.integers(0, DAYS * 86_400_000_000, rows)) + int(BEGIN.timestamp() * 1e6)
    contracts = np.array(["month", "one-year", "two-year"])[random.integers(0, 3, rows)]
    for number, first in enumerate(range(0, rows, PART)):
        chosen = slice(first, first + PART)
        _segment(first, at[chosen], scores[chosen], contracts[chosen]).write(folder / f"log-{number:05}.parquet")
    _labels(random, at, left).write(folder / "outcomes.parquet")


@dataclass(frozen=True)
class _Table:
    table: pa.Table

    def write(self, file: Path) -> None:
        pq.write_table(self.table, file)


def _segment(first: int, at: np.ndarray, scores: np.ndarray, contracts: np.ndarray) -> _Table:
    count = len(at)
    return _Table(
        pa.table(
            {
                "time": pa.array(at, pa.timestamp("us", tz="UTC")),
                "request_id": [f"request-{first + place:012}" for place in range(count)],
                "row": pa.array(np.zeros(count, dtype=np.int32)),
                "entity": [hashed({"id": f"C{first + place:09}"}, KEY) for place in range(count)],
                "score": pa.ListArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32)), pa.array(scores)),
                "decision": np.where(scores >= 0.4, "yes", "no"),
                "features": pa.StructArray.from_arrays([pa.array(contracts)], ["contract"]),
            }
        )
    )


def _labels(random: np.random.Generator, at: np.ndarray, left: np.ndarray) -> _Table:
    known = at + random.integers(0, 5 * 86_400_000_000, len(at))
    wrong = random.random(len(at)) < 0.05
    order = random.permutation(len(at) + int(wrong.sum()))
    places = np.concatenate([np.arange(len(at)), np.flatnonzero(wrong)])[order]
    first = np.concatenate([wrong, np.zeros(int(wrong.sum()), dtype=bool)])[order]
    said = left[places] ^ first
    told = known[places] + np.where(first, 0, 1_000_000)
    return _Table(
        pa.table(
            {
                "id": [f"C{place:09}" for place in places],
                "at": pa.array(at[places] + 3_600_000_000, pa.timestamp("us", tz="UTC")),
                "known": pa.array(told, pa.timestamp("us", tz="UTC")),
                "left": np.where(said, "yes", "no"),
                "revenue": random.gamma(2, 30, len(places)),
            }
        )
    )


def measure(folder: Path, rows: int) -> None:
    """Measure in this process, and print a line."""
    model = settings()
    version = Version.model_construct(model="leaving", version=1, model_digest=SERVED.digest)
    measured = performance.Measured(version, "production", model, None)
    tools = performance.Tools(
        LogFiles(sorted(folder.glob("log-*.parquet"))), DuckDBTables(folder), DuckDBLabelJoin(folder), KEY
    )
    end = BEGIN + datetime.timedelta(days=DAYS)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    found = performance.measure(measured, performance.LabelWindow(BEGIN, end, end), folder, tools)
    took = time.perf_counter() - began
    line = {
        "predictions": rows,
        "labels": found.labels.rows,
        "labelled": found.labels.labelled,
        "corrected": found.labels.corrected,
        "seconds": round(took, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "of_which_before_mb": before // 1024,
        "auc": next(round(score.value or 0, 4) for score in found.scores if score.metric == "auc"),
    }
    print(json.dumps(line), flush=True)


def main(rows: list[int]) -> None:
    """Measure each number of *rows* in a process of its own, so that one's memory is not another's."""
    for count in rows:
        with tempfile.TemporaryDirectory(prefix="argosy-bench-") as place:
            context = multiprocessing.get_context("spawn")
            for part in (write, measure):
                process = context.Process(target=part, args=(Path(place), count))
                process.start()
                process.join()
                if process.exitcode:
                    sys.exit(f"{part.__name__} ended with {process.exitcode}")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [1_000_000])
