#!/usr/bin/env bash
# XGBoost 3.2.0 looks at every node of every tree to predict one row.
#
# Guess: a row goes down each tree once, so one row costs trees times depth, and leaves that it never comes near cost it nothing. Seen: for
# a row that goes down two steps of each of 100 trees, a prediction takes two to four times as long where the trees have 1,200 nodes each,
# elsewhere, as where they have seven. The predictor measures the depth of every tree anew in each call (`perf record` of one row shows
# `WalkTreeMixIn::MaxDepth` first of XGBoost's functions), which visits all nodes. Whoever sizes a server that answers row by row has to
# count nodes: pruning (`gamma`, `min_child_weight`) buys latency also where no row's own way gets shorter.
#
# What Argosy does about it: it lays the trees of a model out once, when it loads it, and answers by native code of its own in the same bits
# (`argosy.ml.native_trees`). Where that is not compiled, requests that are there together share one call (`argosy.serving.hot_path`).
#
# PYTHON=.venv/bin/python findings/xgboost-row-pays-for-all-nodes.sh takes the XGBoost that is installed there; without it 3.2.0 is installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check xgboost-cpu==3.2.0 numpy==2.4.6 pandas==2.3.3
fi

cat > "$scratch/compare.py" <<'P'
import sys
import time

import numpy as np
import xgboost

random = np.random.default_rng(0)
values = random.uniform(size=(20_000, 3)).astype(np.float32)
# Half of the rows have one label, which needs one split; that of the others is chance, so that trees grow for them alone.
label = np.where(values[:, 0] < 0.5, 0.0, 10.0 + random.normal(size=len(values)))
row = values[values[:, 0] < 0.25][:1]


def measured(depth):
    """The nodes of all trees, the leaf of each that the row ends in, and the CPU time of its prediction, the quickest of many."""
    settings = {"nthread": 1, "max_depth": depth, "eta": 0.01, "min_child_weight": 0, "lambda": 0, "base_score": 0.0}
    booster = xgboost.train(settings, xgboost.DMatrix(values, label=label), num_boost_round=100)
    booster.set_param({"nthread": 1})
    leaves = booster.predict(xgboost.DMatrix(row), pred_leaf=True)[0].tolist()
    times = []
    for _ in range(300):
        began = time.thread_time()
        booster.inplace_predict(row)
        times.append(time.thread_time() - began)
    return len(booster.trees_to_dataframe()), leaves, 1e6 * min(times)


(few, short, first), (many, long, second) = measured(2), measured(12)
print(f"xgboost {xgboost.__version__}: the same way through {few} nodes {first:.0f} µs, through {many} nodes {second:.0f} µs")
sys.exit(not (short == long and second > 1.6 * first))
P
"$python" "$scratch/compare.py"
