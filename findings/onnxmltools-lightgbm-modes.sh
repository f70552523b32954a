#!/usr/bin/env bash
# onnxmltools 1.16.0 converts four kinds of LightGBM models to ONNX files that answer something else, without a word.
#
# Guess: a setting that the converter does not know is refused, as it refuses the objectives l1, mape and cross_entropy. Seen: a random
# forest (`boosting: rf`) answers the sum of its trees in place of their mean; trees with linear leaves answer their constants; with
# `reg_sqrt` the answer is the root that is to be squared; with `zero_as_missing` a 0 goes where any number does. Each file loads and
# answers numbers of a plausible kind; plain and dart models are right to the last places of a float32.
#
# What Argosy does about it: its page on trainers says to compare a conversion with the model that it was made of; the example with LightGBM
# keeps LightGBM's own text.
#
# PYTHON=… findings/onnxmltools-lightgbm-modes.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check lightgbm==4.7.0 numpy==2.4.6 onnxmltools==1.16.0 \
        onnxruntime==1.31.1 skl2onnx==1.20.0
fi
cd "$scratch"
cat > try.py <<'P'
import lightgbm
import numpy as np
import onnxmltools
import onnxruntime
from onnxmltools.convert.common.data_types import FloatTensorType

print("onnxmltools", onnxmltools.__version__, "lightgbm", lightgbm.__version__)
rows = np.random.default_rng(0).normal(size=(2000, 3)).astype(np.float32)
labels = rows[:, 0] * rows[:, 1] + rows[:, 2] + 5
rows[::3, 0] = 0
for settings, right in (
    ({}, True),
    ({"boosting": "dart"}, True),
    ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, False),
    ({"linear_tree": True}, False),
    ({"reg_sqrt": True}, False),
    ({"zero_as_missing": True}, False),
):
    fixed = {"verbose": -1, "num_threads": 1, "seed": 1, "deterministic": True}
    model = lightgbm.train({**fixed, **settings}, lightgbm.Dataset(rows, labels), 10)
    made = onnxmltools.convert_lightgbm(model, initial_types=[("rows", FloatTensorType([None, 3]))], name="model")
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    got, expected = session.run(None, {"rows": rows})[0].ravel(), model.predict(rows)
    apart = np.abs(got - expected).max()
    print(f"{settings or 'plain'}: {got[:3].round(3).tolist()} for {expected[:3].round(3).tolist()}, {apart:.6f} apart")
    assert apart < 1e-4 if right else apart > 0.3
    assert "rf" not in settings.values() or np.allclose(got, 10 * expected, rtol=1e-4)
    assert "reg_sqrt" not in settings or np.allclose(got**2, expected, rtol=1e-4)
P
"$python" -W ignore try.py
