#!/usr/bin/env bash
# onnxmltools 1.16.0: two conversions of one XGBoost model to ONNX are two files.
#
# Guess: a conversion is a function of the model, so its digest names the model. Seen: the graph in the file gets a random name, unless it is
# given one (`name=`); with one, both files are equal byte for byte. skl2onnx 1.20.0 names graphs by the class. A registry or a cache that
# goes by digest sees a new model at each conversion, and a signature of one is none of the other.
#
# What Argosy does about it: its page on trainers says to name the graph; the suite for trainers compares two fits byte for byte.
#
# PYTHON=… findings/onnxmltools-name-by-chance.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check onnxmltools==1.16.0 onnxruntime==1.31.1 skl2onnx==1.20.0 xgboost-cpu==3.2.0
fi
cd "$scratch"
cat > try.py <<'P'
import hashlib
import importlib.metadata

import numpy as np
import xgboost
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

print("onnxmltools", importlib.metadata.version("onnxmltools"))
rows = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
model = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, rows[:, 0]), 5)


def digest(**options):
    made = convert_xgboost(model, initial_types=[("rows", FloatTensorType([None, 3]))], **options)
    print("graph", made.graph.name, found := hashlib.sha256(made.SerializeToString()).hexdigest()[:12])
    return found


assert digest() != digest()
assert digest(name="churn") == digest(name="churn")
P
"$python" -W ignore try.py
