#!/usr/bin/env bash
# DuckDB 2.0.1: the sum of integers leaves it as a floating-point number.
#
# Guess: `sum` of a BIGINT column, written to Parquet or fetched as a data frame, is an integer. Seen: it is a HUGEINT, which Parquet and pandas
# do not know, so `COPY … TO 'file.parquet'` and `.df()` give a double, and beyond 2^53 another number than `fetchall()` does; to Arrow it is
# a decimal128(38, 0). It is so for every `sum`, of one row of INTEGER too, so a feature that counts (`sum(CASE WHEN … THEN 1 ELSE 0 END)`)
# breaks a check of types that `count(*)` passes, and a sum of identifiers or of small units of money is rounded without a word. A cast,
# `sum(x)::BIGINT`, keeps it, and is an error where it does not fit.
#
# What Argosy does about it: its own sums are cast, and the column of a contract has the type that the contract says, whatever was read.
#
# PYTHON=.venv/bin/python findings/duckdb-sum-leaves-integers.sh takes what is installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.1 pyarrow==25.0.1 pandas==2.3.3
fi
cd "$scratch"
cat > sums.py <<'P'
import duckdb
import pyarrow.parquet

print("duckdb", duckdb.__version__)
rows = duckdb.sql("SELECT sum(x) AS plain, sum(x)::BIGINT AS cast, count(*) AS n FROM (VALUES (9007199254740993::BIGINT)) AS v(x)")
rows.write_parquet("sums.parquet")
asked, kept = rows.fetchall()[0][0], pyarrow.parquet.read_table("sums.parquet")
types = {field.name: str(field.type) for field in kept.schema}
print("fetchall:", asked)
print("Parquet: ", types, kept["plain"][0].as_py())
print("pandas:  ", rows.df().dtypes.astype(str).to_dict(), int(rows.df()["plain"][0]))
print("Arrow:   ", rows.to_arrow_table().schema.field("plain").type)
assert asked == kept["cast"][0].as_py() == 9007199254740993
assert types == {"plain": "double", "cast": "int64", "n": "int64"}, types
assert int(kept["plain"][0].as_py()) == int(rows.df()["plain"][0]) == 9007199254740992
P
"$python" sums.py
