#!/usr/bin/env bash
# prometheus-client 0.24.1: one NaN that is observed makes a histogram's sum NaN for good, and is not counted in it.
#
# Guess: what is no number is refused, as a negative step of a counter is, or counted as an observation in no bucket but +Inf. Seen:
# `Histogram.observe(nan)` adds to the sum and to no bucket, not even +Inf, so the count says that nothing was observed, and every quotient
# of sum and count is NaN until the process ends; a Summary counts it; `Counter.inc(nan)` is taken too, and the counter is NaN from then on.
# An alert on the mean of predictions compares with NaN, which is never true: one bad answer switches it off, and nobody is told.
#
# What Argosy does about it: a model's answer that is no number is an error (status 500) before anything is observed of it.
#
# PYTHON=.venv/bin/python findings/prometheus-nan-observed.sh takes what is installed there; without it 0.24.1 is installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check prometheus-client==0.24.1
fi
cd "$scratch"
cat > observe.py <<'P'
import importlib.metadata
import math

from prometheus_client import CollectorRegistry, Counter, Histogram, Summary

print("prometheus-client", importlib.metadata.version("prometheus-client"))
registry = CollectorRegistry()
histogram = Histogram("score", "Scores.", registry=registry, buckets=[0.5, 1.0])
summary = Summary("value", "Values.", registry=registry)
counter = Counter("cost", "Costs.", registry=registry)
for number in (0.25, math.nan, 0.75):
    histogram.observe(number)
    summary.observe(number)
    counter.inc(number)
asked = [("score_bucket", {"le": "+Inf"}), ("score_count", {}), ("score_sum", {}), ("value_count", {}), ("value_sum", {}), ("cost_total", {})]
found = {name: registry.get_sample_value(name, labels) for name, labels in asked}
print("after 0.25, NaN and 0.75:", found)
assert [found["score_bucket"], found["score_count"], found["value_count"]] == [2.0, 2.0, 3.0]
assert all(math.isnan(found[name]) for name in ("score_sum", "value_sum", "cost_total"))
P
"$python" observe.py
