#!/bin/sh
# Guess: the sum of a column of decimal numbers costs about what the sum of the same numbers as fractions does.
# Seen: for every row of a decimal column Great Expectations walks the whole stack of calls, with the source files of all its frames, to find out
# who called (`convert_decimal_to_float` in its util.py calls `inspect.stack()`), so that a sum or a mean takes most of a millisecond a row and
# more: the deeper the stack and the more modules are loaded, the longer. From a script a million rows take a quarter of an hour, fractions none.
# Ends 1 where that is no longer so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'great-expectations==1.24.1' 'pandas==2.3.3'
cat > "$folder/try.py" <<'PYTHON'
import decimal, inspect, os, sys, time, warnings
os.environ["GX_ANALYTICS_ENABLED"] = "false"
warnings.simplefilter("ignore")
import great_expectations as gx
import pandas as pd

context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
source = context.data_sources.add_pandas("p")
walks = 0
frames = inspect.getouterframes

def counted(*arguments, **options):
    global walks
    walks += 1
    return frames(*arguments, **options)

inspect.getouterframes = counted

def asked(values):
    """CPU seconds of one sum, and how often the stack was walked for it."""
    asset = source.add_dataframe_asset(f"a{len(source.assets)}")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": pd.DataFrame({"n": values})})
    expectation = gx.expectations.ExpectColumnSumToBeBetween(column="n", min_value=0)
    begun, before = time.process_time(), walks
    assert batch.validate(expectation).success
    return time.process_time() - begun, walks - before

ROWS = 3000
cents = range(1, ROWS + 1)
asked([0.5])
fraction, walked = asked([each / 100 for each in cents])
exact, walked_exact = asked([decimal.Decimal(each) / 100 for each in cents])
print("great-expectations", gx.__version__, "pandas", pd.__version__, "python", sys.version.split()[0])
print(f"a sum of {ROWS} fractions: {fraction:.2f} s of CPU, {walked} walks of the stack")
print(f"a sum of {ROWS} decimals:  {exact:.2f} s of CPU, {walked_exact} walks of the stack")
sys.exit(0 if walked == 0 and walked_exact >= ROWS and exact > 5 * fraction else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
