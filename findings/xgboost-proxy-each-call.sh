#!/usr/bin/env bash
# XGBoost 3.2.0 spends three quarters of a small `inplace_predict` on things that have nothing to do with the rows.
#
# Guess: what costs is the model, so a prediction of one row takes a few microseconds and 300 trees more than 10. Seen: one row takes as long
# for 10 trees as for 100 rows. For each call the package makes a proxy of the matrix anew, whose context compiles regular expressions and
# reads the files of the cgroup (`strace -c` shows open, read and stat in every prediction), and both sides write and read JSON that is
# always the same. `XGBoosterPredictFromDense`, of the published C interface, takes a proxy that the caller made; one that is used again
# gives the same bits.
#
# What Argosy does about it: `argosy.ml.dense_calls` keeps one proxy for each call at a time, so that it may be shared by threads.
#
# PYTHON=.venv/bin/python findings/xgboost-proxy-each-call.sh takes the XGBoost that is installed there; without it 3.2.0 is installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check xgboost-cpu==3.2.0 numpy
fi

cat > "$scratch/compare.py" <<'P'
import ctypes
import json
import sys
import time

import numpy as np
import xgboost
from xgboost.libpath import find_lib_path

rows = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)
booster = xgboost.train({"nthread": 1, "max_depth": 3}, xgboost.DMatrix(rows, label=rows[:, 0]), num_boost_round=10)
booster.set_param({"nthread": 1})
library = ctypes.CDLL(find_lib_path()[0])
proxy = ctypes.c_void_p()
library.XGProxyDMatrixCreate(ctypes.byref(proxy))
names = ("type", "iteration_begin", "iteration_end", "cache_id")
settings = json.dumps(dict.fromkeys(names, 0) | {"training": False, "missing": float("nan"), "strict_shape": False}).encode()
shape, size, values = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64(), ctypes.POINTER(ctypes.c_float)()


def directly(matrix, kept):
    data = b'{"data":[%d,true],"shape":[%d,%d],"typestr":"<f4","version":3}' % (matrix.ctypes.data, *matrix.shape)
    answer = map(ctypes.byref, (shape, size, values))
    assert library.XGBoosterPredictFromDense(booster.handle, data, settings, kept, *answer) == 0
    return np.ctypeslib.as_array(values, (len(matrix),)).copy()


def cost(call):
    found = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(500):
            call()
        found.append(1e6 * (time.process_time() - began) / 500)
    return min(found)


print("XGBoost", xgboost.__version__)
for count in (1, 100):
    matrix = np.ascontiguousarray(rows[:count])
    assert directly(matrix, proxy).tobytes() == booster.inplace_predict(matrix).tobytes()
    usual, anew, kept = (
        cost(call)
        for call in (
            lambda: booster.inplace_predict(matrix, validate_features=False),
            lambda: directly(matrix, None),
            lambda: directly(matrix, proxy),
        )
    )
    print(f"{count:3} rows: inplace_predict {usual:.0f} µs of CPU, by C {anew:.0f}, by C with the proxy kept {kept:.0f}")
sys.exit(usual < 1.5 * kept)
P
"$python" "$scratch/compare.py" || { echo "no difference: this XGBoost makes little of a call"; exit 1; }
