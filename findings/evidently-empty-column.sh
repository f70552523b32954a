#!/usr/bin/env bash
# Evidently 0.7.23: one column without a value ends the whole drift report with an error.
#
# Guess: a column that is empty in the window or in the reference is shown as such, beside the others: that an upstream column stopped coming
# is what people open the report for. Seen: `Report([DataDriftPreset()]).run(...)` raises "An empty column … was provided for drift
# calculation", so there is no report at all. Importing it takes seconds and brings a web server (litestar) and nltk along.
#
# What Argosy does about it: columns that are empty on a side are left out of the page, Evidently is imported only where a page is drawn, and
# the verdict is never Evidently's: a missing value is a cell of its own there, so an empty column is drift.
set -euo pipefail
python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
"$python" -m venv v
v/bin/pip install --quiet --disable-pip-version-check evidently==0.7.23 pandas==2.3.3
DO_NOT_TRACK=1 v/bin/python -W ignore - <<'P'
import sys

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

definition = DataDefinition(numerical_columns=["kept", "gone"])
values = np.random.default_rng(7).normal(size=(2, 500))
before = pd.DataFrame({"kept": values[0], "gone": values[1]})
now = before.assign(gone=np.nan)
try:
    Report([DataDriftPreset()]).run(*(Dataset.from_pandas(side, definition) for side in (now, before)))
except ValueError as error:
    print(f"ValueError: {error}")
    sys.exit("empty column" not in str(error))
print("a report was made")
sys.exit(1)
P
echo "as it was found"
