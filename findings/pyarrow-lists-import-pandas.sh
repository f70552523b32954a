#!/usr/bin/env bash
# pyarrow 25.0.1 beside pandas 2.3.3: a list of texts that becomes an array imports pandas, and so does a time with a zone that becomes Python's.
#
# Guess: pandas is imported where pandas' objects are given or wanted; a program that has none never loads it. Seen: `pyarrow.array` asks
# of whatever it is given, a list of texts too, whether that is a thing of pandas', and imports pandas to find out; so does `as_py` of a
# timestamp. Nothing of it shows in the program, whose first conversion takes half a second of CPU more where pandas is installed, and
# which has its memory from then on. A server pays for it in the middle of its work. An array that is made of buffers imports nothing.
#
# What Argosy does about it: the thread of a model server that ships what was logged makes its columns of buffers.
#
# PYTHON=.venv/bin/python findings/pyarrow-lists-import-pandas.sh takes what is installed there; without it pyarrow, pandas and NumPy are.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check pyarrow==25.0.1 pandas==2.3.3 numpy==2.4.6
fi
cd "$scratch"
cat > convert.py <<'P'
import importlib.metadata
import struct
import subprocess
import sys
import time

import pyarrow as pa

WORK = {
    "made of buffers": lambda: pa.Array.from_buffers(pa.int64(), 1, [None, pa.py_buffer(struct.pack("<q", 0))]),
    "a list of texts": lambda: pa.array(["a"], pa.string()),
    "a time with a zone": lambda: pa.Array.from_buffers(pa.timestamp("us", "UTC"), 1, [None, pa.py_buffer(struct.pack("<q", 0))])[0].as_py(),
}
if len(sys.argv) > 1:
    began = time.process_time()
    WORK[sys.argv[1]]()
    print("pandas" in sys.modules, f"{1000 * (time.process_time() - began):.0f} ms of CPU")
else:
    print("pyarrow", importlib.metadata.version("pyarrow"), "beside pandas", importlib.metadata.version("pandas"))
    loaded = {}
    for name in WORK:
        said = subprocess.run([sys.executable, __file__, name], check=True, capture_output=True, text=True).stdout.split(maxsplit=1)
        loaded[name] = said[0] == "True"
        print(f"{name}: pandas {'is' if loaded[name] else 'is not'} imported, {said[1].strip()}")
    assert loaded == {"made of buffers": False, "a list of texts": True, "a time with a zone": True}
P
"$python" convert.py
