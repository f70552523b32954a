#!/bin/sh
# Guess: two expectations about a column's type agree, and a pair of columns can be compared whatever kind of integers they are.
# Seen: of a pandas column of nullable integers (Int64), "is of type int64" holds and "is of a type in [int64]" does not; and comparing such
# a column that has a missing value with a plain one is an exception inside the library, where NaN in its place gives a verdict.
# Ends 1 where that is no longer so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'great-expectations==1.24.1' 'pandas==2.3.3'
cat > "$folder/try.py" <<'PYTHON'
import os, sys, warnings
os.environ["GX_ANALYTICS_ENABLED"] = "false"
warnings.simplefilter("ignore")
import great_expectations as gx
import pandas as pd

context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
source = context.data_sources.add_pandas("p")

def ask(expectation, **columns):
    asset = source.add_dataframe_asset(f"a{len(source.assets)}")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": pd.DataFrame(columns)})
    result = batch.validate(expectation)
    info = result.exception_info
    raised = info.get("raised_exception") or "raised_exception" not in info
    return "exception" if raised else bool(result.success)

gaps = pd.array([1, None, 3], dtype="Int64")
of_type = ask(gx.expectations.ExpectColumnValuesToBeOfType(column="n", type_="int64"), n=gaps)
in_list = ask(gx.expectations.ExpectColumnValuesToBeInTypeList(column="n", type_list=["int64"]), n=gaps)
greater = gx.expectations.ExpectColumnPairValuesAToBeGreaterThanB(column_A="n", column_B="k")
nullable = ask(greater, n=gaps, k=[0, 0, 0])
fraction = ask(greater, n=[1.0, float("nan"), 3.0], k=[0, 0, 0])
print("great-expectations", gx.__version__, "pandas", pd.__version__)
print("Int64 is of type int64:", of_type, "| is in the list [int64]:", in_list)
print("n > k with <NA>:", nullable, "| with NaN:", fraction)
sys.exit(0 if (of_type, in_list, nullable, fraction) == (True, False, "exception", False) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
