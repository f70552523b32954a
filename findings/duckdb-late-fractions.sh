#!/usr/bin/env bash
# DuckDB 2.0.1 rounds fractions to whole numbers, without a word, where a column's first rows or its first file held none.
#
# Guess: what does not fit the type that was told from the first rows ends the reading with an error, as a word among numbers does. Seen: a
# fraction fits, as a cast would have it. Of a CSV file and of a file of JSON lines whose first rows are whole numbers, 2.7 much further down
# is read as 3; of two Parquet files, the first with integers, the fractions of the second are rounded, while in the other order they are
# not. (`union_by_name = true` and `sample_size = -1` keep them.) So a rate that was 0 or 1 for a while loses its fractions, and which
# numbers a model learns depends on how files are called.
#
# What Argosy does about it: no type is guessed. CSV is read as text and typed by the contract, a fraction in a column of integers is refused,
# and partitions that disagree about a column's type are read as text.
#
# PYTHON=.venv/bin/python findings/duckdb-late-fractions.sh takes the libraries that are installed there; without it those named are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.1 pyarrow==25.0.1
fi
cd "$scratch"
cat > late.py <<'P'
import pathlib

import duckdb

whole = 300_000
pathlib.Path("late.csv").write_text("rate\n" + "1\n" * whole + "2.7\n")
pathlib.Path("late.jsonl").write_text('{"rate": 1}\n' * whole + '{"rate": 2.7}\n')
duckdb.sql("SELECT 1 AS rate").write_parquet("a.parquet")
duckdb.sql("SELECT 2.7::DOUBLE AS rate").write_parquet("b.parquet")
duckdb.sql("SELECT 1 AS rate").write_parquet("c.parquet")
print("duckdb", duckdb.__version__)
found = {}
for name, source in {
    "CSV, 2.7 is last": "'late.csv'",
    "CSV, all rows looked at": "read_csv('late.csv', sample_size = -1)",
    "JSON lines, 2.7 is last": "'late.jsonl'",
    "Parquet, integers first": "read_parquet(['a.parquet', 'b.parquet'])",
    "Parquet, fractions first": "read_parquet(['b.parquet', 'c.parquet'])",
    "Parquet, union_by_name": "read_parquet(['a.parquet', 'b.parquet'], union_by_name = true)",
}.items():
    largest, kind = duckdb.sql(f"SELECT max(rate), any_value(typeof(rate)) FROM {source}").fetchall()[0]
    found[name] = float(largest)
    print(f"{name:<26} the greatest is {largest} ({kind})")
assert [*found.values()] == [3.0, 2.7, 3.0, 3.0, 2.7, 2.7], found
P
"$python" late.py
