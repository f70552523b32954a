#!/usr/bin/env bash
# Evidently 0.7.23: a column of which nine values in ten went missing, or half became infinite, has not drifted.
#
# Guess: what is missing is a difference like another, or is told beside the distance. Seen: missing and infinite values are left out of
# both sides before anything is compared, so the drift of a column whose values come in one row of ten is that of those that come, none, for
# numbers and categories, tests and distances alike. Of 500 rows, half of them infinite, one report says both: the column has not drifted (p
# = 0.60), and one column has drifted. A join that lost its keys and a division by 0 upstream are common incidents, and the report is green.
# (A column with no value at all ends it with an error: evidently-empty-column.sh.)
#
# What Argosy does about it: a missing value is a cell of its own in its distance, so that gaps are drift; Evidently draws the page only.
#
# PYTHON=… findings/evidently-gaps-are-no-drift.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check evidently==0.7.23 numpy==2.4.6 pandas==2.3.3
fi
cd "$scratch"
cat > try.py <<'P'
import evidently
import numpy as np
import pandas as pd
from evidently import Dataset, Report
from evidently.presets import DataDriftPreset

print("evidently", evidently.__version__)
chance = np.random.default_rng(0)


def rows(size):
    return pd.DataFrame({"number": chance.normal(size=size), "kind": chance.choice(["a", "b"], size)})


for size in (500, 5000):
    reference, current = rows(size), rows(size)
    gaps, infinite = current.where(chance.random(current.shape) < 0.1), current.copy()
    infinite.loc[: size // 2, "number"] = np.inf
    for what, frame, counted in (("nine in ten missing", gaps, 0), ("half infinite", infinite, 1 if size == 500 else 0)):
        metrics = Report([DataDriftPreset()]).run(Dataset.from_pandas(frame), Dataset.from_pandas(reference)).dict()["metrics"]
        drifted, values = metrics[0]["value"]["count"], [float(each["value"]) for each in metrics[1:]]
        print(f"{size} rows, {what}: columns that drifted {drifted}, each {values} ({'p-values' if size == 500 else 'distances'})")
        assert drifted == counted
        assert min(values) > 0.05 if size == 500 else max(values) < 0.1
    assert gaps.isna().mean().min() > 0.85
P
"$python" -W ignore try.py
