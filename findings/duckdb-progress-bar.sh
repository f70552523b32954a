#!/usr/bin/env bash
# DuckDB 2.0.1 prints a progress bar into the standard output of some programs, in the middle of what they say.
#
# Guess: a progress bar is for a person at a terminal; a program whose output goes to a file or a pipe gets none. Seen: whether standard
# output is a terminal is not asked. The Python package looks whether the module `__main__` has a file, takes a process without one for an
# interactive session, and prints to standard output once a statement takes longer than two seconds. `python -c`, children that
# `multiprocessing` spawns and interpreters that are embedded have none: what they print as JSON cannot be parsed any more, and only where
# the data is large or the machine slow. The same program as a file prints no bar.
#
# What Argosy does about it: every connection that reads tables or joins labels begins with `SET enable_progress_bar = false`.
#
# PYTHON=.venv/bin/python findings/duckdb-progress-bar.sh takes the DuckDB that is installed there; without it 2.0.1 is installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.1
fi

cat > "$scratch/says_json.py" <<'P'
import duckdb

database = duckdb.connect(config={"threads": 1})
database.execute("CREATE TABLE rows AS SELECT sha256(i::VARCHAR) AS h FROM range(6000000) AS r(i)")
database.execute("CREATE TABLE sorted AS SELECT h, count(*) AS n FROM rows GROUP BY h ORDER BY h")
print('{"answer": 1}')
P

lines() { head -c 1 "$1" | cat -v; }
"$python" "$scratch/says_json.py" > "$scratch/of_a_file"
"$python" -c "exec(open('$scratch/says_json.py').read())" > "$scratch/of_an_argument"
"$python" -c 'import duckdb; print("DuckDB", duckdb.__version__)'
echo "as a file, standard output begins with:          $(lines "$scratch/of_a_file")"
echo "with python -c, standard output begins with:     $(lines "$scratch/of_an_argument")"
if cmp -s "$scratch/of_a_file" "$scratch/of_an_argument"; then
    echo "no difference: this DuckDB asks whether it talks to a terminal"
    exit 1
fi
