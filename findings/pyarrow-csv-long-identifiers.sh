#!/usr/bin/env bash
# pyarrow 25.0.1: two identifiers of twenty digits are one number when they are read from CSV.
#
# Guess: digits that fit no 64-bit integer are read as text, or refused. Seen: pyarrow's CSV reader takes them for doubles, so
# 12345678901234567890 and …891 are equal, without an error; one such row makes the whole column one of doubles, so shorter identifiers
# beyond 2^53 lose their last digits with it. pandas keeps them (uint64, beyond that text), DuckDB and Polars read integers of 128 bits.
# Card, parcel and snowflake numbers are of that length: a join or a count of distinct ones is wrong.
#
# What Argosy does about it: no type is guessed: CSV is read as text, and the contract says what an identifier is.
#
# PYTHON=… findings/pyarrow-csv-long-identifiers.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.1 pandas==2.3.3 polars==2.1.0 pyarrow==25.0.1
fi
cd "$scratch"
cat > try.py <<'P'
import pathlib

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv

print("pyarrow", pa.__version__, "duckdb", duckdb.__version__, "polars", pl.__version__, "pandas", pd.__version__)
for what, identifiers in {
    "twenty digits": [12345678901234567890, 12345678901234567891],
    "one long among sixteen digits": [9007199254740993, 9007199254740992, 12345678901234567890],
    "sixteen digits": [9007199254740993, 9007199254740992],
}.items():
    pathlib.Path("ids.csv").write_text("id\n" + "".join(f"{each}\n" for each in identifiers))
    column = pyarrow.csv.read_csv("ids.csv")["id"]
    distinct = {
        "pyarrow": len(column.unique()),
        "pandas": pd.read_csv("ids.csv")["id"].nunique(),
        "DuckDB": duckdb.sql("SELECT count(DISTINCT id) FROM 'ids.csv'").fetchall()[0][0],
        "Polars": pl.read_csv("ids.csv")["id"].n_unique(),
    }
    print(f"{what}: {len(identifiers)} identifiers, pyarrow reads {column.type}, distinct ones {distinct}")
    lost = what != "sixteen digits"
    assert column.type == (pa.float64() if lost else pa.int64())
    assert distinct.pop("pyarrow") == len(identifiers) - lost
    assert set(distinct.values()) == {len(identifiers)}
P
"$python" -W ignore try.py
