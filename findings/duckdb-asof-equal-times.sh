#!/usr/bin/env bash
# DuckDB 2.0.1: of rows with one time an ASOF join takes any, and which depends on the number of threads; pandas, Polars and pyarrow take
# the last.
#
# Guess: of equal times the row that stands last in the table is the answer, as it is to pandas.merge_asof, Polars' and pyarrow's join_asof,
# or at least the same one each time. Seen: of 300,000 rows in order of time, an ASOF JOIN takes for some examples the first of those with
# one time, for some the last and for others one between, and with four threads others in each run. There is no error. Events that are
# stamped to the second, or a batch that is written with one time, give features that differ from a check by pandas and from run to run. A
# column of the place that breaks the tie, and QUALIFY row_number() before the join, make it one answer.
#
# What Argosy does about it: its join numbers the rows of the file and leaves one for each key and time before the ASOF join sees them.
#
# PYTHON=… findings/duckdb-asof-equal-times.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.1 pandas==2.3.3 polars==2.1.0 pyarrow==25.0.1
fi
cd "$scratch"
cat > try.py <<'P'
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

print("duckdb", duckdb.__version__, "pandas", pd.__version__, "polars", pl.__version__, "pyarrow", pa.__version__)
chance = np.random.default_rng(0)
size = 300_000
events = pa.table({"k": chance.integers(0, 50, size), "t": np.sort(chance.integers(0, 1500, size)), "v": np.arange(size)})
asked = pa.table({"k": np.tile(np.arange(50), 20), "t": np.repeat(np.arange(50, 1500, 73), 50)})
last = pd.merge_asof(asked.to_pandas(), events.to_pandas(), on="t", by="k")["v"].to_list()
by_polars = pl.from_arrow(asked).join_asof(pl.from_arrow(events), on="t", by="k", check_sortedness=False)["v"].to_list()
by_pyarrow = asked.join_asof(events, on="t", by="k", tolerance=-1500)["v"].to_pylist()
each = events.to_pandas().merge(asked.to_pandas(), on=["k", "t"]).groupby(["k", "t"])["v"].agg(["min", "max"])
assert last == by_polars == by_pyarrow
ONE = "(SELECT * FROM events QUALIFY row_number() OVER (PARTITION BY k, t ORDER BY v DESC) = 1)"


def joined(threads, table="events"):
    connection = duckdb.connect(config={"threads": threads})
    connection.register("asked", asked)
    connection.register("events", events)
    query = f"SELECT v FROM asked ASOF JOIN {table} AS e ON asked.k = e.k AND asked.t >= e.t ORDER BY asked.t, asked.k"
    return [row[0] for row in connection.execute(query).fetchall()]


alone, four = joined(1), joined(4)
print("of", len(last), "examples DuckDB has pandas' answer for", sum(a == b for a, b in zip(alone, last)), "with one thread,",
      sum(a == b for a, b in zip(four, last)), "with four; both agree for", sum(a == b for a, b in zip(alone, four)))  # fmt: skip
assert alone != four
assert sum(a == b for a, b in zip(alone, last)) < 0.9 * len(last)
assert joined(1, ONE) == joined(4, ONE) == last
P
"$python" -W ignore try.py
