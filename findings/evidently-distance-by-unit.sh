#!/usr/bin/env bash
# Evidently 0.7.23: whether a column has drifted depends on the unit it is written in.
#
# Guess: the "Wasserstein distance (normed)", which is what a numeric column of more than a thousand rows is held against by default, is in
# standard deviations of the reference, so that metres and millimetres give one answer. Seen: it is divided by the standard deviation or by
# 0.001, whichever is greater. A column that moved by 0.8 standard deviations is at 0.84 and more (drift from 0.1 on) where that
# deviation is 1 or 0.001, at 0.08, no drift, where it is 0.0001, and at 0.0008 where it is a millionth: rates of rare events and seconds of
# fast calls never drift. With 500 rows, where a test of Kolmogorov and Smirnov is taken, all four columns do.
#
# What Argosy does about it: the verdict is its own, by a distance between shares of bins, which no unit changes, and the page is given it.
#
# PYTHON=.venv/bin/python findings/evidently-distance-by-unit.sh takes what is installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check evidently==0.7.23 pandas==2.3.3
fi
cd "$scratch"
cat > units.py <<'P'
import importlib.metadata

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

print("evidently", importlib.metadata.version("evidently"))
random = np.random.default_rng(7)
before = random.normal(size=2000)
now = random.normal(size=2000) + 0.8
units = {"in units": 1.0, "in thousands": 1e-3, "in tens of thousands": 1e-4, "in millions": 1e-6}
columns = DataDefinition(numerical_columns=list(units))
sides = [pd.DataFrame({name: side * unit for name, unit in units.items()}) for side in (now, before)]


def drift(rows):
    report = Report([DataDriftPreset()]).run(*(Dataset.from_pandas(side.head(rows), columns) for side in sides)).dict()
    return {each["config"]["column"]: (each["config"]["method"], float(each["value"])) for each in report["metrics"] if "column" in each["config"]}


long, short = drift(2000), drift(500)
for name in units:
    print(f"{name:<21} 2,000 rows: {long[name][0]} {long[name][1]:.4f}; 500 rows: {short[name][0]} {short[name][1]:.1e}")
assert abs(long["in thousands"][1] / long["in units"][1] - 1) < 0.1
assert long["in units"][1] > 0.1 > long["in tens of thousands"][1] > long["in millions"][1]
assert all(value < 0.05 for _, value in short.values())
P
DO_NOT_TRACK=1 "$python" -W ignore units.py
