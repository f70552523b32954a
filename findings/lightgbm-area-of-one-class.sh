#!/usr/bin/env bash
# LightGBM 4.7.0: the AUC of a validation set without one positive label is 1, and so is its average precision.
#
# Guess: an area between two classes is undefined where there is one, as XGBoost and scikit-learn have it (NaN; average precision without a
# positive is NaN and 0). Seen: LightGBM says 1 for both, with labels that are all 0 as with all 1. The mean over folds rises with each fold
# that has no positive, early stopping sees the best value there is after one round and never a better one, and a search by AUC prefers
# whatever splits the data so.
#
# What Argosy does about it: an area is undefined where a class is missing, and what is undefined passes no gate; its example with LightGBM
# stops by the logarithmic loss.
#
# PYTHON=… findings/lightgbm-area-of-one-class.sh takes the libraries that are installed there; without it the versions below are installed.
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
import math
import warnings

import lightgbm
import numpy as np
import xgboost
from sklearn.metrics import average_precision_score, roc_auc_score

warnings.simplefilter("ignore")
print("lightgbm", lightgbm.__version__, "xgboost", xgboost.__version__)
rows = np.random.default_rng(0).normal(size=(500, 2))
labels = (rows[:, 0] + np.random.default_rng(1).normal(size=500) > 0).astype(int)
for only in (0, 1):
    held, seen, seen_by_xgboost = np.full(500, only), {}, {}
    settings = {"objective": "binary", "metric": ["auc", "average_precision"], "verbose": -1, "num_threads": 1}
    callbacks = [lightgbm.record_evaluation(seen), lightgbm.early_stopping(3, verbose=False)]
    fitted = lightgbm.Dataset(rows, labels)
    model = lightgbm.train(settings, fitted, 50, valid_sets=[lightgbm.Dataset(rows, held, reference=fitted)], callbacks=callbacks)
    xgboost.train(
        {"objective": "binary:logistic", "eval_metric": ["auc", "aucpr"], "nthread": 1, "verbosity": 0}, xgboost.DMatrix(rows, labels), 1,
        evals=[(xgboost.DMatrix(rows, held), "held")], evals_result=seen_by_xgboost, verbose_eval=False,
    )  # fmt: skip
    score = model.predict(rows)
    told = {
        "LightGBM": [float(seen["valid_0"][name][0]) for name in settings["metric"]],
        "XGBoost": [seen_by_xgboost["held"][name][0] for name in ("auc", "aucpr")],
        "scikit-learn": [float(roc_auc_score(held, score)), float(average_precision_score(held, score))],
    }
    print(f"all labels {only}: AUC and average precision {told}, LightGBM's best round {model.best_iteration}")
    assert told["LightGBM"] == [1, 1]
    assert all(map(math.isnan, told["XGBoost"]))
    assert math.isnan(told["scikit-learn"][0])
    assert round(told["scikit-learn"][1], 9) == only
    assert model.best_iteration == 1
P
"$python" -W ignore try.py
