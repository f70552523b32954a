#!/usr/bin/env bash
# river 0.26.1: after one NaN, the drift detectors ADWIN and PageHinkley never tell a drift again.
#
# Guess: a value that is missing is refused, or passed over, or forgotten with the window. Seen: it goes into running sums and stays there;
# a stream whose mean moves by twice its width 2,900 values later is told within 50 values, and with one NaN among its first hundred never.
# There is no error, and KSWIN, which keeps values and no sums, tells it. A detector of a long-lived service is switched off by one row.
#
# What Argosy does about it: drift is told from counts in bins, where a missing value is a cell of its own.
#
# PYTHON=… findings/river-nan-silences-adwin.sh takes the libraries that are installed there; without it the versions below are installed.
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

from river import drift

print("river", importlib.metadata.version("river"))
found = {}
for name, make in {"ADWIN": drift.ADWIN, "PageHinkley": drift.PageHinkley, "KSWIN": lambda: drift.KSWIN(seed=1)}.items():
    for odd in (False, True):
        detector, told = make(), []
        for place in range(6000):
            detector.update(float("nan") if odd and place == 100 else (place >= 3000) + place % 7 / 10)
            if detector.drift_detected:
                told.append(place)
        found[name, odd] = told[:1]
        print(f"{name:<12} {'with one NaN' if odd else 'without NaN':<13} first drift told at {told[:1]}")
for name in ("ADWIN", "PageHinkley"):
    assert 3000 < found[name, False][0] < 3100
    assert found[name, True] == []
assert found["KSWIN", True]
P
"$python" -W ignore try.py
