#!/usr/bin/env bash
# river 0.26.1: ROCAUC says 0.50 of scores whose area is 0.65.
#
# Guess: an area from ten thresholds is a little coarse. Seen: the thresholds are spread evenly from 0 to 1, and where the outcome is rare and
# scores lie near 0 (fraud, churn, clicks) almost every score lies between two of them: the model looks like a coin. A hundred thresholds come near
# the true area; RollingROCAUC, which keeps the scores, hits it.
#
# What Argosy does about it: an area is computed from all scores and labels that have come, with its interval.
#
# PYTHON=… findings/river-area-of-ten-thresholds.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check river==0.26.1
fi
cd "$scratch"
cat > try.py <<'P'
import importlib.metadata

import numpy as np
from river import metrics

print("river", importlib.metadata.version("river"))
chance = np.random.default_rng(0)
labels = chance.integers(0, 2, 5000)
scores = np.clip(chance.beta(2, 60, 5000) + labels * 0.01, 0, 1)
ranks = scores.argsort().argsort() + 1
ones = labels.sum()
area = (ranks[labels == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(labels) - ones))
ten, hundred = metrics.ROCAUC(), metrics.ROCAUC(n_thresholds=100)
for label, score in zip(labels, scores):
    ten.update(bool(label), float(score))
    hundred.update(bool(label), float(score))
print(f"true area {area:.3f}, ten thresholds {ten.get():.3f}, a hundred {hundred.get():.3f}")
assert 0.645 < area < 0.66
assert ten.get() < 0.51
assert abs(hundred.get() - area) < 0.01
P
"$python" -W ignore try.py
