"""The join of features at size: the step's own beside Feast's on Dask and beside a plain ASOF join in DuckDB, and the whole step.

    python tests/bench/features_at_size.py [--sizes 70430 704300 7043000] [--feast-up-to 70430] [--memory 1Gi] [--folder FOLDER]

Rows are the real customers of data/churn, repeated under ids of their own: each is an example and a row of its view. Every figure is
that of a process of its own, imports included: CPU seconds (wall seconds say little on a machine that does other things) and peak memory.
*growth* is the exponent of CPU seconds over rows from one size to the next. Feast's join on Dask holds everything in memory: sizes above
``--feast-up-to`` are not asked of it.
"""

import argparse
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

DATA = Path("data/churn/customers.csv")
CUSTOMERS = 7043
MODEL = Path("workflows/churn")
FEAST = """\
project: bench
provider: local
registry: registry.db
offline_store: {type: dask}
online_store: {type: sqlite, path: online.db}
entity_key_serialization_version: 3
"""


def _generate(rows: int, folder: Path) -> None:
    """A snapshot of *rows* customers, and their examples."""
    import duckdb

    with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(folder / "spill")}) as database:
        database.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        database.execute(
            "COPY (SELECT 'C' || lpad((copies.n * 7043 + c.n)::VARCHAR, 8, '0') AS customer_id, c.* EXCLUDE (customer_id, n), "  # noqa: S608
            "TIMESTAMPTZ '2019-10-01 00:00:00Z' AS event_timestamp "
            f"FROM (SELECT row_number() OVER () - 1 AS n, * FROM read_csv('{DATA}')) AS c, range({rows // CUSTOMERS}) AS copies(n) "
            f"ORDER BY 1) TO '{folder}/customers.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )
        database.execute(
            "COPY (SELECT customer_id, event_timestamp, row_number() OVER () - 1 AS argosy_row "  # noqa: S608
            f"FROM '{folder}/customers.parquet') TO '{folder}/examples.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )


def _ours(folder: Path) -> int:
    """The step's join."""
    from argosy import wiring
    from argosy.files import model_folder

    settings = model_folder.load_settings(MODEL / "model.yaml")
    features = wiring.features(MODEL / "features.py", settings, folder / "work")
    keys = ["customer_id", "event_timestamp"]
    batches = wiring.tables().join(folder / "examples.parquet", folder, keys, features.views())
    return sum(batch.num_rows for batch in batches)


def _raw(folder: Path) -> int:
    """The shortest ASOF join that somebody would write, with the memory that ours has."""
    import duckdb

    from argosy.adapters.duckdb_tables import bounded_database

    config = {"memory_limit": f"{bounded_database.most() >> 20}MiB", "temp_directory": str(folder / "spill")}
    with duckdb.connect(config=config) as database:
        database.execute("SET enable_progress_bar = false")
        query = (
            f"SELECT e.*, v.* EXCLUDE (customer_id, event_timestamp, churn, female) FROM '{folder}/examples.parquet' AS e "  # noqa: S608
            f"ASOF LEFT JOIN '{folder}/customers.parquet' AS v "
            "ON e.customer_id = v.customer_id AND e.event_timestamp >= v.event_timestamp ORDER BY e.argosy_row"
        )
        return sum(batch.num_rows for batch in database.sql(query).to_arrow_reader(65_536))


def _feast(folder: Path) -> int:
    """Feast's own join on Dask, its default."""
    import contextlib
    import runpy
    import warnings

    import pyarrow.parquet as pq
    from feast import FeatureStore

    warnings.simplefilter("ignore")
    (folder / "feature_store.yaml").write_text(FEAST, encoding="utf-8")
    defined = runpy.run_path(str(MODEL / "features.py"))
    asked = pq.read_table(folder / "examples.parquet", columns=["customer_id", "event_timestamp"]).to_pandas()
    with contextlib.chdir(folder):
        store = FeatureStore(repo_path=".")
        store.apply([defined["customer"], defined["profile"], defined["churn"]])
        found = store.get_historical_features(entity_df=asked, features=store.get_feature_service("churn"))
        return int(found.to_arrow().num_rows)


def _step(folder: Path) -> int:
    """Everything that build-features does: examples, sides, join, Parquet, and the online store."""
    from argosy import wiring
    from argosy.domain.data import FeatureSchema, SnapshotManifest, TableManifest, ValidationResult
    from argosy.files import model_folder
    from argosy.steps.build_features import run

    settings = model_folder.load_settings(MODEL / "model.yaml")
    table = TableManifest(source="customers", path="customers.parquet", digest="-", rows=0, bytes=0, columns={})
    manifest = SnapshotManifest(model="churn", tables=[table])
    manifest.write(folder / "manifest.json")
    ValidationResult(snapshot_digest=manifest.content_digest(), results=[]).write(folder / "validation.json")
    outputs = run.FeatureOutputs(folder / "features", folder / "online")
    run.run(
        settings=settings, snapshot=folder, validation=folder, tables=wiring.tables(),
        features=wiring.features(MODEL / "features.py", settings, folder / "repository"), outputs=outputs,
    )  # fmt: skip
    schema = FeatureSchema.read(outputs.features / "schema.json")
    return schema.rows_train + schema.rows_holdout


SIDES = {"argosy": _ours, "duckdb": _raw, "feast on dask": _feast, "whole step": _step}


def _child(side: str, folder: Path) -> None:
    rows = SIDES[side](folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{rows} {used.ru_utime + used.ru_stime:.2f} {used.ru_maxrss / 1024:.0f}")


def _measured(side: str, folder: Path, memory: str) -> tuple[int, float, float]:
    """Rows, CPU seconds and peak MiB of *side*, in a process of its own."""
    environment = {**os.environ, "ARGOSY_MEMORY_LIMIT": memory}
    command = [sys.executable, __file__, "--child", side, "--folder", str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{side} ended {done.returncode}\n{done.stderr[-2000:]}")
    rows, seconds, peak = done.stdout.split()
    return int(rows), float(seconds), float(peak)


def _lines(sizes: list[int], feast_up_to: int, memory: str, place: Path) -> Iterator[str]:
    before: dict[str, tuple[int, float]] = {}
    for rows in sizes:
        for side in SIDES:
            if side == "feast on dask" and rows > feast_up_to:
                continue
            with tempfile.TemporaryDirectory(dir=place, prefix="argosy-bench-") as folder:
                subprocess.run([sys.executable, __file__, "--generate", str(rows), "--folder", folder], check=True)
                started = time.monotonic()
                found, seconds, peak = _measured(side, Path(folder), memory)
            grown = ""
            if side in before and before[side][1]:
                grown = f", growth {math.log(seconds / before[side][1]) / math.log(rows / before[side][0]):.2f}"
            before[side] = rows, seconds
            wall = time.monotonic() - started
            yield f"{rows:>9,} rows  {side:<14} {seconds:8.1f} s of CPU ({wall:.0f} s), {peak:6,.0f} MiB{grown}"
            assert found == rows, f"{side} gave {found} rows"


def main() -> None:
    """Print a line for each size and side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[70_430, 704_300, 7_043_000])
    parser.add_argument("--feast-up-to", type=int, default=70_430)
    parser.add_argument("--memory", default="1Gi", help="what ours and DuckDB's are given")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--generate", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.generate:
        _generate(asked.generate, asked.folder)
    elif asked.child:
        _child(asked.child, asked.folder)
    else:
        for line in _lines(asked.sizes, asked.feast_up_to, asked.memory, asked.folder):
            print(line, flush=True)


if __name__ == "__main__":
    main()
