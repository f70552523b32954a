#!/usr/bin/env bash
# XGBoost 3.2.0 and 3.4.1 train different models from the same numbers, seed and settings, where a column has more distinct values than bins.
#
# Guess: without sampling, `tree_method=hist` on one thread is a pure function of the data, so that a raise of the library leaves a model's
# predictions where they were, up to rounding. Seen: the cuts between bins are others (`get_quantile_cut` begins at -inf, too, where it began
# below the smallest value), so trees split elsewhere; predictions of a target with a standard deviation of about 1 differ by 0.2, with 16
# bins by 0.6. With fewer values than bins, or with `exact`, they are equal to the last bit. A model file of 3.2.0 is read by 3.4.1 without
# a word and predicts the same bits; its contributions (`pred_contribs`) differ in the last places.
#
# What Argosy does about it: XGBoost is pinned to one minor version for training and serving, the bundle's signature names it, and another
# minor version is refused before the model is parsed.
#
# Needs Python 3.12 or newer, which 3.4.1 asks for: PYTHON=python3.12 (or any newer) findings/xgboost-quantile-cuts.sh
set -euo pipefail
for python in ${PYTHON:-} python3.12 python3.13 python3.14 python3; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then break; fi
    python=
done
[ -n "${python:-}" ] || { echo "skipped: no Python 3.12 or newer on PATH (set PYTHON)"; exit 2; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
for version in 3.2.0 3.4.1; do
    "$python" -m venv "v$version"
    "v$version/bin/pip" install --quiet --disable-pip-version-check "xgboost==$version" numpy==2.4.6 scipy==1.17.1
done

cat > train.py <<'P'
import sys
import numpy as np
import xgboost

rng = np.random.default_rng(7)
x = rng.normal(size=(600, 2))
y = x[:, 0] + 0.3 * rng.normal(size=600)
cases = {
    "continuous, hist, 256 bins": (x, {"tree_method": "hist"}),
    "continuous, hist, 16 bins": (x, {"tree_method": "hist", "max_bin": 16}),
    "continuous, hist, 1024 bins": (x, {"tree_method": "hist", "max_bin": 1024}),
    "continuous, exact": (x, {"tree_method": "exact"}),
    "a few values, hist, 256 bins": (np.round(x * 4) / 4, {"tree_method": "hist"}),
}
answers = {}
for name, (columns, settings) in cases.items():
    data = xgboost.DMatrix(columns, y, nthread=1)
    fixed = {"objective": "reg:squarederror", "nthread": 1, "seed": 3, "eta": 0.2, "max_depth": 4}
    booster = xgboost.train({**fixed, **settings}, data, 40)
    answers[name] = booster.predict(data)
    if name.endswith("256 bins") and name.startswith("continuous"):
        booster.save_model(f"{sys.argv[1]}.ubj")
        data_first = data
        print(xgboost.__version__, "first cuts:", data.get_quantile_cut()[1][:3])
old = xgboost.Booster(params={"nthread": 1}, model_file="old.ubj" if sys.argv[1] == "new" else f"{sys.argv[1]}.ubj")
answers["old model, predictions"] = old.predict(data_first)
answers["old model, contributions"] = old.predict(data_first, pred_contribs=True)
np.savez(f"{sys.argv[1]}.npz", **answers)
P
v3.2.0/bin/python train.py old
v3.4.1/bin/python train.py new
v3.2.0/bin/python - <<'P'
import sys
import numpy as np

old, new = np.load("old.npz"), np.load("new.npz")
differ = {name: float(np.abs(old[name] - new[name]).max()) for name in old.files}
for name, most in differ.items():
    print(f"{name:<30} most different by {most:.3g}")
expected = {
    "continuous, hist, 256 bins": lambda most: most > 0.05,
    "continuous, hist, 16 bins": lambda most: most > 0.05,
    "continuous, hist, 1024 bins": lambda most: most == 0,
    "continuous, exact": lambda most: most == 0,
    "a few values, hist, 256 bins": lambda most: most == 0,
    "old model, predictions": lambda most: most == 0,
    "old model, contributions": lambda most: 0 < most < 1e-5,
}
sys.exit(not all(holds(differ[name]) for name, holds in expected.items()))
P
echo "as it was found"
