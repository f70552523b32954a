#!/usr/bin/env bash
# pandas 2.3.3: `isin` of whole numbers finds keys that are not there, where one of them is missing or the other side is unsigned.
#
# Guess: `isin` compares whole numbers as whole numbers, as merge() does, and Int64, which has its own missing value, is exact. Seen: where
# one key of the other side is missing, Int64 against Int64 too, and for uint64 against int64, both sides are compared as doubles: 2^53 + 1
# "is in" [2^53]. merge() of the same columns finds nothing. The keys of hashed customers (64 bits) and snowflake numbers are of that size,
# neighbours of which are taken for one another: rows are left out of a training set, or of a deletion's proof, for a key of somebody else.
#
# What Argosy does about it: keys are compared by DuckDB, as the type that the contract says.
#
# PYTHON=… findings/pandas-isin-rounds-keys.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 pandas==2.3.3
fi
cd "$scratch"
cat > try.py <<'P'
import pandas as pd

print("pandas", pd.__version__)
big = 2**53
for what, ours, theirs, seen in (
    ("int64 in int64", pd.Series([big + 1]), pd.Series([big]), False),
    ("Int64 in Int64", pd.Series([big + 1], dtype="Int64"), pd.Series([big], dtype="Int64"), False),
    ("Int64 in Int64 with a missing one", pd.Series([big + 1], dtype="Int64"), pd.Series([big, None], dtype="Int64"), True),
    ("uint64 in int64", pd.Series([big + 1], dtype="uint64"), pd.Series([big]), True),
):
    found, joined = ours.isin(theirs).item(), len(ours.to_frame("k").merge(theirs.to_frame("k")))
    print(f"{what}: isin {found}, rows of a merge {joined}")
    assert found == seen
    assert joined == 0
P
"$python" -W ignore try.py
