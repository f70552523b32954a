#!/usr/bin/env bash
# Hera 7.1.0: a misspelt field of a manifest is dropped in reading, without a word.
#
# Guess: Workflow.from_dict and from_yaml refuse what is no field of Argo's, as the constructors of the same classes do. Seen: the constructor of
# Container refuses retry_strateg, but a manifest with retryStrateg and activeDeadlinSeconds is read, and written again without either: its steps are
# neither retried nor ended. A manifest that passes through Hera loses also what a newer Argo has and this Hera does not know.
#
# What Argosy does about it: Hera only writes; a manifest is read as it is, and an unknown field is an error that names the nearest one.
#
# PYTHON=… findings/hera-drops-misspelt-fields.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check 'hera[yaml]==7.1.0'
fi
cd "$scratch"
cat > try.py <<'P'
import importlib.metadata

from hera.workflows import Container, Workflow

print("hera", importlib.metadata.version("hera"))
manifest = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"name": "x"},
    "spec": {
        "entrypoint": "a",
        "activeDeadlinSeconds": 60,
        "templates": [{"name": "a", "container": {"image": "busybox"}, "retryStrateg": {"limit": "2"}}],
    },
}
text = Workflow.from_dict(manifest).to_yaml()
print(text)
assert "retryStrateg" not in text and "activeDeadlin" not in text
assert "retryStrateg" not in Workflow.from_yaml(text).to_yaml()
try:
    Container(name="a", image="busybox", retry_strateg=1)
except TypeError as error:
    print(error)
else:
    raise AssertionError("the constructor took an unknown word")
P
"$python" -W ignore try.py
