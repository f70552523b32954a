#!/usr/bin/env bash
# delta-rs 1.6.6: a delete of "x > 2" takes NaN, and a read with the same filter does not show it.
#
# Guess: who looks with a filter before a delete sees what will go. Seen: to delete() NaN is greater than every number, to the table's PyArrow
# dataset it compares with none, so the row that was not shown is deleted.
#
# What Argosy does about it: sources are read, never written; who deletes from a Delta table looks first by SQL, where NaN is the greatest, too.
#
# PYTHON=… findings/deltalake-delete-takes-nan.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check deltalake==1.6.6 pyarrow==26.0.1
fi
cd "$scratch"
cat > try.py <<'P'
import importlib.metadata
import math

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake

print("deltalake", importlib.metadata.version("deltalake"), "pyarrow", pa.__version__)
write_deltalake("table", pa.table({"id": [1, 2, 3, 4], "x": [1.0, math.nan, 3.0, None]}))
shown = DeltaTable("table").to_pyarrow_dataset().to_table(filter=pc.field("x") > 2)["id"].to_pylist()
DeltaTable("table").delete("x > 2")
left = sorted(DeltaTable("table").to_pyarrow_dataset().to_table()["id"].to_pylist())
print("shown by the filter:", shown, "left after its delete:", left)
assert shown == [3]
assert left == [1, 4]
P
"$python" -W ignore try.py
