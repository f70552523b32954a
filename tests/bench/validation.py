"""Forty expectations of ten columns: the step's checker beside Great Expectations on pandas and beside one scan in DuckDB written by hand.

    python tests/bench/validation.py [--sizes 1000000 10000000] [--pandas-up-to 10000000] [--memory 2Gi] [--rounds 1] [--folder FOLDER]

Rows are made as ranges. Every figure is that of a process of its own, imports included: CPU seconds (wall seconds say little on a machine
that does other things) and peak memory. *growth* is the exponent of CPU seconds over rows from one size to the next. The counts of all
three are compared. Sizes above ``--pandas-up-to`` are not asked of Great Expectations, which holds everything in memory.
"""

import argparse
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NUMBERS = ("a", "b", "c", "d")
WHOLE = ("id", "n")
TEXTS = ("plan", "region")
COLUMNS = ("id", "n", *NUMBERS, *TEXTS, "flag", "day")
PLANS = ["basic", "full", "trial", "gone"]


def _generate(rows: int, file: Path) -> None:
    import duckdb

    numbers = ", ".join(
        f"CASE WHEN hash(i, '{name}') % 100 > 0 THEN (hash(i, '{name}') % 1000003) / 1000003.0 * 200 - 100 END AS {name}"
        for name in NUMBERS
    )
    with duckdb.connect(config={"memory_limit": "1GB", "threads": 1}) as database:
        database.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
        database.execute(
            f"COPY (SELECT i AS id, (hash(i) % 90)::BIGINT AS n, {numbers}, "  # noqa: S608
            "['basic', 'full', 'trial'][1 + (hash(i, 1) % 3)::INTEGER] AS plan, 'R' || lpad((hash(i, 2) % 50)::VARCHAR, 2, '0') AS region, "
            "hash(i, 3) % 2 = 0 AS flag, TIMESTAMPTZ '2024-01-01 00:00:00Z' + to_seconds(i) AS day "
            f"FROM range({rows}) AS t(i)) TO '{file}' (FORMAT parquet)"
        )


def _asked() -> Iterator[tuple[str, dict[str, Any]]]:
    for column in COLUMNS:
        yield "expect_column_values_to_not_be_null", {"column": column, "mostly": 0.98}
    for column in NUMBERS:
        yield "expect_column_values_to_be_between", {"column": column, "min_value": -99, "max_value": 99, "mostly": 0.9}
        yield "expect_column_mean_to_be_between", {"column": column, "min_value": -5, "max_value": 5}
        yield "expect_column_stdev_to_be_between", {"column": column, "min_value": 50, "max_value": 60}
        yield "expect_column_max_to_be_between", {"column": column, "max_value": 101}
    for column in WHOLE:
        yield "expect_column_min_to_be_between", {"column": column, "min_value": 0, "max_value": 5}
        yield "expect_column_values_to_be_between", {"column": column, "min_value": 3}
        yield "expect_column_sum_to_be_between", {"column": column, "min_value": 1}
    yield "expect_column_values_to_be_in_set", {"column": "plan", "value_set": PLANS}
    yield "expect_column_values_to_not_be_in_set", {"column": "plan", "value_set": ["gone"]}
    yield "expect_column_value_lengths_to_equal", {"column": "region", "value": 3}
    yield "expect_column_values_to_match_regex", {"column": "region", "regex": "^R[0-9]{2}$"}
    yield "expect_column_value_lengths_to_be_between", {"column": "plan", "min_value": 4, "max_value": 5}
    yield "expect_column_mean_to_be_between", {"column": "flag", "min_value": 0.4, "max_value": 0.6}
    yield "expect_column_values_to_be_unique", {"column": "id"}
    yield "expect_table_row_count_to_be_between", {"min_value": 1}


def _expectations() -> list[Any]:
    from argosy.domain.expectations import Expectation, Meta

    found = [Expectation(type=kind, kwargs=given, meta=Meta(critical=True, why="-")) for kind, given in _asked()]
    assert len(found) == 40, len(found)
    return found


def _ours(file: Path) -> list[int]:
    from argosy import wiring
    from argosy.domain.source_settings import Source
    from argosy.ports.tables import Derived

    columns = [{"name": name, "type": "string", "meaning": "-"} for name in COLUMNS]
    source = Source.model_validate(
        {"name": "rows", "file": "f.parquet", "entity": ["id"], "timestamp": "day", "columns": columns}
    )
    found = wiring.expectation_checker().check(Derived.of([file], source), _expectations(), contract=COLUMNS)
    assert all(each.compiled for each in found)
    return [each.unexpected_count for each in found]


def _pandas(file: Path) -> list[int]:
    import pyarrow.parquet as pq

    from argosy.adapters.gx_validation import GreatExpectations

    found = GreatExpectations().check("rows", pq.read_table(file), _expectations(), contract=COLUMNS)
    return [each.unexpected_count for each in found]


def _scan(file: Path) -> list[int]:
    """What somebody would write who knows what is asked, with the memory that ours has."""
    import duckdb

    from argosy.adapters.duckdb_tables import bounded_database

    parts = [f"count(*) - count({column})" for column in COLUMNS]
    for column in NUMBERS:
        parts += [f"count_if({column} < -99 OR {column} > 99)", f"avg({column})", f"stddev_samp({column})"]
        parts += [f"max({column})"]
    for column in WHOLE:
        parts += [f"min({column})", f"count_if({column} < 3)", f"sum({column})"]
    parts += [f"count_if(plan NOT IN {(*PLANS,)})", "count_if(plan = 'gone')", "count_if(length(region) <> 3)"]
    parts += ["count_if(NOT regexp_matches(region, '^R[0-9]{2}$'))", "count_if(length(plan) NOT BETWEEN 4 AND 5)"]
    parts += ["avg(flag::INTEGER)", "count(*) - count(DISTINCT id)", "count(*)"]
    assert len(parts) == 40, len(parts)
    with duckdb.connect(config={"memory_limit": f"{bounded_database.most() >> 20}MiB"}) as database:
        row = database.execute(f"SELECT {', '.join(parts)} FROM '{file}'").fetchone()  # noqa: S608
    assert row is not None
    counts = {"count_if", "count(*) - "}
    return [int(v) if any(part.startswith(c) for c in counts) else 0 for part, v in zip(parts, row, strict=True)]


SIDES = {"argosy": _ours, "one scan": _scan, "gx on pandas": _pandas}


def _child(side: str, file: Path) -> None:
    counts = SIDES[side](file)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{used.ru_utime + used.ru_stime:.2f} {used.ru_maxrss / 1024:.0f} {','.join(map(str, counts))}")


def _measured(side: str, file: Path, memory: str) -> tuple[float, float, str]:
    environment = {**os.environ, "ARGOSY_MEMORY_LIMIT": memory}
    command = [sys.executable, __file__, "--child", side, "--file", str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{side} ended {done.returncode}\n{done.stderr[-2000:]}")
    seconds, peak, counts = done.stdout.split()
    return float(seconds), float(peak), counts


def _lines(asked: argparse.Namespace) -> Iterator[str]:
    before: dict[str, tuple[int, float]] = {}
    for rows in asked.sizes:
        sides = [side for side in SIDES if side != "gx on pandas" or rows <= asked.pandas_up_to]
        with tempfile.TemporaryDirectory(dir=asked.folder, prefix="argosy-bench-") as folder:
            file = Path(folder) / "rows.parquet"
            subprocess.run([sys.executable, __file__, "--generate", str(rows), "--file", str(file)], check=True)
            rounds = [{side: _measured(side, file, asked.memory) for side in sides} for _ in range(asked.rounds)]
        assert len({counts for found in rounds for _, _, counts in found.values()}) == 1, "the counts differ"
        medians = {side: statistics.median(found[side][0] for found in rounds) for side in sides}
        for side in sides:
            peak = max(found[side][1] for found in rounds)
            grown = ""
            if side in before:
                grown = f", growth {math.log(medians[side] / before[side][1]) / math.log(rows / before[side][0]):.2f}"
            before[side] = rows, medians[side]
            times = f"{medians[side] / medians['argosy']:5.2f}x ours"
            yield f"{rows:>11,} rows  {side:<13} {medians[side]:7.2f} s of CPU, {times}, {peak:6,.0f} MiB{grown}"


def main() -> None:
    """Print a line for each size and side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--pandas-up-to", type=int, default=10_000_000)
    parser.add_argument("--memory", default="2Gi", help="what ours and DuckDB's are given")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--generate", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.generate:
        _generate(asked.generate, asked.file)
    elif asked.child:
        _child(asked.child, asked.file)
    else:
        for line in _lines(asked):
            print(line, flush=True)


if __name__ == "__main__":
    main()
