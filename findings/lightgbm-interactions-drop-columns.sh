#!/usr/bin/env bash
# LightGBM 4.7.0: `interaction_constraints` takes every column that it does not name out of the model.
#
# Guess: the setting says which columns may meet in a tree, and the same list means the same to XGBoost, LightGBM and scikit-learn. Seen:
# with [[0, 1]] of three columns, XGBoost and scikit-learn use the third by itself; LightGBM never splits by it, without a word, so that the
# column that carries most of the label has importance 0. Who moves a constrained model from one to the other loses all columns that were
# free.
#
# What Argosy does about it: it sets no such constraint; a trainer of LightGBM has to list each free column as a group of its own.
#
# PYTHON=… findings/lightgbm-interactions-drop-columns.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check lightgbm==4.7.0 numpy==2.4.6 scikit-learn==1.9.1 xgboost-cpu==3.2.0
fi
cd "$scratch"
cat > try.py <<'P'
import lightgbm
import numpy as np
import xgboost
from sklearn.ensemble import HistGradientBoostingRegressor

print("lightgbm", lightgbm.__version__, "xgboost", xgboost.__version__)
rows = np.random.default_rng(0).normal(size=(2000, 3))
labels = rows[:, 0] * rows[:, 1] + 3 * rows[:, 2]
fixed = {"verbose": -1, "num_threads": 1}


def by_lightgbm(groups):
    model = lightgbm.train({**fixed, "interaction_constraints": groups}, lightgbm.Dataset(rows, labels), 100)
    return model.feature_importance(), model.predict(rows)


score, data = {}, xgboost.DMatrix(rows, labels)
splits, score["LightGBM"] = by_lightgbm([[0, 1]])
listed, score["LightGBM, [2] listed"] = by_lightgbm([[0, 1], [2]])
booster = xgboost.train({"interaction_constraints": "[[0, 1]]", "nthread": 1}, data, 100)
score["XGBoost"] = booster.predict(data)
score["scikit-learn"] = HistGradientBoostingRegressor(interaction_cst=[[0, 1]], max_iter=100).fit(rows, labels).predict(rows)
explained = {name: round(1 - float(np.var(labels - each) / np.var(labels)), 2) for name, each in score.items()}
print("splits by LightGBM:", splits.tolist(), "listed:", listed.tolist(), "by XGBoost:", booster.get_score())
print("share of the variance explained:", explained)
assert splits[2] == 0 < min(listed[2], booster.get_score()["f2"])
assert explained.pop("LightGBM") < 0.5
assert min(explained.values()) > 0.8
P
"$python" -W ignore try.py
