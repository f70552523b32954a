#!/usr/bin/env bash
# DuckDB 2.0.1 leaves out the last line of a CSV file, without a word, where that line does not fit into its buffer of some 32 MB.
#
# Guess: a line that is longer than `max_line_size` ends the reading with an error, wherever it is; of one of 2 MB, or of 40 MB among other
# lines, it does. Seen: a line of 40 MB at the end of the file is no row and no error, with `strict_mode` as without; count(*) says one
# row less than the file has. With a line behind it the same line is refused.
#
# What Argosy does about it: the end of each CSV file is looked at before it is read, and a last line of more than a mebibyte is refused.
#
# PYTHON=.venv/bin/python findings/duckdb-last-long-line.sh takes the DuckDB that is installed there; without it 2.0.1 is installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.1
fi

cat > "$scratch/lines.py" <<'P'
import sys

import duckdb

folder, found = sys.argv[1], {}
print("DuckDB", duckdb.__version__)
for place, behind in (("among others", "c,3\n"), ("at the end", "")):
    for megabytes in (2, 40):
        with open(f"{folder}/rows.csv", "w", encoding="utf-8") as out:
            out.write("id,x\na,1\n" + "b" * (megabytes << 20) + ",2\n" + behind)
        try:
            query = "SELECT count(*) FROM read_csv(?, columns = {'id': 'VARCHAR', 'x': 'VARCHAR'}, auto_detect = false, header = true)"
            said = f"{duckdb.execute(query, [f'{folder}/rows.csv']).fetchone()[0]} rows"
        except duckdb.Error as error:
            said = type(error).__name__
        print(f"a line of {megabytes} MB {place}: {said}")
        found[place, megabytes] = said
sys.exit(not (found["at the end", 40] == "1 rows" and all("rows" not in said for key, said in found.items() if key != ("at the end", 40))))
P
"$python" "$scratch/lines.py" "$scratch"
echo "as it was found"
