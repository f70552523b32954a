#!/usr/bin/env bash
# PyIceberg 0.12.0: "x not in (1, 3)" takes nulls, and "x != 1 and x != 3" does not.
#
# Guess: both are the same filter, and one with a null is neither true nor false in it, as in SQL. Seen: with "not in" the rows without a value
# come along; with "!=" they do not. A filter that a tool shortens from one to the other reads other rows.
#
# What Argosy does about it: tables are read as files or by SQL, and what is left out is said in SQL.
#
# PYTHON=… findings/pyiceberg-not-in-takes-nulls.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check 'pyiceberg[sql-sqlite,pyarrow]==0.12.0' pyarrow==26.0.1
fi
cd "$scratch"
cat > try.py <<'P'
import importlib.metadata
import pathlib

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

print("pyiceberg", importlib.metadata.version("pyiceberg"), "pyarrow", pa.__version__)
where = pathlib.Path("warehouse").resolve()
where.mkdir()
catalog = SqlCatalog("try", uri=f"sqlite:///{where}/catalog.db", warehouse=where.as_uri())
catalog.create_namespace("space")
rows = pa.table({"id": [1, 2, 3, 4], "x": [1, 2, 3, None], "y": ["a", "b", "c", None]})
table = catalog.create_table("space.t", rows.schema)
table.append(rows)
for condition, seen in {
    "x not in (1, 3)": [2, 4],
    "x != 1 and x != 3": [2],
    "y not in ('a', 'c')": [2, 4],
    "y != 'a' and y != 'c'": [2],
}.items():
    found = table.scan(row_filter=condition).to_arrow()["id"].to_pylist()
    print(f"{condition:<24} {found}")
    assert found == seen
P
"$python" -W ignore try.py
