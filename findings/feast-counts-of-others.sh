#!/bin/sh
# Guess: `import feast`, by a program that serves nothing with Feast, changes nothing for the metrics of that program and of its children.
# Seen: it sets PROMETHEUS_MULTIPROC_DIR, by which Prometheus' Python client keeps values in files by process and metric name. Two registries
# of one process then share a counter: the second begins with what the first has counted. A child inherits it, and where its parent ends
# first, the folder is gone and no metric can be made. Ends 1 where that is no longer so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'feast==0.67.0' 'prometheus-client==0.24.1' 'pandas==2.3.3'
cd "$folder"
cat > counts.py <<'PYTHON'
from prometheus_client import CollectorRegistry, Counter
def counted(times):
    registry = CollectorRegistry()
    counter = Counter("answers", "Answers.", registry=registry)
    for _ in range(times):
        counter.inc()
    return registry.get_sample_value("answers_total")
print(counted(3), counted(1))
PYTHON
cat > try.py <<'PYTHON'
import importlib.metadata, os, subprocess, sys, warnings
warnings.simplefilter("ignore")
names = ("feast", "prometheus-client")
print(*(f"{name} {importlib.metadata.version(name)}" for name in names))
os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
run = lambda: subprocess.run([sys.executable, "counts.py"], capture_output=True, text=True).stdout.strip()
before = run()
import feast
after, said = run(), os.environ.get("PROMETHEUS_MULTIPROC_DIR")
print("two registries of a child, 3 and 1 counted:", before)
print("the same after `import feast`:             ", after, f"(PROMETHEUS_MULTIPROC_DIR={said})")
sys.exit(0 if (before, after) == ("3.0 1.0", "3.0 4.0") else 1)
PYTHON
"$folder/venv/bin/python" try.py
