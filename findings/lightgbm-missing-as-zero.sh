#!/usr/bin/env bash
# LightGBM 4.7.0 takes a missing value for 0 where the column had none missing in training.
#
# Guess: NaN goes one way of each split, whatever 0 would do, as where values were missing in training. Seen: a row whose value is NaN gets
# bit for bit the answer of a row with 0, which is the smallest of all where values are about 100, and the greatest where they are about
# -100. The first request with a gap is answered for somebody whose age, income or temperature is 0.
#
# What Argosy does about it: nulls where the contract allows none are counted by the server; the robustness gate measures rows with gaps.
#
# PYTHON=… findings/lightgbm-missing-as-zero.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check lightgbm==4.7.0 numpy==2.4.6
fi
cd "$scratch"
cat > try.py <<'P'
import lightgbm
import numpy as np

print("lightgbm", lightgbm.__version__)
for middle in (100.0, -100.0):
    rows = np.random.default_rng(0).normal(middle, 1, size=(2000, 1))
    labels = (rows[:, 0] > middle) * 10.0
    answers = []
    for training in (rows, np.vstack([rows, np.full((200, 1), np.nan)])):
        data = lightgbm.Dataset(training, np.r_[labels, np.full(len(training) - len(rows), 5.0)])
        model = lightgbm.train({"verbose": -1, "num_threads": 1, "seed": 1}, data, 50)
        answers.append(model.predict(np.array([[np.nan], [0.0]])).tolist())
    print(f"values about {middle:g}: NaN and 0 are answered {answers[0]}; where 200 rows had none (label 5): {answers[1]}")
    assert answers[0][0] == answers[0][1]
    assert abs(answers[1][0] - 5) < 0.5 < abs(answers[1][1] - 5)
P
"$python" -W ignore try.py
