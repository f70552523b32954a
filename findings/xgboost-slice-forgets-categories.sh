#!/usr/bin/env bash
# XGBoost 3.2.0: a slice of a model, `booster[:n]`, answers texts by the codes of the caller's frame, without a word.
#
# Guess: a slice is the same model with fewer trees, and since XGBoost keeps the names of categories with a model, it finds "c" by its name
# whatever code a frame gives it. Seen: the whole model does; a slice of all its rounds has lost the names, takes the codes as they come,
# and answers of "c", "b" what belongs to "b", "a". It does so too once it is saved and loaded. `booster[: booster.best_iteration + 1]` is
# what early stopping is followed by, and on frames with all levels in the order of training both agree, so a test with the training set
# shows nothing. `iteration_range` keeps the names.
#
# What Argosy does about it: it predicts with `iteration_range`, and what the booster sees are codes of its own encoder, which is part of
# the bundle.
#
# PYTHON=… findings/xgboost-slice-forgets-categories.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 pandas==2.3.3 xgboost-cpu==3.2.0
fi
cd "$scratch"
cat > try.py <<'P'
import numpy as np
import pandas as pd
import xgboost

print("xgboost", xgboost.__version__)
letters = np.random.default_rng(0).choice(list("abc"), 600)
labels = pd.Series(letters).map({"a": 0.0, "b": 5.0, "c": 9.0})


def matrix(texts, labels=None):
    return xgboost.DMatrix(pd.DataFrame({"x": pd.Categorical(texts)}), labels, enable_categorical=True)


model = xgboost.train({"nthread": 1, "learning_rate": 1}, matrix(letters, labels), 5)
part = model[:5]
part.save_model("part.ubj")
loaded = xgboost.Booster(model_file="part.ubj")


def answers(booster, texts, **options):
    return booster.predict(matrix(texts), **options).round(1).tolist()


for texts in (["a", "b", "c"], ["c", "b"]):
    print(texts, "whole:", answers(model, texts), "slice:", answers(part, texts), "slice, loaded:", answers(loaded, texts))
assert answers(model, ["a", "b", "c"]) == answers(part, ["a", "b", "c"])
whole = answers(model, ["c", "b"])
assert whole == answers(model, ["c", "b"], iteration_range=(0, 5))
assert answers(part, ["c", "b"]) == answers(loaded, ["c", "b"]) == answers(model, ["b", "a"]) != whole
P
"$python" -W ignore try.py
