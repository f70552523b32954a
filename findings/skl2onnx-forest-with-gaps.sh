#!/usr/bin/env bash
# skl2onnx 1.20.0: a forest of scikit-learn that was trained with missing values answers rows with gaps otherwise as ONNX.
#
# Guess: a tree that sends NaN the way it learnt does so in ONNX, whose trees have an attribute for just that, or the conversion is refused.
# Seen: it is converted without a word, every NaN goes one way, rows without a gap are answered alike, and those with one by whole units
# off; of trees and forests, for numbers as for classes. A comparison on complete rows, which is what people make after a conversion, shows
# nothing.
#
# What Argosy does about it: its page on trainers says to compare a conversion with the model that it was made of, on rows with gaps too.
#
# PYTHON=… findings/skl2onnx-forest-with-gaps.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 onnxruntime==1.31.1 scikit-learn==1.9.1 skl2onnx==1.20.0
fi
cd "$scratch"
cat > try.py <<'P'
import importlib.metadata

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

print("skl2onnx", importlib.metadata.version("skl2onnx"), "scikit-learn", importlib.metadata.version("scikit-learn"))
chance = np.random.default_rng(0)
rows = chance.normal(size=(2000, 3)).astype(np.float32)
labels = rows[:, 0] * rows[:, 1] + rows[:, 2]
gaps = chance.random(rows.shape) < 0.2
labels[gaps[:, 0]] += 3  # that a value is missing says something
rows[gaps] = np.nan
whole = ~np.isnan(rows).any(axis=1)
for model in (
    DecisionTreeRegressor(max_depth=5, random_state=0),
    RandomForestRegressor(20, max_depth=6, random_state=0),
    RandomForestClassifier(20, max_depth=6, random_state=0),
):
    sure = isinstance(model, RandomForestClassifier)
    model.fit(rows, labels > 1 if sure else labels)
    options = {"options": {"zipmap": False}} if sure else {}
    converted = to_onnx(model, rows[:1], **options).SerializeToString()
    session = onnxruntime.InferenceSession(converted, providers=["CPUExecutionProvider"])
    got = session.run(None, {"X": rows})[-1]
    expected = model.predict_proba(rows) if sure else model.predict(rows)[:, None]
    apart = np.abs(got - expected).max(axis=1)
    print(f"{type(model).__name__:<23} apart: {apart[whole].max():.6f} without gaps, {apart[~whole].max():.3f} with")
    assert apart[whole].max() < 1e-4
    assert apart[~whole].max() > 0.2
P
"$python" -W ignore try.py
