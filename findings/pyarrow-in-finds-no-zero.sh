#!/usr/bin/env bash
# pyarrow 25.0.1: the filter "x in (0.0, 1.0)" finds no row of a Parquet file, or of a row group, in which x is 0.0 throughout.
#
# Guess: a filter finds the same rows in a file as in memory, and with "in" the same as with "==". Seen: pyarrow and Polars put the smallest
# value of a column of zeros down as -0.0, as the format asks of writers; "in" is then asked of that value alone, -0.0 is not in the set,
# and all rows of the group are left out, without an error, by pq.read_table, by a dataset and by pandas.read_parquet(filters=…). "==" finds
# them, Polars finds them, and a missing value among the zeros brings them back. Labels, flags and counts that are doubles have row groups
# of zeros wherever a file is sorted or the case is rare.
#
# What Argosy does about it: tables are read by DuckDB, with filters in SQL; nothing is read by pyarrow's filters.
#
# PYTHON=… findings/pyarrow-in-finds-no-zero.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check pandas==2.3.3 polars==2.1.0 pyarrow==25.0.1
fi
cd "$scratch"
cat > try.py <<'P'
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

print("pyarrow", pa.__version__)
asked = [0.0, 1.0]


def counts(values, size):
    table = pa.table({"x": pa.array(values, pa.float64())})
    pq.write_table(table, "x.parquet", row_group_size=size)
    return {
        "memory": table.filter(ds.field("x").isin(asked)).num_rows,
        "file": pq.read_table("x.parquet", filters=[("x", "in", asked)]).num_rows,
        "pandas": len(pd.read_parquet("x.parquet", filters=[("x", "in", asked)])),
        "file, ==": pq.read_table("x.parquet", filters=[[("x", "==", 0.0)], [("x", "==", 1.0)]]).num_rows,
        "Polars": pl.scan_parquet("x.parquet").filter(pl.col("x").is_in(asked)).collect().height,
    }


for what, values, size, right, seen in (
    ("zeros", [0.0] * 8, 8, 8, 0),
    ("sorted labels, four a group", [0.0] * 8 + [1.0] * 4, 4, 12, 4),
    ("zeros and a null", [0.0] * 7 + [None], 8, 7, 7),
    ("ones", [1.0] * 8, 8, 8, 8),
):
    found = counts(values, size)
    print(f"{what:<28} {found}")
    assert found == {"memory": right, "file": seen, "pandas": seen, "file, ==": right, "Polars": right}
P
"$python" -W ignore try.py
