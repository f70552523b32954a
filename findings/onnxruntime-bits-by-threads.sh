#!/usr/bin/env bash
# ONNX Runtime 1.32.0: a tree ensemble's scores change with the number of threads, which is by default that of the cores.
#
# Guess: the same file, the same rows, the same build: the same bits. Seen: 200 trees are added up in another order with four threads than with one,
# and about a quarter of the scores differ in their last bits; a pod with another CPU count gives other answers, and a check of byte-equal scores
# between two of them fails. With the number set, batches and single rows agree to the bit.
#
# What Argosy does about it: XGBoost serves with one thread for each request, and parity is checked in the image that serves. Who brings a trainer of
# ONNX models has to set the number of threads.
#
# PYTHON=… findings/onnxruntime-bits-by-threads.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnxmltools==1.16.0 onnx==1.23.2 skl2onnx==1.20.0 xgboost==3.2.0 scikit-learn==1.9.1 numpy==2.4.6
fi
cd "$scratch"
cat > try.py <<'P'
import numpy as np
import onnxruntime
import xgboost
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

print("onnxruntime", onnxruntime.__version__, "xgboost", xgboost.__version__)
chance = np.random.default_rng(0)
rows = chance.normal(size=(5000, 8)).astype(np.float32)
model = xgboost.XGBClassifier(n_estimators=200, max_depth=6).fit(rows, rows[:, 0] + chance.normal(size=5000) > 0)
written = convert_xgboost(model, initial_types=[("x", FloatTensorType([None, 8]))]).SerializeToString()
scores = {}
for threads in (1, 4):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(written, options)
    scores[threads] = session.run(None, {"x": rows})[1][:, 1]
    assert (session.run(None, {"x": rows})[1][:, 1] == scores[threads]).all()
    assert (np.vstack([session.run(None, {"x": rows[i : i + 1]})[1] for i in range(200)])[:, 1] == scores[threads][:200]).all()
differ = (scores[1] != scores[4]).sum()
print(f"{differ} of 5,000 scores differ between 1 and 4 threads, by {abs(scores[1] - scores[4]).max():.1e} at most")
assert differ > 500
assert abs(scores[1] - scores[4]).max() < 1e-5
P
"$python" -W ignore try.py
