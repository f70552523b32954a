"""What Spark calculates beside what the step does by itself, on one machine: joins, expectations, the fit of a model, scoring.

    python tests/bench/spark_at_size.py [--works join expectations train scoring] [--sizes 70430 704300] [--memory 2Gi]
        [--master local[2]] [--workers 2] [--folder FOLDER]

Rows of ``join`` and ``expectations`` are those of ``features_at_size.py``: the real customers of data/churn, repeated under ids of their
own. Those of ``train`` and ``scoring`` are drawn, 16 numbers and 4 categories, as in ``scoring.py``: ``train`` fits 100 trees of depth 6
on four fifths of them after three folds of 50 rounds, ``scoring`` asks 200 trees and logs. Every figure is that of a process of its own
with all that it starts, imports and the JVM included: CPU seconds (wall seconds say little on a machine that does other things), and the
sum of the largest memory of Python and JVM. Joined rows, findings, results and log of both sides are compared by their digest; of the two
models the log loss on the other fifth is printed.
"""

import argparse
import datetime
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import scoring

GENERATOR = Path(__file__).with_name("features_at_size.py")
MODEL = Path("workflows/churn")
SIDES = ("step", "spark")
BEGAN = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)


def _join(folder: Path, spark: Any, _: int) -> str:
    import pyarrow as pa

    from argosy import wiring
    from argosy.files import model_folder

    settings = model_folder.load_settings(MODEL / "model.yaml")
    place = Path(tempfile.mkdtemp(dir=folder))  # of this side alone
    features = wiring.features(MODEL / "features.py", settings, place / "work")
    digest = hashlib.sha256()
    keys = ["customer_id", "event_timestamp"]
    # In groups of one size: how they come is no part of the answer.
    held: list[pa.RecordBatch] = []
    for batch in wiring.tables(spark).join(folder / "examples.parquet", folder, keys, features.views()):
        held.append(batch.replace_schema_metadata(None))
        if sum(each.num_rows for each in held) > 200_000:
            held = _digested(held, digest, 100_000)
    _digested(held, digest, 1)
    return digest.hexdigest()[:16]


def _digested(held: list[Any], digest: Any, least: int) -> list[Any]:
    import pyarrow as pa

    table = pa.Table.from_batches(held).combine_chunks()
    while table.num_rows >= least:
        for row in table.slice(0, 100_000).to_pylist():
            digest.update(repr(sorted(row.items())).encode())
        table = table.slice(100_000)
    return table.to_batches()


def _expectations(folder: Path, spark: Any, _: int) -> str:
    """What is not compiled: z-scores of one column, which texts of another are JSON, whether two agree within a row."""
    import warnings

    from argosy import wiring
    from argosy.domain.expectations import Expectation, Meta
    from argosy.files import model_folder
    from argosy.ports.tables import Derived

    warnings.simplefilter("ignore")
    settings = model_folder.load_settings(MODEL / "model.yaml")
    asked = [
        (
            "expect_column_value_z_scores_to_be_less_than",
            {"column": "monthly_charges", "threshold": 3, "double_sided": True},
        ),
        ("expect_column_values_to_be_json_parseable", {"column": "payment_method"}),
        ("expect_select_column_values_to_be_unique_within_record", {"column_list": ["tenure", "partner"]}),
    ]
    expectations = [Expectation(type=kind, kwargs=given, meta=Meta(critical=True, why="-")) for kind, given in asked]
    source = settings.primary
    contract = [column.name for column in source.columns]
    found = wiring.expectation_checker(spark=spark).check(
        Derived.of([folder / "customers.parquet"], source), expectations, contract=contract
    )
    return str([(each.passed, each.unexpected_count, each.element_count) for each in found])


def _train(folder: Path, spark: Any, workers: int) -> str:
    """The step; its answer is the log loss of its model on the holdout."""
    from argosy import wiring
    from argosy.domain.compute_settings import Compute
    from argosy.domain.search import Choice
    from argosy.ml import frames, metrics
    from argosy.ml.predictor import Predictor
    from argosy.steps.train import run
    from kit.examples import Given, make_settings

    place = Path(tempfile.mkdtemp(dir=folder))
    given = Given(make_settings("binary", ["no", "yes"], "log_loss"), folder / "features")
    settings = given.changed(search__folds=3, search__max_boost_rounds=50, training__nthread=workers)
    settings = settings.model_copy(update={"compute": Compute(workers=workers)})
    point = {"max_depth": 6, "learning_rate": 0.1}
    choice = Choice(trial=0, score=0.5, metric="log_loss", parameters=point, boost_rounds=100)
    choice.write(place / "choice.json")
    digest = run.run(
        settings=settings,
        features=given.features,
        choice=place / "choice.json",
        out_bundle=place / "bundle",
        out_training=place / "training",
        elsewhere=wiring.fitting(spark, settings, given.features),
    )
    holdout = frames.read(given.features, "holdout")
    answers = Predictor.load(place / "bundle", digest).predict_matrix(holdout.matrix)
    return (
        f"log loss {metrics.score('binary', 'log_loss', holdout.labels, answers.astype('float32'), threshold=0.5):.7f}"
    )


def _scoring(folder: Path, spark: Any, workers: int) -> str:
    """A table of 20 features by 200 trees, logged; its answer is the digest of all that was written."""
    from argosy import wiring
    from argosy.adapters.file_tables import FileTables
    from argosy.domain import bundle
    from argosy.ports.prediction_log import ServedRelease
    from argosy.scoring import job, parts, sent_work
    from argosy.scoring.job import ScoringJob
    from kit.scoring_kit import proof_of

    place = Path(tempfile.mkdtemp(dir=folder))
    shutil.copytree(folder / "model", place / "bundle")
    served = ServedRelease("bench", "production", 1, bundle.digest(place / "bundle"))
    log = functools.partial(wiring.batch_log_at, f"file://{place / 'log'}")
    tables, results = FileTables(folder / "features" / "rows.parquet"), FileTables(place / "out")
    work = ScoringJob(place / "bundle", served, tables, results, BEGAN, features=False, hash_key=b"secret", log=log)
    found, pool, proof = parts.of(tables), wiring.executors(spark), proof_of(work)
    if pool is None:
        list(job.run(work, found, workers=workers, told=lambda *_: None))
    else:
        list(sent_work.run(work, found, proof, pool, lambda *_: None))
    digest = hashlib.sha256()
    for file in sorted(path for name in ("out", "log") for path in (place / name).rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(place)}".encode() + file.read_bytes())
    shutil.rmtree(place)
    return digest.hexdigest()[:16]


def _draw(rows: int, folder: Path) -> None:
    """The features and the model of ``train`` and ``scoring``."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from argosy.domain.data import FeatureSchema

    random = np.random.default_rng(7)
    (folder / "features").mkdir()
    writer, counts = None, {"train": 0, "holdout": 0}
    for first in range(0, rows, scoring.GROUP):
        table = scoring.table(random, count := min(scoring.GROUP, rows - first))
        told = table.column("x00").fill_null(0).to_numpy() + np.sin(3 * table.column("x01").fill_null(0).to_numpy())
        side = np.where(random.random(count) < 0.2, "holdout", "train")
        columns = {
            "customer_id": pa.array(np.arange(first, first + count)),
            "event_timestamp": pa.array(
                np.full(count, np.datetime64("2026-01-01", "us")), pa.timestamp("us", tz="UTC")
            ),
            "label": pa.array((told + random.normal(size=count) > 0.5).astype(np.int64)),
            "side": pa.array(side),
        }
        for name, values in columns.items():
            place = table.schema.get_field_index(name)
            table = table.append_column(name, values) if place < 0 else table.set_column(place, name, values)
        writer = writer or pq.ParquetWriter(folder / "features" / "rows.parquet", table.schema, compression="zstd")
        writer.write_table(table)
        for name in counts:
            counts[name] += int((side == name).sum())
    assert writer is not None
    writer.close()
    FeatureSchema(
        features=scoring.FEATURES,
        context=[],
        join_keys=["customer_id"],
        rows_train=counts["train"],
        rows_holdout=counts["holdout"],
        online_digest="sha256:0",
    ).write(folder / "features" / "schema.json")
    scoring.model(folder / "model")


WORK = {"join": _join, "expectations": _expectations, "train": _train, "scoring": _scoring}
DRAWN = {"train", "scoring"}


def _child(side: str, work: str, folder: Path, workers: int) -> None:
    from argosy import wiring
    from argosy.domain.compute_settings import Compute

    started = time.monotonic()
    compute = Compute(engine="spark" if side == "spark" else "duckdb")
    with wiring.spark(compute, "build-features") as spark:
        answer = WORK[work](folder, spark, workers)
        seconds, peak = _of_all()
    print(f"{seconds:.1f} {peak:.0f} {time.monotonic() - started:.0f} {answer}")


def _of_all() -> tuple[float, float]:
    """CPU seconds and peak MiB of this process and of those that it started, which have not ended."""
    seconds = peak = 0.0
    for process in [os.getpid(), *_below(os.getpid())]:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        seconds += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
        peak += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    return seconds, peak


def _below(process: int) -> Iterator[int]:
    for tasks in Path(f"/proc/{process}/task").iterdir():
        for child in (tasks / "children").read_text(encoding="utf-8").split():
            yield int(child)
            yield from _below(int(child))


def _lines(asked: argparse.Namespace) -> Iterator[str]:
    environment = {**os.environ, "ARGOSY_MEMORY_LIMIT": asked.memory, "ARGOSY_SPARK_MASTER": asked.master}
    for rows in asked.sizes:
        with tempfile.TemporaryDirectory(dir=asked.folder, prefix="argosy-bench-") as folder:
            if not DRAWN.issuperset(asked.works):
                subprocess.run([sys.executable, GENERATOR, "--generate", str(rows), "--folder", folder], check=True)
            if DRAWN.intersection(asked.works):
                _draw(rows, Path(folder))
            for work in asked.works:
                answers = []
                for side in SIDES:
                    command = [sys.executable, __file__, "--child", side, "--work", work, "--folder", folder]
                    command += ["--workers", str(asked.workers)]
                    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
                    if done.returncode:
                        raise SystemExit(f"{side} ended {done.returncode}\n{done.stderr[-2000:]}")
                    seconds, peak, wall, answer = done.stdout.strip().splitlines()[-1].split(" ", 3)
                    answers.append(answer)
                    told = f", {answer}" if work == "train" else ""
                    yield f"{rows:>9,} rows  {work:<13} {side:<7} {seconds:>7} s of CPU ({wall} s), {float(peak):6,.0f} MiB{told}"
                assert work == "train" or len(set(answers)) == 1, answers


def main() -> None:
    """Print a line for each size, work and side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[70_430, 704_300])
    parser.add_argument("--memory", default="2Gi", help="what either is given")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--works", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument(
        "--workers", type=int, default=2, help="of the fit by Spark, and of whatever the step does by itself"
    )
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        _child(asked.child, asked.work, asked.folder, asked.workers)
    else:
        for line in _lines(asked):
            print(line, flush=True)


if __name__ == "__main__":
    main()
