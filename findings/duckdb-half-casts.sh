#!/bin/sh
# Guess: DuckDB rounds a half one way, whatever type it comes from, as PostgreSQL's round() and casts of numeric do.
# Seen: a cast to an integer rounds the half of a DOUBLE to the even neighbour and that of a DECIMAL away from zero; round() of both goes away
# from zero. So a bin such as (x / width)::INTEGER falls otherwise for a column that was read as DECIMAL (a literal, a CSV by its sniffer, a
# database) than for the same column as DOUBLE (Parquet from pandas), and otherwise than round(x / width). Ends 1 where that is no longer so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'duckdb==2.0.1'
cd "$folder"
cat > halves.py <<'PYTHON'
import duckdb

query = """
select list(x order by x), list((x::double)::integer order by x), list((x::decimal(4, 1))::integer order by x),
       list(round(x::double)::integer order by x), list(round(x::decimal(4, 1))::integer order by x)
from (values (-2.5), (-0.5), (0.5), (1.5), (2.5), (3.5)) as halves(x)
"""
halves, of_double, of_decimal, rounded_double, rounded_decimal = duckdb.sql(query).fetchall()[0]
print("duckdb", duckdb.__version__)
for name, found in (
    ("value", [str(each) for each in halves]),
    ("DOUBLE::INTEGER", of_double),
    ("DECIMAL::INTEGER", of_decimal),
    ("round(DOUBLE)", rounded_double),
    ("round(DECIMAL)", rounded_decimal),
):
    print(f"{name:<17}", *(f"{each!s:>5}" for each in found))
away = [-3, -1, 1, 2, 3, 4]
even = [-2, 0, 0, 2, 2, 4]
raise SystemExit(0 if (of_double, of_decimal, rounded_double, rounded_decimal) == (even, away, away, away) else 1)
PYTHON
venv/bin/python halves.py
