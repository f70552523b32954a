#!/usr/bin/env bash
# statsmodels 0.15.0: one p-value that is NaN takes the corrected p-values of all other tests away.
#
# Guess: a test that could not be made (a constant column, an empty group) is left out, or is an error. Seen: with the methods fdr_bh, fdr_by,
# hommel and simes-hochberg every corrected p-value is NaN, while the answer "reject" may be yes: fdr_bh still says so of 0.001, hommel of none. With holm and bonferroni the undefined test counts as one of the tests made. `corrected < 0.05` is false
# for all, so a monitor of twenty columns falls silent with the first that cannot be tested.
#
# What Argosy does about it: it corrects by Holm's method, with a function of its own.
#
# PYTHON=… findings/statsmodels-nan-p-value.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check statsmodels==0.15.0
fi
cd "$scratch"
cat > try.py <<'P'
import math

import statsmodels
from statsmodels.stats.multitest import multipletests

print("statsmodels", statsmodels.__version__)
found = {}
for method in ("fdr_bh", "fdr_by", "hommel", "simes-hochberg", "holm", "bonferroni"):
    reject, corrected = multipletests([0.001, math.nan, 0.04], method=method)[:2]
    found[method] = (reject.tolist(), [round(value, 4) for value in corrected.tolist()])
    print(f"{method:<15} reject {found[method][0]} corrected {found[method][1]}")
for method in ("fdr_bh", "fdr_by", "hommel", "simes-hochberg"):
    assert all(map(math.isnan, found[method][1])), method
assert found["fdr_bh"][0] == [True, False, False]
assert not any(found["hommel"][0])
assert found["holm"][1][0] == 0.003
P
"$python" -W ignore try.py
