#!/usr/bin/env bash
# river 0.26.1: precision, recall and F1 are 0 for ever where labels are texts, whatever `pos_val` says.
#
# Guess: F1(pos_val="yes") counts "yes" as the positive answer, as its documentation has it ("value to treat as positive"). Seen: labels are
# compared with it as they come and are true or false from then on, and the counts are asked for "yes", of which there are none: Precision,
# Recall, F1, FBeta, Jaccard and MCC are 0 for labels of which two in three were found. With True or 1 they are right. There is no error,
# and 0 looks like a model that never finds anything.
#
# What Argosy does about it: the positive class is the contract's, and labels are 0 and 1 before anything is counted.
#
# PYTHON=… findings/river-positive-by-name.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check river==0.26.1
fi
cd "$scratch"
cat > try.py <<'P'
import importlib.metadata

from river import metrics

print("river", importlib.metadata.version("river"))
pairs = [("yes", "yes"), ("yes", "no"), ("no", "no"), ("no", "yes"), ("yes", "yes")]
for kind in (metrics.Precision, metrics.Recall, metrics.F1, metrics.Jaccard, metrics.MCC):
    named, flags = kind(pos_val="yes"), kind()
    for truth, answer in pairs:
        named.update(truth, answer)
        flags.update(truth == "yes", answer == "yes")
    print(f"{kind.__name__:<9} by name {named.get():.3f}, by flags {flags.get():.3f}")
    assert named.get() == 0
    assert flags.get() > 0.15
P
"$python" -W ignore try.py
