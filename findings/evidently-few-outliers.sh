#!/usr/bin/env bash
# Evidently 0.7.23: five outliers among two thousand values hide a shift of two standard deviations from the default and from four other
# distances.
#
# Guess: PSI, as credit scoring has it, counts in the reference's quantiles, so that some outliers are the outermost bin and no more. Seen:
# bins are of equal width from the smallest to the greatest value, so five values of 10,000 on both sides put all others into one bin, and
# PSI, Kullback-Leibler, Jensen-Shannon and Hellinger are 0.0 for a column that moved by two standard deviations; without the five they are
# 4.4, 2.3, 0.58 and 0.64. The default for more than 1,000 rows (Wasserstein by the reference's deviation) falls from 2.0 to 0.004. The test
# of Kolmogorov and Smirnov sees it. Amounts, counts and durations have such tails always.
#
# What Argosy does about it: cells are of about equal counts of the reference, so outliers are in the outermost; the verdict on the page is
# its own.
#
# PYTHON=… findings/evidently-few-outliers.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check evidently==0.7.23 numpy==2.4.6 pandas==2.3.3
fi
cd "$scratch"
cat > try.py <<'P'
import evidently
import numpy as np
import pandas as pd
from evidently import Dataset, Report
from evidently.metrics import ValueDrift

print("evidently", evidently.__version__)
chance = np.random.default_rng(0)
before, after, outliers = chance.normal(size=1995), chance.normal(2, 1, 1995), np.full(5, 1e4)


def drift(reference, current, **options):
    sides = [Dataset.from_pandas(pd.DataFrame({"x": values})) for values in (current, reference)]
    return float(Report([ValueDrift(column="x", **options)]).run(*sides).dict()["metrics"][0]["value"])


for method, least in ((None, 1.5), ("psi", 1.0), ("kl_div", 1.0), ("jensenshannon", 0.4), ("hellinger", 0.4)):
    options = {"method": method} if method else {}
    plain, tailed = drift(before, after, **options), drift(np.r_[before, outliers], np.r_[after, outliers], **options)
    print(f"{method or 'default'}: {plain:.3f}, with five outliers on both sides {tailed:.3f}; drift from 0.1 on")
    assert plain > least
    assert tailed < 0.01
assert drift(np.r_[before, outliers], np.r_[after, outliers], method="ks") < 1e-6
P
"$python" -W ignore try.py
