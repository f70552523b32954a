#!/usr/bin/env bash
# Great Expectations 1.24.1 with PySpark 4.1.4: naming a Spark source starts a Spark of its own, and the master that is asked for afterwards is ignored.
#
# Guess: context.data_sources.add_spark(…) names a source, and a session is looked for when a table is asked. Seen: where no session is active it starts
# one in the process, on local[*]; a builder that asks for a cluster afterwards gets that one, with a warning in the log that only some settings
# take effect. A step that was to run on a cluster runs beside it, and passes. With the session opened first, it is the one that is used.
#
# What Argosy does about it: the Spark that the step was given is opened before Great Expectations is told of a source.
#
# It needs Java 17.
#
# PYTHON=… findings/great-expectations-spark-first.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check great_expectations==1.24.1 pyspark==4.1.4
fi
cd "$scratch"
cat > try.py <<'P'
import importlib.metadata
import logging
import os

import great_expectations as gx
from pyspark.sql import SparkSession

logging.disable(logging.CRITICAL)
print("great_expectations", importlib.metadata.version("great_expectations"), "pyspark", importlib.metadata.version("pyspark"))
context = gx.get_context(mode="ephemeral")
first = os.environ.get("FIRST")
if first:
    SparkSession.builder.master("local[1]").getOrCreate()
assert bool(SparkSession.getActiveSession()) == bool(first)
context.data_sources.add_spark("rows", persist=False)
print("active behind add_spark:", SparkSession.getActiveSession().sparkContext.master)
asked = SparkSession.builder.master("local[1]").appName("mine").getOrCreate().sparkContext.master
print("asked for local[1], and got", asked)
assert asked == ("local[1]" if first else "local[*]")
P
for first in "" 1; do
    FIRST=$first "$python" -W ignore try.py 2> log || { cat log >&2; exit 1; }
done
