"""What scoring a table costs, beside a loop over a data frame and beside a data frame asked at once.

    python tests/bench/scoring.py [--rows 10000000] [--workers 1] [--digits N]

``scored``: a Parquet file of so many rows of 20 features is scored by a model of 200 trees as `argosy score` does it: read, checked, asked,
written, logged. ``loop``: a data frame's rows, one ``inplace_predict`` each, as scripts do it; over fewer rows. ``frame``: the same data
frame, read whole and asked at once, answers written; nothing is checked or logged. Each in a process of its own, whose peak memory is told;
``scored`` at a tenth of the rows too, to see whether memory grows. With ``--digits`` numbers have so many behind the point, as those of
most tables do, and take a tenth of the room: a hundred million rows are 3 GB then, not 14.
"""

import argparse
import datetime
import functools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost

sys.path.insert(0, str(Path(__file__).parents[1]))
from argosy import wiring
from argosy.adapters.file_tables import FileTables
from argosy.domain import bundle
from argosy.domain.data import FeatureColumn
from argosy.domain.model_settings import EntitySplit
from argosy.ml.encoding import Encoder
from argosy.ports.prediction_log import ServedRelease
from argosy.scoring import job, parts
from argosy.scoring.job import ScoringJob, ScoringWorker
from argosy.settings import Settings
from kit import serving_kit

FEATURES = [FeatureColumn(name=f"x{place:02}", type="number", view="v") for place in range(16)] + [
    FeatureColumn(name=f"c{place}", type="category", levels=[f"level{n}" for n in range(12)], view="v")
    for place in range(4)
]
LOOPED = 20_000
GROUP = 125_000


def table(random: np.random.Generator, rows: int, digits: int | None = None) -> pa.Table:
    """So many rows, whose numbers have *digits* behind the point where that is said."""
    made: dict[str, Any] = {"customer_id": np.arange(rows)}
    for column in FEATURES:
        if column.type == "number":
            numbers = random.normal(size=rows)
            made[column.name] = pa.array(
                numbers if digits is None else numbers.round(digits), mask=random.random(rows) < 0.02
            )
        else:
            made[column.name] = pa.array(np.array(column.levels)[random.integers(0, 12, rows)])
    return pa.table(made)


def model(folder: Path) -> str:
    """A bundle with 200 trees; returns its digest."""
    sample = table(np.random.default_rng(1), 20_000)
    encoder = Encoder(FEATURES)
    matrix = encoder.table(sample)
    label = np.nan_to_num(matrix[:, 0]) + np.nan_to_num(matrix[:, 16]) / 6 > 1
    data = xgboost.DMatrix(matrix, label=label, feature_names=encoder.names, feature_types=encoder.types)
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 6, "nthread": 2}, data, num_boost_round=200)
    folder.mkdir()
    (folder / bundle.MODEL).write_bytes(bytes(booster.save_raw("ubj")))
    bundle.Signature(
        model="bench",
        task="binary",
        features=FEATURES,
        join_keys=["customer_id"],
        classes=["no", "yes"],
        split=EntitySplit(by="entity", holdout=0.2),
        xgboost=xgboost.__version__,
    ).write(folder / bundle.SIGNATURE)
    serving_kit.bins([]).write(folder / bundle.BINS)
    bundle.Golden(rows=[]).write(folder / bundle.GOLDEN)
    return bundle.digest(folder)


def scored(folder: Path, rows: int, workers: int) -> None:
    """As `argosy score` does it."""
    settings = Settings.from_environment({"ARGOSY_HOME": str(folder / "home")})
    served = ServedRelease("bench", "production", 1, bundle.digest(folder / "bundle"))
    tables, results = FileTables(folder / f"{rows}.parquet"), FileTables(folder / f"out-{rows}")
    began = datetime.datetime.now(datetime.UTC)
    log = functools.partial(wiring.batch_log, settings)
    work = ScoringJob(folder / "bundle", served, tables, results, began, features=False, hash_key=b"secret", log=log)
    found = parts.of(tables)
    if workers == 1:
        worker = ScoringWorker(work)
        for part in found:
            worker.score(part)
    else:
        list(job.run(work, found, workers=workers, told=lambda *_: None))


def loop(folder: Path, rows: int, _: int) -> None:
    """One call a row, over a data frame."""
    booster, frame = _frame(folder, rows)
    encoder = Encoder(FEATURES)
    looped = ({name: _plain(row[name]) for name in encoder.names} for row in frame.head(LOOPED).to_dict("records"))
    answers = [float(booster.inplace_predict(encoder.rows([row]))[0]) for row in looped]
    assert len(answers) == min(LOOPED, rows)


def frame(folder: Path, rows: int, _: int) -> None:
    """The whole data frame at once."""
    booster, data = _frame(folder, rows)
    answers = booster.inplace_predict(Encoder(FEATURES).frame(data))
    data[["customer_id"]].assign(prediction=answers).to_parquet(folder / "frame.parquet")


def _plain(value: Any) -> Any:
    return None if value is None or value != value else value  # noqa: PLR0124 - NaN


def _frame(folder: Path, rows: int) -> tuple[xgboost.Booster, Any]:
    import pandas as pd

    booster = xgboost.Booster(model_file=folder / "bundle" / bundle.MODEL)
    booster.set_param({"nthread": 1})
    return booster, pd.read_parquet(folder / f"{rows}.parquet")


SIDES: dict[str, Callable[[Path, int, int], None]] = {"scored": scored, "loop": loop, "frame": frame}


def measured(side: str, folder: Path, rows: int, workers: int) -> dict[str, float]:
    """Runs one side in a process of its own."""
    command = [
        sys.executable,
        __file__,
        "--side",
        side,
        "--folder",
        str(folder),
        "--rows",
        str(rows),
        "--workers",
        str(workers),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--digits", type=int)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        began, cpu = time.perf_counter(), time.process_time()
        SIDES[given.side](given.folder, given.rows, given.workers)
        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = time.process_time() - cpu + children.ru_utime + children.ru_stime
        peak = max(own.ru_maxrss, children.ru_maxrss) / 1024
        print(json.dumps({"wall": time.perf_counter() - began, "cpu": seconds, "mib": peak}))
        return
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as name:
        folder = Path(name)
        model(folder / "bundle")
        for rows in (given.rows // 10, given.rows):
            written = 0
            with pq.ParquetWriter(folder / f"{rows}.parquet", table(np.random.default_rng(2), 1).schema) as writer:
                while written < rows:
                    count = min(GROUP, rows - written)
                    writer.write_table(table(np.random.default_rng(written), count, given.digits))
                    written += count
        sides = [
            ("scored", given.rows // 10, 1),
            ("scored", given.rows, given.workers),
            ("loop", given.rows // 10, 1),
            ("frame", given.rows // 10, 1),
        ]
        for side, rows, workers in sides:
            found = measured(side, folder, rows, workers)
            answered = min(rows, LOOPED) if side == "loop" else rows
            rate = answered / found["cpu"]
            print(
                f"{side:7} {answered:>11,} rows  {workers} workers  wall {found['wall']:7.1f} s  cpu {found['cpu']:7.1f} s  "
                f"{rate:>9,.0f} rows/s a core  peak {found['mib']:6,.0f} MiB"
            )


if __name__ == "__main__":
    main()
