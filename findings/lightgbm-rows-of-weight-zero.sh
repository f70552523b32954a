#!/usr/bin/env bash
# LightGBM 4.7.0 and scikit-learn 1.9.1: rows of weight 0 change the trees; to XGBoost 3.2.0 they are not there.
#
# Guess: a row of weight 0 is none, so holding rows out by their weight (cold periods, an excluded group, folds) is the same as leaving them
# out, to the bit. Seen: so it is with XGBoost, which makes its bins by weight. LightGBM and scikit-learn's HistGradientBoosting make bins,
# and count the rows of a leaf, without weights: where the rows of weight 0 lie elsewhere, the rest share fewer bins, and answers differ by
# more than a whole unit of a label of about ±5. What was held out has been looked at.
#
# What Argosy does about it: rows that are not to be learnt from are left out of the matrix; no weights are set.
#
# PYTHON=… findings/lightgbm-rows-of-weight-zero.sh takes the libraries that are installed there; without it the versions below are installed.
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
import sklearn
import xgboost
from sklearn.ensemble import HistGradientBoostingRegressor

print("lightgbm", lightgbm.__version__, "scikit-learn", sklearn.__version__, "xgboost", xgboost.__version__)
chance = np.random.default_rng(0)
rows, others = chance.normal(size=(2000, 4)), chance.normal(100, 30, size=(20000, 4))
labels = rows[:, 0] + rows[:, 1] * rows[:, 2]
all_rows, all_labels = np.r_[rows, others], np.r_[labels, chance.normal(size=20000)]
weights = np.r_[np.ones(2000), np.zeros(20000)]


def by_xgboost(matrix, target, weight):
    return xgboost.train({"nthread": 1}, xgboost.DMatrix(matrix, target, weight=weight), 30).predict(xgboost.DMatrix(rows))


def by_lightgbm(matrix, target, weight):
    fixed = {"verbose": -1, "num_threads": 1, "seed": 1, "deterministic": True}
    return lightgbm.train(fixed, lightgbm.Dataset(matrix, target, weight=weight), 30).predict(rows)


def by_scikit_learn(matrix, target, weight):
    model = HistGradientBoostingRegressor(max_iter=30, early_stopping=False, random_state=0)
    return model.fit(matrix, target, sample_weight=weight).predict(rows)


for fit, alike in ((by_xgboost, True), (by_lightgbm, False), (by_scikit_learn, False)):
    left_out, weighted = fit(rows, labels, np.ones(2000)), fit(all_rows, all_labels, weights)
    apart = float(np.abs(left_out - weighted).max())
    print(f"{fit.__name__}: answers for the same rows are up to {apart:.3f} apart, labels from {labels.min():.1f} to {labels.max():.1f}")
    assert apart == 0 if alike else apart > 0.5
P
"$python" -W ignore try.py
