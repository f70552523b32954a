#!/usr/bin/env bash
# deltalake 1.6.6 turns what is appended into the type that the table has, fractions to whole numbers and text to numbers, without a word.
#
# Guess: Delta enforces a table's schema on writing, so an append of fractions to a column of integers is refused, where
# values would be lost. Seen: 1.7 becomes 1, 2.5 becomes 2, -0.9 becomes 0, true becomes 1 and the text "3" becomes
# 3; only what no cast knows (the text "x") is refused. A producer whose column turns from whole numbers to fractions loses them from that
# day on, and no run fails.
#
# What Argosy does about it: tables are read as files or by SQL and typed by the contract; whoever appends to a Delta table before that has
# to compare the schemas himself.
#
# PYTHON=… findings/deltalake-append-casts.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check deltalake==1.6.6 pyarrow==25.0.1
fi
cd "$scratch"
cat > append.py <<'P'
import importlib.metadata

import pyarrow
from deltalake import DeltaTable, write_deltalake

print("deltalake", importlib.metadata.version("deltalake"))
found = {}
for value in (1.7, 2.5, -0.9, True, "3", "x"):
    place = f"table of {value}"
    write_deltalake(place, pyarrow.table({"x": pyarrow.array([7], pyarrow.int64())}))
    try:
        write_deltalake(place, pyarrow.table({"x": [value]}), mode="append")
        kept = DeltaTable(place).to_pyarrow_table()["x"].to_pylist()
        kept.remove(7)
        found[value] = kept[0]
    except Exception as error:  # whatever it is called: what matters is that it is refused
        found[value] = "refused"
        print(type(error).__name__, str(error)[:90])
    print(f"{value!r:>5} appended to a column of int64: {found[value]!r}")
assert found == {1.7: 1, 2.5: 2, -0.9: 0, True: 1, "3": 3, "x": "refused"}, found
P
"$python" append.py
