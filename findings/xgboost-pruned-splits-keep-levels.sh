#!/usr/bin/env bash
# The document of a pruned XGBoost 3.2.0 model lists sets of levels for nodes that are no splits any more.
#
# Guess: `categories_nodes` of a tree are its splits by category; a split that `updater: prune` takes back leaves that list, and its node is a
# leaf like any other. Seen: nodes that have become leaves stand in it with their sets, `split_type` 1 included; and nodes that were deleted,
# to which no way leads, with a `split_indices` of 2147483647, which is no feature. XGBoost itself asks neither. Whoever reads the document
# (a converter, another server, a page that draws trees) and goes by that list takes leaves for splits, and a feature out of range.
#
# What Argosy does about it: `argosy.ml.tree_layout` takes for splits by category what is a split and is reached from the root; a model is
# answered by native code only after that gave XGBoost's bits.
#
# PYTHON=.venv/bin/python findings/xgboost-pruned-splits-keep-levels.sh takes the XGBoost that is installed there; without it 3.2.0 is installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check xgboost-cpu==3.2.0 numpy==2.4.6 pandas==2.3.3
fi

cat > "$scratch/look.py" <<'P'
import json
import sys

import numpy as np
import xgboost

random = np.random.default_rng(5)
values = np.column_stack([random.integers(0, 12, 2_000), random.normal(size=2_000)]).astype(np.float32)
label = (values[:, 0] % 3 == 0) + 0.3 * random.normal(size=2_000) > 0.5
data = xgboost.DMatrix(values, label=label, feature_types=["c", "q"], enable_categorical=True)
grown = xgboost.train(
    {"objective": "binary:logistic", "max_depth": 6, "min_child_weight": 0, "nthread": 1, "seed": 1, "tree_method": "hist"}, data, 10
)
pruned = xgboost.train(
    {"process_type": "update", "updater": "prune", "gamma": 5.0, "nthread": 1, "objective": "binary:logistic", "verbosity": 0}, data, 10, xgb_model=grown
)


def listed(booster):
    """Nodes with a set of levels: splits, leaves, and those that name no feature."""
    splits = leaves = nowhere = 0
    for tree in json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]:
        for node in tree["categories_nodes"]:
            if tree["split_indices"][node] > 1:
                nowhere += 1
            elif tree["left_children"][node] == -1:
                leaves += 1
            else:
                splits += 1
    return splits, leaves, nowhere


before, after = listed(grown), listed(pruned)
print(f"xgboost {xgboost.__version__}: sets of levels of splits, of leaves, of nodes without a feature: {before} grown, {after} pruned")
sys.exit(not (before[1:] == (0, 0) and after[1] > 0 and after[2] > 0))
P
"$python" "$scratch/look.py"
