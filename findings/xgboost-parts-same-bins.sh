#!/usr/bin/env bash
# XGBoost 3.2.0 makes the same bins of a matrix, and so the same model to the last bit, however many parts it is handed over in.
#
# Guess: bins come from a sketch that is pruned and merged, so a QuantileDMatrix that is fed by a DataIter in parts has other cuts than a
# DMatrix of the whole, and the size of a part is one more thing that a model's bytes depend on. Seen: with 300,000 distinct values a column and 256 bins the cuts are equal bit for bit, whether the rows come as one
# DMatrix, one QuantileDMatrix, or in parts of 65,536, 20,000 or 7,777 rows, and so are the models, with sampling of rows and columns too.
#
# What Argosy does about it: large training sides are handed over in parts and kept as bins, a byte a value in place of eight; small ones are
# not, as that is quicker, and nobody's digest depends on which.
#
# PYTHON=.venv/bin/python findings/xgboost-parts-same-bins.sh takes the XGBoost that is installed there; without it 3.2.0 is installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check xgboost-cpu==3.2.0 numpy
fi

cat > "$scratch/parts.py" <<'P'
import hashlib
import sys

import numpy as np
import xgboost

ROWS = 300_000
random = np.random.default_rng(7)
x = random.normal(size=(ROWS, 4)).astype(np.float32)
y = (x[:, 0] + random.normal(size=ROWS) > 0).astype(np.float32)


class Parts(xgboost.DataIter):
    def __init__(self, size):
        super().__init__()
        self.size, self.at = size, 0

    def reset(self):
        self.at = 0

    def next(self, input_data):
        rows = slice(self.at, self.at + self.size)
        self.at += self.size
        if rows.start < ROWS:
            input_data(data=x[rows], label=y[rows])
        return rows.start < ROWS


settings = {"objective": "binary:logistic", "tree_method": "hist", "max_bin": 256, "nthread": 1, "seed": 3}
settings |= {"subsample": 0.8, "colsample_bytree": 0.5}
quantile = {"nthread": 1, "max_bin": 256}
made = {
    "DMatrix": lambda: xgboost.DMatrix(x, y, nthread=1),
    "QuantileDMatrix": lambda: xgboost.QuantileDMatrix(x, y, **quantile),
} | {f"parts of {size:,}": lambda size=size: xgboost.QuantileDMatrix(Parts(size), **quantile) for size in (65_536, 20_000, 7_777)}
print("XGBoost", xgboost.__version__)
found = set()
for name, make in made.items():
    data = make()
    model = bytes(xgboost.train(settings, data, 10).save_raw("ubj"))
    told = [hashlib.sha256(each).hexdigest()[:12] for each in (data.get_quantile_cut()[1].tobytes(), model)]
    print(f"{name:<16} cuts {told[0]}, model {told[1]}")
    found.add(tuple(told))
sys.exit(len(found) != 1)
P
"$python" "$scratch/parts.py"
echo "as it was found"
