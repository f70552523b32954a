#!/usr/bin/env bash
# safetensors 0.8.0 writes a NumPy array as it lies in memory: a transposed matrix is read back with its numbers at other places.
#
# Guess: what is read back is equal to what was saved, or the save is refused; NumPy's own save() keeps arrays of any order. Seen: shape and
# type are right, and the numbers are those of the memory in its own order: a transposed matrix, one in Fortran's order and
# `frame.to_numpy()` of two columns are mixed up, and for every other column the neighbours are written. There is no error and no warning;
# weights or embeddings that were saved so are nonsense of the right shape.
#
# What Argosy does about it: its bundles hold XGBoost's form, Parquet and JSON; whoever keeps arrays so calls `np.ascontiguousarray` before.
#
# PYTHON=… findings/safetensors-order-of-memory.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 pandas==2.3.3 safetensors==0.8.0
fi
cd "$scratch"
cat > try.py <<'P'
import importlib.metadata

import numpy as np
import pandas as pd
from safetensors.numpy import load, save

print("safetensors", importlib.metadata.version("safetensors"))
rows = np.arange(6, dtype=np.float32).reshape(2, 3)
frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}).to_numpy()
for what, array in (
    ("as it is", rows),
    ("transposed", rows.T),
    ("Fortran's order", np.asfortranarray(rows)),
    ("every other column", rows[:, ::2]),
    ("a frame's", frame),
):
    back = load(save({"x": array}))["x"]
    mended = load(save({"x": np.ascontiguousarray(array)}))["x"]
    print(f"{what:<19} {array.tolist()} is read back as {back.tolist()}")
    assert back.shape == array.shape
    assert back.dtype == array.dtype
    assert np.array_equal(back, array) == (what == "as it is")
    assert np.array_equal(mended, array)
P
"$python" -W ignore try.py
