#!/usr/bin/env bash
# SciPy 1.17.1: the p-value of a two-sample Kolmogorov-Smirnov test of a million rows takes a second, even when the statistic is known.
#
# Guess: `scipy.stats.kstwo.sf(d, n)`, which `ks_2samp(..., method="asymp")` ends with, is a formula, whatever n is. Seen: in the tail
# (n d² of 2.2 or more, a p-value below about 0.025) it is twice `scipy.special.smirnov(n, d)`, which sums about n terms: ten times the rows,
# ten times the time. A monitor that compares twenty columns of a large window spends all its time there; "asymp" does not say so.
# The limit with Vrbik's correction takes a few microseconds and is within 2 % at a p-value of 1e-8 from 2,500 rows on.
#
# What Argosy does about it: `argosy.ml.drift` asks SciPy up to 2,500 rows, and calculates the corrected limit beyond.
set -euo pipefail
python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
"$python" -m venv v
v/bin/pip install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
v/bin/python - <<'P'
import math
import sys
import time

from scipy import stats

seconds, worst = {}, 0.0
for size in (10_000, 100_000, 1_000_000):
    begin = time.perf_counter()
    exact = stats.kstwo.sf(3 / math.sqrt(size), size)
    seconds[size] = time.perf_counter() - begin
    limit = stats.kstwobign.sf(3 + 1 / (6 * math.sqrt(size)) + 2 / (4 * size))
    worst = max(worst, abs(limit / exact - 1))
    print(f"n {size:>9,}: kstwo.sf {exact:.6g} in {seconds[size] * 1000:.1f} ms, corrected limit {limit:.6g}")
sys.exit(not (seconds[1_000_000] > 20 * seconds[10_000] and worst < 0.02))
P
echo "as it was found"
