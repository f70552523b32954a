#!/usr/bin/env bash
# scikit-learn 1.9.1: a random forest with n_jobs=2 gives the same row another probability, in its last bits, from call to call.
#
# Guess: a fitted model with a seed is a function, and n_jobs is about time only. Seen: threads add the probabilities of their trees to one
# array as they finish, so the order of the sum is the threads'; of 30 calls with the same rows hardly two agree in all bits, with n_jobs=1
# all do. Whoever compares served with logged answers, or decides by `>=` at a threshold that is a share of trees, meets it.
#
# What Argosy does about it: the suite for trainers asks that a row is answered with the same bits whatever it comes with, on one thread.
#
# PYTHON=… findings/scikit-learn-forest-bits.sh takes the libraries that are installed there; without it the versions below are installed.
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
from sklearn.ensemble import RandomForestClassifier

random = np.random.default_rng(0)
rows = random.normal(size=(2000, 7))
model = RandomForestClassifier(60, max_depth=6, random_state=0, n_jobs=1).fit(rows, rows[:, 0] + random.normal(size=2000) > 0)
found = {}
for jobs in (1, 2):
    model.set_params(n_jobs=jobs)
    found[jobs] = [model.predict_proba(rows) for _ in range(30)]
    apart = max(float(abs(each - found[jobs][0]).max()) for each in found[jobs])
    different = len({each.tobytes() for each in found[jobs]})
    print(f"scikit-learn {sklearn.__version__}, n_jobs={jobs}: {different} answers in 30 calls, {apart:.1e} apart")
assert len({each.tobytes() for each in found[1]}) == 1
assert len({each.tobytes() for each in found[2]}) > 1
P
"$python" -W ignore try.py
