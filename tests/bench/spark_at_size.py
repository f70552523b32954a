"""The join of features and what Great Expectations is asked, by one machine's DuckDB beside a Spark on the same machine.

    python tests/bench/spark_at_size.py [--sizes 70430 704300] [--memory 2Gi] [--master local[2]] [--folder FOLDER]

Rows are those of ``features_at_size.py``: the real customers of data/churn, repeated under ids of their own. Every figure is that of a
process of its own with all that it starts, imports and the JVM included: CPU seconds (wall seconds say little on a machine that does other
things), and the sum of the largest memory of Python and JVM. The joined rows of both are compared by their digest.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GENERATOR = Path(__file__).with_name("features_at_size.py")
MODEL = Path("workflows/churn")
SIDES = ("duckdb", "spark")


def _join(folder: Path, spark: Any) -> str:
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


def _expectations(folder: Path, spark: Any) -> str:
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


WORK = {"join": _join, "expectations": _expectations}


def _child(side: str, work: str, folder: Path) -> None:
    from argosy import wiring
    from argosy.domain.compute_settings import Compute

    started = time.monotonic()
    with wiring.spark(Compute(engine=side), "build-features") as spark:  # type: ignore[arg-type] - a side is an engine
        answer = WORK[work](folder, spark)
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
            subprocess.run([sys.executable, GENERATOR, "--generate", str(rows), "--folder", folder], check=True)
            for work in WORK:
                answers = set()
                for side in SIDES:
                    command = [sys.executable, __file__, "--child", side, "--work", work, "--folder", folder]
                    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
                    if done.returncode:
                        raise SystemExit(f"{side} ended {done.returncode}\n{done.stderr[-2000:]}")
                    seconds, peak, wall, answer = done.stdout.strip().splitlines()[-1].split(" ", 3)
                    answers.add(answer)
                    yield f"{rows:>9,} rows  {work:<13} {side:<7} {seconds:>7} s of CPU ({wall} s), {float(peak):6,.0f} MiB"
                assert len(answers) == 1, answers


def main() -> None:
    """Print a line for each size, work and side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[70_430, 704_300])
    parser.add_argument("--memory", default="2Gi", help="what either is given")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        _child(asked.child, asked.work, asked.folder)
    else:
        for line in _lines(asked):
            print(line, flush=True)


if __name__ == "__main__":
    main()
