#!/usr/bin/env bash
# DuckDB 2.0.1: `isnan(x)` is false for each NaN in a Parquet file that pyarrow or Polars wrote.
#
# Guess: `isnan(x)` says of a file what it says of the same table in memory, as it does in DuckDB 1.4.4. Seen: of a file that pyarrow 25.0.1 or
# Polars 2.1.0 wrote, `WHERE isnan(x)`, `WHERE x > 5` (NaN is greater than every number in DuckDB) and sum(isnan(x)::INTEGER) find none of
# three, where memory, and the file that DuckDB itself writes, give three. The least and the greatest value in a file's statistics leave NaN
# out, as Parquet asks of writers; DuckDB takes that for a promise and puts `false` in place of the question, through abs(x), x + 1 and
# trunc(x), too. A check "no NaN in this column" passes, and `CASE WHEN NOT isnan(x) THEN x END` leaves NaN in. `isfinite(x)` is not
# answered so, and right. A file from pandas has nulls in place of NaN, so it is data of Polars and NumPy that is met by this.
#
# What Argosy does about it: columns of fractions are asked by isfinite and isinf, so that NaN is a missing value whoever wrote the file.
#
# PYTHON=… findings/duckdb-nan-in-parquet.sh takes the libraries that are installed there; without it those named above are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.1 polars==2.1.0 pyarrow==25.0.1
fi
cd "$scratch"
cat > ask.py <<'P'
import duckdb
import polars
import pyarrow
import pyarrow.parquet

table = pyarrow.table({"x": pyarrow.array([1.0, 2.0, float("nan")] * 3)})
memory = duckdb.from_arrow(table)
memory.write_parquet("duckdb.parquet")
pyarrow.parquet.write_table(table, "pyarrow.parquet")
polars.from_arrow(table).write_parquet("polars.parquet")
print("duckdb", duckdb.__version__, "pyarrow", pyarrow.__version__, "polars", polars.__version__)
found = {}
for source in ("memory", "duckdb.parquet", "pyarrow.parquet", "polars.parquet"):
    rows = memory if source == "memory" else duckdb.read_parquet(source)
    asked = {f"WHERE {each}": rows.filter(each).count("*").fetchall()[0][0] for each in ("isnan(x)", "x > 5")}
    counts = ("sum(isnan(x)::INTEGER)", "sum((NOT isfinite(x))::INTEGER)")
    asked |= {each: int(rows.aggregate(each).fetchall()[0][0]) for each in counts}
    print(f"{source:<16}", *(f"{said}: {n}" for said, n in asked.items()), sep="  ")
    found[source] = [*asked.values()]
assert found["memory"] == found["duckdb.parquet"] == [3, 3, 3, 3], "memory, and DuckDB's own file"
assert found["pyarrow.parquet"] == found["polars.parquet"] == [0, 0, 0, 3], "files of others are read as they are in memory"
P
"$python" ask.py
