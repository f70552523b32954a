#!/usr/bin/env bash
# scikit-learn 1.9.1: the log loss of the same probabilities is another for float32 than for float64.
#
# Guess: a metric is of values. Seen: a probability of 0 or 1 is moved inwards by the machine epsilon of its type, so one answer that was sure
# and wrong costs 15.9 as float32 and 36.0 as float64 (6.9 as float16). XGBoost answers in float32, LightGBM and scikit-learn in float64:
# of two models with the same answers, that of the other library looks far worse, and one such answer moves a mean of 1,000 rows by 0.02.
#
# What Argosy does about it: its log loss takes every answer as float64 and has one limit of its own, for each trainer alike.
#
# PYTHON=… findings/scikit-learn-log-loss-by-dtype.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check scikit-learn==1.9.1
fi
cd "$scratch"
cat > try.py <<'P'
import numpy as np
import sklearn
from sklearn.metrics import log_loss

sure_and_wrong = np.array([0.0, 1.0])
found = {kind: float(log_loss([1, 0], sure_and_wrong.astype(kind))) for kind in ("float16", "float32", "float64")}
print("scikit-learn", sklearn.__version__, {kind: round(value, 2) for kind, value in found.items()})
assert found["float64"] > 35 > 20 > found["float32"] > 15 > 8 > found["float16"], found
P
"$python" -W ignore try.py
