#!/usr/bin/env bash
# Hera 7.1.0: `import hera.workflows` changes what `yaml.safe_dump` writes, in the whole process.
#
# Guess: what Hera needs of its YAML is in Hera's own dumper, and yaml.safe_dump of a program that also imports Hera writes what it wrote
# before. Seen: Hera puts a representer of texts into PyYAML's own classes: texts of several lines become blocks, "y" and "n" are quoted.
# What is read back is the same, the bytes are not: a file that is written in a process with Hera and again in one without is a diff, and a
# digest of it is another.
#
# What Argosy does about it: what it keeps by its digest is JSON, Parquet or text of its own; manifests are written by Hera alone.
#
# PYTHON=… findings/hera-changes-safe-dump.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check hera==7.1.0 PyYAML==6.0.4
fi
cd "$scratch"
cat > try.py <<'P'
import hashlib
import importlib.metadata

import yaml

print("hera", importlib.metadata.version("hera"), "PyYAML", yaml.__version__)
body = {"note": "first line\nsecond line", "answer": "y", "plain": "text"}
before = yaml.safe_dump(body)
import hera.workflows  # noqa: E402, F401

after = yaml.safe_dump(body)
for what, text in (("before the import", before), ("after it", after)):
    print(what, hashlib.sha256(text.encode()).hexdigest()[:12], repr(text))
assert before != after
assert "answer: y" in before
assert "answer: 'y'" in after
assert "note: |-" in after
assert yaml.safe_load(before) == yaml.safe_load(after) == body
P
"$python" -W ignore try.py
