#!/usr/bin/env bash
# LightGBM 4.7.0: the metric "mape" of labels below 1 is the mean absolute error, no share of the label.
#
# Guess: the mean absolute percentage error is |label - answer| / |label|, to three libraries alike. Seen: so it is to XGBoost and
# scikit-learn; LightGBM divides by the label or by 1, whichever is greater. For rates from 0.05 to 0.9 its figure is a quarter of theirs,
# the same labels times 100 have another (a percentage is of no unit), and the model that early stopping or a search takes by it is the one
# for absolute errors.
#
# What Argosy does about it: its metrics are its own, for every trainer alike.
#
# PYTHON=… findings/lightgbm-mape-below-one.sh takes the libraries that are installed there; without it the versions below are installed.
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
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error

print("lightgbm", lightgbm.__version__, "xgboost", xgboost.__version__)
rows = np.random.default_rng(0).normal(size=(2000, 2))
rates = np.random.default_rng(1).uniform(0.05, 0.9, 2000)
for unit in (1, 100):
    labels, seen, seen_by_xgboost = rates * unit, {}, {}
    data = lightgbm.Dataset(rows, labels)
    model = lightgbm.train(
        {"metric": "mape", "verbose": -1, "num_threads": 1}, data, 1, valid_sets=[data], callbacks=[lightgbm.record_evaluation(seen)]
    )
    matrix = xgboost.DMatrix(rows, labels)
    booster = xgboost.train(
        {"eval_metric": "mape", "nthread": 1}, matrix, 1, evals=[(matrix, "v")], evals_result=seen_by_xgboost, verbose_eval=False
    )
    answers = model.predict(rows)
    told, true = float(seen["training"]["mape"][0]), float(mean_absolute_percentage_error(labels, answers))
    absolute = float(mean_absolute_error(labels, answers))
    by_xgboost, true_of_xgboost = seen_by_xgboost["v"]["mape"][0], mean_absolute_percentage_error(labels, booster.predict(matrix))
    print(f"labels times {unit}: LightGBM {told:.3f}, scikit-learn {true:.3f}, absolute {absolute:.3f}; XGBoost {by_xgboost:.3f}")
    assert abs(by_xgboost - true_of_xgboost) < 1e-5
    assert abs(told - (absolute if unit == 1 else true)) < 1e-5
    assert unit == 100 or told < true / 3
P
"$python" -W ignore try.py
