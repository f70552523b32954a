#!/usr/bin/env bash
# onnxmltools 1.16.0: XGBoost models with four objectives answer margins for probabilities as ONNX, or one class for every row.
#
# Guess: the objective is part of the model, so a conversion answers what predict() does, or is refused. Seen: binary:logistic does.
# reg:logistic, which is the same model by another name, answers margins (3.96 for 0.970), and each of them too great by the base score,
# which was not turned into a margin; binary:hinge answers margins for its 0 and 1; binary:logitraw, whose answer is the margin, answers
# probabilities; and a ranker becomes a classifier that is sure of class 0 for every row, so that the order, which is all that a ranker
# knows, is all but gone.
#
# What Argosy does about it: XGBoost serves as XGBoost; its page on trainers says to compare a conversion with the model that it was made
# of.
#
# PYTHON=… findings/onnxmltools-xgboost-objectives.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 onnxmltools==1.16.0 onnxruntime==1.31.1 \
        skl2onnx==1.20.0 xgboost-cpu==3.2.0
fi
cd "$scratch"
cat > try.py <<'P'
import numpy as np
import onnxmltools
import onnxruntime
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

print("onnxmltools", onnxmltools.__version__, "xgboost", xgboost.__version__)
rows = np.random.default_rng(0).normal(size=(2000, 3)).astype(np.float32)
labels = (rows[:, 0] * rows[:, 1] + rows[:, 2] > 0).astype(int)
data = xgboost.DMatrix(rows, labels)


def both(objective):
    model = xgboost.train({"nthread": 1, "objective": objective}, data, 10)
    made = onnxmltools.convert_xgboost(model, initial_types=[("rows", FloatTensorType([None, 3]))], name="model")
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    got, expected = session.run(None, {"rows": rows})[-1], model.predict(data)
    print(f"{objective:<16} {expected[:3].round(3).tolist()} by XGBoost, {got[:3].round(3).tolist()} by ONNX")
    return got[:, -1], expected


got, expected = both("binary:logistic")
assert np.allclose(got, expected, atol=1e-5)
got, expected = both("reg:logistic")
too_much = got - np.log(expected / (1 - expected))
print("margins are", too_much.min(), "to", too_much.max(), "too great; the share of ones is", labels.mean())
assert got.max() > 2
assert np.allclose(too_much, labels.mean(), atol=0.02)
got, expected = both("binary:hinge")
assert set(expected) == {0, 1}
assert len(set(got)) > 100
got, expected = both("binary:logitraw")
assert 0 < got.min() < got.max() < 1 < expected.max()
got, expected = both("rank:pairwise")
assert len(set(expected)) > 20
print("rows of a ranker:", len(set(expected)), "scores by XGBoost,", len(set(got)), "by ONNX")
assert got.max() < 1e-6
assert len(set(got)) < len(set(expected)) / 4
P
"$python" -W ignore try.py
