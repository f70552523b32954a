#!/usr/bin/env bash
# pyarrow 25.0.1: the mean of decimals has the column's own digits: of 1, 0 and 0 it is 0.
#
# Guess: a mean has digits after the point, whatever the column has. Seen: the mean of a decimal column is a decimal of the column's scale,
# rounded: 1 and 2 of decimal(3, 0) have the mean 2, 1, 0, 0 the mean 0, and 0.1, 0.2, 0.2 of decimal(5, 1) the mean 0.2;
# group_by().aggregate() says the same. DuckDB and Polars give a double, 1.5 and 0.333…; DataFusion gives four digits more than the column
# and cuts them off. A flag or a count that a database sends as NUMERIC(n, 0) has a rate of 0 or 1, and four engines give three answers.
#
# What Argosy does about it: the contract makes float64 of every number before a mean is taken.
#
# PYTHON=… findings/pyarrow-mean-of-decimals.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check datafusion==55.0.0 duckdb==2.0.1 polars==2.1.0 pyarrow==25.0.1
fi
cd "$scratch"
cat > try.py <<'P'
import decimal

import datafusion
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

print("pyarrow", pa.__version__, "duckdb", duckdb.__version__, "polars", pl.__version__, "datafusion", datafusion.__version__)
for texts, precision, scale, rounded, cut in (
    (["1", "2"], 3, 0, "2", "1.5000"),
    (["1", "0", "0"], 3, 0, "0", "0.3333"),
    (["0.1", "0.2", "0.2"], 5, 1, "0.2", "0.16666"),
):
    column = pa.array([decimal.Decimal(text) for text in texts], pa.decimal128(precision, scale))
    table = pa.table({"x": column, "k": [1] * len(texts)})
    context = datafusion.SessionContext()
    context.register_record_batches("t", [table.to_batches()])
    means = {
        "pyarrow": pc.mean(column).as_py(),
        "pyarrow by group": table.group_by("k").aggregate([("x", "mean")])["x_mean"][0].as_py(),
        "DuckDB": duckdb.from_arrow(table).aggregate("avg(x)").fetchall()[0][0],
        "Polars": pl.from_arrow(column).mean(),
        "DataFusion": context.sql("SELECT avg(x) AS m FROM t").to_pydict()["m"][0],
    }
    print(texts, f"decimal({precision}, {scale}):", {name: str(mean) for name, mean in means.items()})
    true = sum(map(float, texts)) / len(texts)
    assert means["pyarrow"] == means["pyarrow by group"] == decimal.Decimal(rounded)
    assert abs(means["DuckDB"] - true) < 1e-12
    assert abs(float(means["Polars"]) - true) < 1e-12
    assert means["DataFusion"] == decimal.Decimal(cut)
P
"$python" -W ignore try.py
