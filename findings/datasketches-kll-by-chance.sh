#!/usr/bin/env bash
# Apache DataSketches 5.2.0 (Python): the same numbers give another KLL sketch each time, and no seed can be set.
#
# Guess: a sketch is a function of what it was given, as theta and HLL sketches are. Seen: KLL, quantiles and REQ sketches toss coins as they
# compact; four sketches of the same 100,000 numbers are four different byte strings whose medians differ by up to the promised error, and
# the Python constructor takes no seed. Whatever holds a digest of such a sketch, or caches by it, finds a change where there is none. The
# t-digest of the same package is the same each time.
#
# What Argosy does about it: drift and data diffs compare counts in fixed bins, which are the same each time.
#
# PYTHON=… findings/datasketches-kll-by-chance.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check datasketches==5.2.0 numpy==2.4.6
fi
cd "$scratch"
cat > try.py <<'P'
import importlib.metadata

import numpy as np
from datasketches import kll_doubles_sketch, quantiles_doubles_sketch, req_floats_sketch, tdigest_double

print("datasketches", importlib.metadata.version("datasketches"))
numbers = np.random.default_rng(1).normal(size=100_000)
kinds = {"KLL": kll_doubles_sketch, "quantiles": quantiles_doubles_sketch, "REQ": req_floats_sketch, "t-digest": tdigest_double}
for name, kind in kinds.items():
    written, medians = set(), set()
    for _ in range(6):
        sketch = kind()
        sketch.update(numbers.astype(np.float32) if kind is req_floats_sketch else numbers)
        written.add(bytes(sketch.serialize()))
        medians.add(sketch.get_quantile(0.5))
    print(f"{name:<10} {len(written)} different of 6, medians {min(medians):.4f} to {max(medians):.4f}")
    assert (len(written) == 1) == (name == "t-digest")
P
"$python" -W ignore try.py
