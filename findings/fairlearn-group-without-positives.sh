#!/usr/bin/env bash
# fairlearn 0.15.0: a group without one positive label makes a model totally unfair to it.
#
# Guess: the true positive rate of a group that has nobody to find is undefined, and is left out or is NaN, as the ratio is where nobody at
# all is selected. Seen: the rate counts as 0, so equal_opportunity_difference is 1, the greatest there is, and equal_opportunity_ratio and
# equalized_odds_ratio are 0, for a model without a mistake, too. A gate at 0.8 refuses it for a group that only was small.
#
# What Argosy does about it: what is said of those who have the label is undefined where a group has none of them; small groups are left out.
#
# PYTHON=… findings/fairlearn-group-without-positives.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check fairlearn==0.15.0 scikit-learn==1.9.1 pandas==2.3.3
fi
cd "$scratch"
cat > try.py <<'P'
import importlib.metadata
import math

from fairlearn import metrics

print("fairlearn", importlib.metadata.version("fairlearn"))
labels, groups = [0, 1, 0, 1, 0, 0], list("aaaabb")
found = {}
for name in ("equal_opportunity_difference", "equal_opportunity_ratio", "equalized_odds_ratio", "demographic_parity_ratio"):
    measure = getattr(metrics, name)
    found[name] = [float(measure(labels, decided, sensitive_features=groups)) for decided in (labels, [0] * 6)]
    print(f"{name:<30} of a model without a mistake: {found[name][0]}; of one that selects nobody: {found[name][1]}")
assert found["equal_opportunity_difference"][0] == 1.0
assert found["equal_opportunity_ratio"][0] == 0.0
assert math.isnan(found["demographic_parity_ratio"][1])
P
"$python" -W ignore try.py
