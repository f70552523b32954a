#!/usr/bin/env bash
# PyIceberg 0.12.0: a delete leaves rows that a scan with the same filter found, and the scan after it does not find them either.
#
# Guess: table.delete(f) takes the rows that table.scan(f) shows, and a scan for f after it proves that they are gone. Seen: of [1, NaN, 3, null] a
# scan for "x != 1" shows NaN and 3; its delete takes 3 alone, with no error; and the scan for "x != 1" is empty then, though NaN is still in the
# table: smallest and greatest value of the new file are 1, so it is passed over. The same of "not (x > 2)".
#
# What Argosy does about it: `argosy forget` erases by key from files that it wrote itself, and its proof comes from reading them whole. Who
# erases from an Iceberg table has to read it whole, too, to know that a row is gone.
#
# PYTHON=… findings/pyiceberg-delete-leaves-nan.sh takes the libraries that are installed there; without it the versions below are installed.
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
import math
import pathlib

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

print("pyiceberg", importlib.metadata.version("pyiceberg"), "pyarrow", pa.__version__)
where = pathlib.Path("warehouse").resolve()
where.mkdir()
catalog = SqlCatalog("try", uri=f"sqlite:///{where}/catalog.db", warehouse=where.as_uri())
catalog.create_namespace("space")
rows = pa.table({"id": [1, 2, 3, 4], "x": [1.0, math.nan, 3.0, None]})
for place, (condition, shown) in enumerate({"x != 1": [2, 3], "not (x > 2)": [1, 2]}.items()):
    table = catalog.create_table(f"space.t{place}", rows.schema)
    table.append(rows)
    before = table.scan(row_filter=condition).to_arrow()["id"].to_pylist()
    table.delete(condition)
    after = table.scan(row_filter=condition).to_arrow()["id"].to_pylist()
    left = table.scan().to_arrow()["id"].to_pylist()
    print(f"{condition:<12} shows {before} before its delete and {after} after it; the table still holds {left}")
    assert before == shown
    assert after == []
    assert 2 in left
P
"$python" -W ignore try.py
